#include "weft/backends/cuda/exec/program.h"

#include <array>
#include <exception>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "weft/backends/cuda/exec/call.h"
#include "weft/backends/cuda/exec/feed.h"
#include "weft/backends/cuda/exec/launches.h"
#include "weft/support/memory.h"

namespace weft::cuda {
namespace {

class CudaProgram final : public Program {
 public:
  CudaProgram(LaunchList launch_list, MakeLaunches make, std::shared_ptr<Context> context, bool check)
      : context_(std::move(context)), space_(context_->memory()), make_(std::move(make)),
        launches_(make_(context_, std::move(launch_list))), check_(check), last_run_(std::make_shared<LastRun>(*this)) {
    inputs_ = list().inputs;
    outputs_ = list().outputs;
    replaced_.resize(inputs_.size(), false);
    bound_.resize(inputs_.size());
    pieces_.resize(inputs_.size());
    memory_.resize(inputs_.size());
    results_.resize(outputs_.size());
    copied_.resize(outputs_.size(), false);
    for (const Port& output : outputs_)
      if (output.alias) replaced_[static_cast<size_t>(*output.alias)] = true;
  }
  ~CudaProgram() override {
    last_run_->end();
    // What has failed has been, or would have been, said to who asked for its results.
    context_->quietly([&] { context_->driver().synchronize(context_->stream()); });
  }

  using Program::run;
  void run(std::span<const Binding> inputs) override {
    const std::lock_guard lock(last_run_->mutex());
    try {
      run_once(inputs);
    } catch (const OutOfMemory&) {
      throw;
    } catch (Error& e) {
      context_->explain(e);
      throw;
    }
  }

  /// The last run's launches once more, each waited for. In another context: with the host's newest copy of what the step updates, the
  /// batch as it was written for the device, and zeros for all else.
  void repeat(const std::shared_ptr<Context>& where) {
    if (!feed_) return;  // it never ran
    if (where == context_) return repeat_here();
    std::vector<DeviceBuffer> buffers;
    std::vector<std::byte*> memory;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      const size_t bytes = inputs_[i].bytes();
      const std::vector<std::byte> zeros(bound_[i].storage() && !replaced_[i] ? bytes : 0);
      const std::byte* const host = !bound_[i].storage() ? feed_->written(last_slot_, i)
                                    : replaced_[i]       ? bound_[i].storage()->address()
                                                         : zeros.data();
      memory.push_back(buffers.emplace_back(where->buffer(bytes)).get());
      where->copy_in_now(memory.back(), host, bytes);
    }
    const std::unique_ptr<DeviceLaunches> launches = make_(where, list());
    launches->bind(memory);
    launches->run_one_by_one();
  }

  const std::byte* output(int i) const override {
    const auto at = static_cast<size_t>(i);
    const Port& port = outputs_[at];
    if (port.alias) return bound_[static_cast<size_t>(*port.alias)].read();
    if (!copied_[at]) {
      if (!results_[at]) results_[at].emplace(port.dtype, port.shape, std::source_location());
      context_->copy_out_now(results_[at]->data(), launches_->address(list().output_places[at]), port.bytes());
      copied_[at] = true;
    }
    return std::as_const(*results_[at]).data();
  }

  size_t arena_bytes() const override { return static_cast<size_t>(list().arena_bytes); }
  std::vector<std::string> calls() const override { return launches_->descriptions(); }
  void start_profile(int64_t traced_runs) override { launches_->start_profile(traced_runs); }
  std::vector<CallTime> profile() const override { return launches_->profile(); }
  Trace trace() const override { return launches_->trace(); }

 private:
  const LaunchList& list() const { return launches_->list(); }

  /// The context's memory of the last run, which may outlive the program.
  class LastRun final : public Repeatable {
   public:
    explicit LastRun(CudaProgram& program) : program_(&program) {}
    std::recursive_mutex& mutex() { return mutex_; }
    void end() {
      const std::lock_guard lock(mutex_);
      program_ = nullptr;
    }
    bool repeat(const std::shared_ptr<Context>& where) override {
      const std::unique_lock lock(mutex_, std::try_to_lock);  // another thread's run is not waited for: it may wait for this one
      if (!lock.owns_lock() || !program_) return false;
      program_->repeat(where);
      return true;
    }

   private:
    std::recursive_mutex mutex_;
    CudaProgram* program_;
  };

  void run_once(std::span<const Binding> inputs) {
    bring(inputs);
    if (memory_ != bound_memory_) {
      bound_memory_ = memory_;
      forget_graphs();
    }
    const size_t slot = last_slot_ = fill(inputs);
    launches_->bind(memory_of(slot));
    feed_->send(slot);
    if (!check_) context_->asks(last_run_);
    start(slot);
    feed_->used(slot);
    copied_.assign(copied_.size(), false);
    for (size_t i = 0; i < inputs_.size(); ++i)
      if (replaced_[i] && !inputs[i].storage()) context_->copy_out_now(inputs[i].host(), feed_->piece(slot, i), inputs_[i].bytes());
  }

  /// What the step updates is put back afterwards.
  void repeat_here() {
    std::vector<std::pair<std::byte*, std::vector<std::byte>>> kept;
    for (size_t i = 0; i < inputs_.size(); ++i) {
      if (!replaced_[i]) continue;
      auto& [memory, bytes] = kept.emplace_back(all_memory_[i], std::vector<std::byte>(inputs_[i].bytes()));
      context_->copy_out_now(bytes.data(), memory, bytes.size());
    }
    std::exception_ptr failure;
    try {
      launches_->run_one_by_one();
    } catch (const Error&) {
      failure = std::current_exception();
    }
    try {
      for (const auto& [memory, bytes] : kept) context_->copy_in_now(memory, bytes.data(), bytes.size());
    } catch (const Error&) {
      if (!failure) throw;
    }
    if (failure) std::rethrow_exception(failure);
  }

  /// Finds where each input is on the device, once all that storages hold is there.
  void bring(std::span<const Binding> inputs) {
    for (size_t i = 0; i < inputs_.size(); ++i) pieces_[i] = inputs[i].storage() ? 0 : inputs_[i].bytes();
    if (!feed_ || pieces_ != feed_->pieces()) {
      feed_.reset();
      feed_ = std::make_unique<Feed>(context_, pieces_);
      forget_graphs();
    }
    for (size_t i = 0; i < inputs_.size(); ++i) {
      bound_[i] = inputs[i];
      Storage* storage = inputs[i].storage();
      if (!storage) memory_[i] = nullptr;
      else if (replaced_[i]) memory_[i] = storage->write_in(space_);
      else memory_[i] = const_cast<std::byte*>(storage->read_in(space_));
    }
  }

  /// Writes what comes from the host; returns the slot.
  size_t fill(std::span<const Binding> inputs) {
    const size_t slot = feed_->next();
    for (size_t i = 0; i < inputs_.size(); ++i)
      if (!inputs[i].storage()) feed_->write(slot, i, inputs[i].host());
    return slot;
  }

  /// Of all inputs, those from the host in that slot.
  std::span<std::byte* const> memory_of(size_t slot) {
    all_memory_ = memory_;
    for (size_t i = 0; i < inputs_.size(); ++i)
      if (!bound_[i].storage()) all_memory_[i] = feed_->piece(slot, i);
    return all_memory_;
  }

  void start(size_t slot) {
    if (check_) return launches_->run_one_by_one();
    // The first run finds its memory, the second shows that it stays there.
    if (launches_->profiling() || (!graphs_[slot] && same_++ == 0)) return launches_->run();
    if (!graphs_[slot]) graphs_[slot] = context_->capture([&](StreamHandle* stream) { launches_->enqueue(stream); });
    context_->launch(*graphs_[slot]);
  }

  void forget_graphs() {
    graphs_ = {};
    same_ = 0;
  }

  std::shared_ptr<Context> context_;
  std::shared_ptr<MemorySpace> space_;
  MakeLaunches make_;
  std::unique_ptr<DeviceLaunches> launches_;
  bool check_;
  std::shared_ptr<LastRun> last_run_;
  size_t last_slot_ = 0;
  std::vector<bool> replaced_;                           // per input: does an output take over its memory?
  std::vector<std::byte*> memory_;                       // per input, of those from storages
  std::optional<std::vector<std::byte*>> bound_memory_;  // that the graphs look at; none: nothing yet
  std::vector<std::byte*> all_memory_;                   // per input, of the last run
  std::vector<Binding> bound_;                           // per input, by the last run
  std::vector<size_t> pieces_;                           // of the feed
  std::unique_ptr<Feed> feed_;
  std::array<std::unique_ptr<Graph>, Feed::slots> graphs_;
  int same_ = 0;                                       // runs with this memory
  mutable std::vector<std::optional<Array>> results_;  // per output: those that were asked for
  mutable std::vector<bool> copied_;                   // per output: since the last run
};

}  // namespace

std::unique_ptr<Program> make_program(LaunchList list, MakeLaunches make, std::shared_ptr<Context> context, bool check) {
  return std::make_unique<CudaProgram>(std::move(list), std::move(make), std::move(context), check);
}

}  // namespace weft::cuda
