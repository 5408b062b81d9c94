// Convolutions by cuDNN, in a stream.

#include <algorithm>
#include <mutex>

#include "weft/backends/cuda/exec/convolution_plan.h"
#include "weft/backends/cuda/exec/per_context.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

/// The library's state on a device, which one thread uses at a time.
class Handle {
 public:
  explicit Handle(std::shared_ptr<Context> context) : context_(std::move(context)) {
    context_->with_current([&] { usable_ = cudnn().create(&handle_) == dnn_success; });
  }
  Handle(const Handle&) = delete;
  ~Handle() {
    if (usable_) context_->quietly([&] { cudnn().destroy(handle_); });
  }

  /// Does the library run on the device?
  bool usable() const { return usable_; }
  DnnHandle* get() const { return handle_; }

  void execute(const DnnObject& plan, const DnnObject& pack, StreamHandle* stream) {
    const std::lock_guard lock(mutex_);
    cudnn().check(cudnn().set_stream(handle_, stream), "cudnnSetStream");
    cudnn().check(cudnn().execute(handle_, plan.get(), pack.get()), "cudnnBackendExecute");
  }

 private:
  std::shared_ptr<Context> context_;
  ForkSafeMutex mutex_;
  DnnHandle* handle_ = nullptr;
  bool usable_ = false;
};

PerContext<Handle>& handles() {
  static auto* const all = new PerContext<Handle>;
  return *all;
}
[[maybe_unused]] const PerContext<Handle>& made_before_main = handles();

class DnnConvolution final : public LibraryCall {
 public:
  DnnConvolution(std::shared_ptr<Handle> handle, ConvolutionPlan plan) : handle_(std::move(handle)), plan_(std::move(plan)) {}

  void enqueue(std::span<std::byte* const> buffers, StreamHandle* stream) override {
    if (!pack_ || !std::equal(buffers.begin(), buffers.end(), bound_.begin(), bound_.end())) bind(buffers);
    handle_->execute(plan_.plan, *pack_, stream);
  }

  std::string name() const override {
    const size_t version = cudnn().version();  // 91900 is 9.19
    return fmt::format("cuDNN {}.{}", version / 10000, version % 10000 / 100);
  }

 private:
  /// The buffers stay where they are from step to step, and so does what the library is told of them.
  void bind(std::span<std::byte* const> buffers) {
    std::vector<int64_t> ids;
    for (size_t i = 0; i < tensors; ++i) ids.push_back(tensor_id(i));
    std::byte* workspace = buffers.size() > tensors ? buffers[tensors] : nullptr;
    DnnObject pack(DnnKind::variant_pack);
    pack.set(DnnAttribute::pack_ids, ids);
    pack.set(DnnAttribute::pack_pointers, DnnType::pointer, tensors, buffers.data());
    pack.set(DnnAttribute::pack_workspace, DnnType::pointer, 1, &workspace);
    pack.finalize();
    pack_ = std::move(pack), bound_.assign(buffers.begin(), buffers.end());
  }

  static constexpr size_t tensors = 3;

  std::shared_ptr<Handle> handle_;
  ConvolutionPlan plan_;
  std::optional<DnnObject> pack_;
  std::vector<std::byte*> bound_;
};

}  // namespace

std::unique_ptr<LibraryCall> plan_convolution(const std::shared_ptr<Context>& context, const CallDescriptor& call, const Launch& launch) {
  if (!cudnn().why.empty()) return nullptr;
  const ConvolutionSpec spec = convolution_of(call);
  const int64_t workspace = launch.buffers.size() > tensors_of(spec).size() ? launch.buffers.back().bytes : 0;
  std::unique_ptr<LibraryCall> made;
  context->with_current([&] {
    const std::shared_ptr<Handle> handle = handles().of(context);
    if (!handle->usable()) return;
    if (auto plan = choose_plan(spec, {.handle = handle->get()}, workspace))
      made = std::make_unique<DnnConvolution>(handle, *std::move(plan));
  });
  return made;
}

}  // namespace weft::cuda
