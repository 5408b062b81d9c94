#include "weft/backends/cuda/exec/dnn_call.h"

#include <algorithm>
#include <mutex>

#include "weft/backends/cuda/exec/per_context.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

PerContext<DnnState>& states() {
  static auto* const all = new PerContext<DnnState>;
  return *all;
}
[[maybe_unused]] const PerContext<DnnState>& made_before_main = states();

class DnnCall final : public LibraryCall {
 public:
  DnnCall(std::shared_ptr<DnnState> state, DnnPlan plan, DnnTensors tensors)
      : state_(std::move(state)), plan_(std::move(plan)), tensors_(std::move(tensors)) {}

  void enqueue(std::span<std::byte* const> buffers, StreamHandle* stream) override {
    if (!pack_ || !std::equal(buffers.begin(), buffers.end(), bound_.begin(), bound_.end())) bind(buffers);
    state_->execute(plan_.plan, *pack_, stream);
  }

  std::string name() const override {
    const size_t version = cudnn().version();  // 91900 is 9.19
    return fmt::format("cuDNN {}.{}", version / 10000, version % 10000 / 100);
  }

 private:
  /// The buffers stay where they are from step to step, and so does what the library is told of them.
  void bind(std::span<std::byte* const> buffers) {
    std::vector<int64_t> ids;
    std::vector<void*> pointers;
    const auto add = [&](void* pointer) { ids.push_back(tensor_id(ids.size())), pointers.push_back(pointer); };
    const size_t in_buffers = tensors_.offsets.size();
    for (size_t i = 0; i < in_buffers; ++i) add(buffers[i] + tensors_.offsets[i]);
    for (float& number : tensors_.numbers) add(&number);
    std::byte* workspace = buffers.size() > in_buffers ? buffers[in_buffers] : nullptr;
    DnnObject pack(DnnKind::variant_pack);
    pack.set(DnnAttribute::pack_ids, ids);
    pack.set(DnnAttribute::pack_pointers, DnnType::pointer, static_cast<int64_t>(pointers.size()), pointers.data());
    pack.set(DnnAttribute::pack_workspace, DnnType::pointer, 1, &workspace);
    pack.finalize();
    pack_ = std::move(pack), bound_.assign(buffers.begin(), buffers.end());
  }

  std::shared_ptr<DnnState> state_;
  DnnPlan plan_;
  DnnTensors tensors_;
  std::optional<DnnObject> pack_;
  std::vector<std::byte*> bound_;
};

}  // namespace

std::shared_ptr<DnnState> DnnState::of(const std::shared_ptr<Context>& context) {
  if (!cudnn().why.empty()) return nullptr;
  std::shared_ptr<DnnState> state = states().of(context);
  return state->usable_ ? state : nullptr;
}

DnnState::DnnState(std::shared_ptr<Context> context) : context_(std::move(context)) {
  context_->with_current([&] { usable_ = cudnn().create(&handle_) == dnn_success; });
}

DnnState::~DnnState() {
  if (usable_) context_->quietly([&] { cudnn().destroy(handle_); });
}

void DnnState::execute(const DnnObject& plan, const DnnObject& pack, StreamHandle* stream) {
  const std::lock_guard lock(mutex_);
  cudnn().check(cudnn().set_stream(handle_, stream), "cudnnSetStream");
  cudnn().check(cudnn().execute(handle_, plan.get(), pack.get()), "cudnnBackendExecute");
}

std::unique_ptr<LibraryCall> dnn_call(std::shared_ptr<DnnState> state, DnnPlan plan, DnnTensors tensors) {
  return std::make_unique<DnnCall>(std::move(state), std::move(plan), std::move(tensors));
}

}  // namespace weft::cuda
