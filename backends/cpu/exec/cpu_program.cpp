#include "weft/backends/cpu/exec/cpu_program.h"

#include <algorithm>
#include <atomic>
#include <optional>

#include "weft/runtime/float_mode.h"
#include "weft/runtime/parallel.h"

namespace weft::cpu {
namespace {

class CpuProgram final : public Program {
 public:
  explicit CpuProgram(ProgramParts parts)
      : parts_(std::move(parts)), arena_(u8, Shape{parts_.arena_bytes}, std::source_location()), bound_(parts_.inputs.size(), nullptr) {
    inputs_ = parts_.inputs;
    outputs_ = parts_.outputs;
    readers_.resize(inputs_.size());
    for (PlacedTask& t : parts_.tasks) bind(t);
    threads_ = useful_threads();
    if (threads_ > 1) find_waits();
  }

  void run(std::span<std::byte* const> inputs) override {
    for (size_t i = 0; i < bound_.size(); ++i)
      if (bound_[i] != inputs[i] || !ran_) rebind(i, inputs[i]);
    ran_ = true;
    const SerialLibraries scope;
    if (threads_ == 1) {
      run_share(nullptr, 0);
    } else {
      const TeamLease team(threads_);
      team_ = &*team;
      team->run(
          [](void* self, int me) {
            auto* program = static_cast<CpuProgram*>(self);
            program->run_share(program->team_, me);
          },
          this);
    }
    if (profiler_) profiler_->step_done();
    if (failed_.load(std::memory_order_relaxed)) fail();
  }

  const std::byte* output(int i) const override { return address(parts_.output_places[static_cast<size_t>(i)]); }
  size_t arena_bytes() const override { return static_cast<size_t>(parts_.arena_bytes); }
  std::span<const std::byte> arena() const override { return {arena_.data(), arena_bytes()}; }

  void start_profile() override { profiler_.emplace(parts_.tasks.size(), threads_); }

  std::vector<CallTime> profile() const override {
    std::vector<CallTime> all;
    if (!profiler_) return all;
    for (size_t i = 0; i < parts_.tasks.size(); ++i) {
      const PlacedTask& t = parts_.tasks[i];
      all.push_back({t.task->description, profiler_->microseconds(i), profiler_->waiting(i), t.flops, t.bytes});
    }
    return all;
  }

  std::vector<std::string> calls() const override {
    std::vector<std::string> all;
    for (const PlacedTask& t : parts_.tasks) all.push_back(t.task->description);
    return all;
  }

 private:
  /// The threads that at least one task can use.
  int useful_threads() const {
    int64_t most = 1;
    for (const PlacedTask& t : parts_.tasks)
      if (t.parallel) most = std::max(most, t.task->units());
    return static_cast<int>(std::min<int64_t>(parts_.threads, most));
  }

  /// A task waits where it conflicts with one since the last wait; what thread 0 runs alone it runs in order anyway.
  void find_waits() {
    waits_.assign(parts_.tasks.size(), false);
    size_t first = 0;
    for (size_t i = 0; i < parts_.tasks.size(); ++i)
      for (size_t k = first; k < i && !waits_[i]; ++k)
        if ((is_shared(i) || is_shared(k)) && conflict(parts_.tasks[i], parts_.tasks[k])) waits_[i] = true, first = i;
  }

  /// Do several threads run it? All other tasks are thread 0's.
  bool is_shared(size_t i) const { return parts_.tasks[i].parallel && parts_.tasks[i].task->units() > 1; }

  static bool conflict(const PlacedTask& a, const PlacedTask& b) {
    for (const BufferPlace& x : a.places)
      for (const BufferPlace& y : b.places)
        if (x.conflicts(y)) return true;
    return false;
  }

  /// What thread `me` does in a step.
  void run_share(Team* team, int me) {
    const FloatMode mode;
    for (size_t i = 0; i < parts_.tasks.size(); ++i) {
      if (team && waits_[i]) timed(&Profiler::waited, me, i, [&] { team->barrier(); });
      const int64_t units = parts_.tasks[i].task->units();
      Share share{0, me == 0 ? units : 0};
      if (team && is_shared(i)) share = share_of(units, me, team->threads());
      if (share.begin != share.end) timed(&Profiler::ran, me, i, [&] { run_units(i, share); });
    }
  }

  void run_units(size_t i, Share share) {
    Task& task = *parts_.tasks[i].task;
    if (const int status = task.run(share.begin, share.end)) {
      status_.store(status, std::memory_order_relaxed);
      failed_.store(&task, std::memory_order_relaxed);
    }
  }

  /// Does it, and notes how long it took when someone asked.
  template <class Do>
  void timed(void (Profiler::*note)(int, size_t, Profiler::Clock::duration), int me, size_t i, Do what) {
    if (!profiler_) return what();
    const auto start = Profiler::Clock::now();
    what();
    ((*profiler_).*note)(me, i, Profiler::Clock::now() - start);
  }

  [[noreturn]] void fail() {
    const Task* task = failed_.exchange(nullptr, std::memory_order_relaxed);
    throw InternalError(fmt::format("the library failed with status {}: {}", status_.load(), task->description));
  }

  void bind(PlacedTask& t) {
    bool ready = true;
    for (size_t i = 0; i < t.places.size(); ++i) {
      if (t.places[i].kind == BufferPlace::Kind::input) {
        readers_[static_cast<size_t>(t.places[i].position)].push_back({t.task.get(), i});
        ready = false;
      } else {
        t.task->buffers[i] = address(t.places[i]);
      }
    }
    if (ready) t.task->rebound();
  }

  /// The caller's buffer has moved: only then do the tasks that touch it need new pointers.
  void rebind(size_t input, std::byte* data) {
    bound_[input] = data;
    for (const auto& [task, buffer] : readers_[input]) {
      task->buffers[buffer] = data;
      task->rebound();
    }
  }

  std::byte* address(const BufferPlace& place) const {
    const auto i = static_cast<size_t>(place.position);
    switch (place.kind) {
      case BufferPlace::Kind::input: return bound_[i];
      case BufferPlace::Kind::arena: return const_cast<std::byte*>(arena_.data()) + place.position;
      case BufferPlace::Kind::constant: return const_cast<std::byte*>(parts_.constants[i].data());
    }
    return nullptr;
  }

  struct Reader {
    Task* task;
    size_t buffer;
  };

  ProgramParts parts_;
  Array arena_;
  std::vector<std::byte*> bound_;             // per input: the pointer of the last run
  std::vector<std::vector<Reader>> readers_;  // per input
  bool ran_ = false;                          // then no task is without its buffers
  int threads_ = 1;
  std::vector<bool> waits_;  // per task: is there a barrier before it?
  Team* team_ = nullptr;     // of the step that runs
  std::optional<Profiler> profiler_;
  std::atomic<const Task*> failed_ = nullptr;
  std::atomic<int> status_ = 0;
};

}  // namespace

bool BufferPlace::conflicts(const BufferPlace& other) const {
  if (kind != other.kind || !(written || other.written)) return false;
  if (kind != Kind::arena) return position == other.position;
  return position < other.position + other.bytes && other.position < position + bytes;
}

std::unique_ptr<Program> make_program(ProgramParts parts) { return std::make_unique<CpuProgram>(std::move(parts)); }

}  // namespace weft::cpu
