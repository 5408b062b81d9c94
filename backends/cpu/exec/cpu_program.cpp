#include "weft/backends/cpu/exec/cpu_program.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>
#include <optional>
#include <utility>

#include "weft/backends/cpu/exec/contention.h"
#include "weft/backends/cpu/exec/fastest_way.h"
#include "weft/backends/cpu/exec/sharing.h"
#include "weft/runtime/float_mode.h"
#include "weft/runtime/parallel.h"

namespace weft::cpu {
namespace {

class CpuProgram final : public Program {
 public:
  explicit CpuProgram(ProgramParts parts)
      : parts_(std::move(parts)), arena_(u8, Shape{list().arena_bytes}, std::source_location()), bound_(list().inputs.size(), nullptr) {
    inputs_ = list().inputs;
    outputs_ = list().outputs;
    readers_.resize(inputs_.size());
    replaced_.resize(inputs_.size(), false);
    for (const Port& output : outputs_)
      if (output.alias) replaced_[static_cast<size_t>(*output.alias)] = true;
    for (size_t i = 0; i < launches().size(); ++i) bind(i);
    find_movers();
    calls_library_ = std::any_of(parts_.tasks.begin(), parts_.tasks.end(), [](const auto& task) { return task->is_library_call; });
    find_ways();
  }

  bool shows_calls() const override { return true; }
  void run_watched(std::span<const Binding> inputs, CallWatcher& watcher) override {
    struct Watched {
      CallWatcher*& by;
      std::exception_ptr& thrown;
      ~Watched() { by = nullptr, thrown = nullptr; }
    } const watched{watcher_ = &watcher, thrown_};
    run(inputs);
    if (thrown_) std::rethrow_exception(std::exception_ptr(thrown_));
  }

  using Program::run;
  void run(std::span<const Binding> inputs) override {
    for (size_t i = 0; i < bound_.size(); ++i) {
      std::byte* const memory = replaced_[i] ? inputs[i].write() : const_cast<std::byte*>(inputs[i].read());
      if (bound_[i] != memory || !ran_) rebind(i, memory);
    }
    ran_ = true;
    const Sharing& way = ways_[watcher_ ? fastest_.best() : fastest_.next()];
    noting_ = profiler_ && !fastest_.is_trying() ? &*profiler_ : nullptr;
    const bool is_tried = !watcher_ && fastest_.is_measured(), is_observed = is_long_ && way.threads > 1 && !watcher_;
    const bool is_timed = noting_ || is_tried || is_observed;
    const auto start = is_timed ? Profiler::Clock::now() : Profiler::Clock::time_point();
    if (is_observed) contention_.begin();
    std::optional<SerialLibraries> scope;
    if (calls_library_) scope.emplace();
    run_shared(way);
    if (is_timed) {
      const Profiler::Reading time{start, Profiler::Clock::now()};
      const double seconds = std::chrono::duration<double>(time.end - time.begin).count();
      if (noting_) noting_->step_done(time);
      if (is_tried) fastest_.took(seconds);
      if (is_observed && contention_.end(seconds)) fastest_.ask_for_trial();
    }
    if (failed_.load(std::memory_order_relaxed)) fail();
  }

  const std::byte* output(int i) const override { return address(list().output_places[static_cast<size_t>(i)]); }
  size_t arena_bytes() const override { return static_cast<size_t>(list().arena_bytes); }
  std::span<const std::byte> arena() const override { return {arena_.data(), arena_bytes()}; }

  int threads() const override { return ways_[fastest_.best()].threads; }

  void start_profile(int64_t traced_runs) override {
    const auto by_threads = [](const Sharing& a, const Sharing& b) { return a.threads < b.threads; };
    const int most_threads = std::max_element(ways_.begin(), ways_.end(), by_threads)->threads;
    int64_t readings = 0;  // of a thread: each pass of a launch has one, and one of the wait before it; so has each pass of a loop
    for (size_t i = 0; i < launches().size(); ++i) {
      int64_t passes = 1;
      for (int64_t count : passes_around(list(), i)) passes *= count;
      readings += 3 * passes;
    }
    profiler_.emplace(launches().size(), most_threads, traced_runs, static_cast<size_t>(readings));
  }

  std::vector<CallTime> profile() const override {
    std::vector<CallTime> all;
    if (!profiler_) return all;
    for (size_t i = 0; i < launches().size(); ++i) {
      const Launch& l = launches()[i];
      all.push_back({l.description, profiler_->microseconds(i), profiler_->waiting(i), l.flops, l.bytes});
    }
    return all;
  }

  Trace trace() const override { return profiler_ ? profiler_->trace() : Trace(); }

  std::vector<std::string> calls() const override {
    std::vector<std::string> all;
    for (const Launch& l : launches()) all.push_back(l.description);
    return all;
  }

 private:
  const LaunchList& list() const { return parts_.list; }
  const std::vector<Launch>& launches() const { return parts_.list.launches; }

  /// The fastest way of a short step is found out now and then; a long one is taken to gain by all threads, unless others want the cores.
  void find_ways() {
    constexpr double long_seconds = 1e-3;
    std::vector<bool> may_share(launches().size());
    int64_t most = 1;  // threads that at least one launch can use
    for (size_t i = 0; i < may_share.size(); ++i) {
      const int64_t units = parts_.tasks[i]->units();
      if ((may_share[i] = launches()[i].parallel && units > 1)) most = std::max(most, units);
    }
    const int threads = static_cast<int>(std::min<int64_t>(parts_.threads, most));
    if (parts_.share_all) {
      ways_ = {share(list(), may_share, threads)};
      return;
    }
    ways_ = ways_to_share(list(), may_share, threads);
    const auto by_seconds = [](const Sharing& a, const Sharing& b) { return a.seconds < b.seconds; };
    size_t guess = static_cast<size_t>(std::min_element(ways_.begin(), ways_.end(), by_seconds) - ways_.begin());
    if ((is_long_ = ways_[guess].seconds > long_seconds) && guess > 0) {
      ways_ = {ways_[0], ways_[guess]};
      guess = 1;
    }
    fastest_ = FastestWay(ways_.size(), guess, is_long_ ? FastestWay::of_long_runs : FastestWay::of_short_runs);
  }

  void find_movers() {
    pass_.assign(list().loops.size(), 0);
    movers_.resize(list().loops.size());
    for (size_t i = 0; i < launches().size(); ++i) {
      if (!moves(launches()[i])) continue;
      const std::vector<size_t> around = loops_around(list(), i);
      for (size_t loop : around) movers_[loop].push_back({i, around});
    }
  }

  static bool moves(const Launch& launch) {
    return std::any_of(launch.buffers.begin(), launch.buffers.end(), [](const BufferPlace& place) { return !place.steps.empty(); });
  }

  /// By the last thread to come, while the others wait.
  void begin_pass(size_t loop, int64_t pass) {
    pass_[loop] = pass;
    for (size_t inner = loop + 1; inner < pass_.size() && list().loops[inner].first < list().loops[loop].last; ++inner) pass_[inner] = 0;
    for (const Mover& mover : movers_[loop]) {
      Task& task = *parts_.tasks[mover.launch];
      const std::vector<BufferPlace>& places = launches()[mover.launch].buffers;
      for (size_t b = 0; b < places.size(); ++b) {
        const BufferPlace& place = places[b];
        if (place.steps.empty()) continue;
        int64_t bytes = place.offset;
        for (size_t d = 0; d < place.steps.size(); ++d) bytes += place.steps[d] * pass_[mover.around[d]];
        task.buffers[b] = address(place) + bytes;
      }
      task.rebound();
    }
  }

  void run_shared(const Sharing& way) {
    way_ = &way;
    if (way.threads == 1) return run_share(nullptr, 0);
    const TeamLease team(way.threads);
    team_ = &*team;
    team->run(
        [](void* self, int me) {
          auto* program = static_cast<CpuProgram*>(self);
          program->run_share(program->team_, me);
        },
        this);
  }

  /// What thread `me` does in a step.
  void run_share(Team* team, int me) {
    const FloatMode mode(list().denormals);
    run_launches(team, me, 0, parts_.tasks.size(), 0);
  }

  /// The launches from first to last - 1, and the loops among them, of which `loop` is the first.
  void run_launches(Team* team, int me, size_t first, size_t last, size_t loop) {
    const std::vector<LaunchLoop>& loops = list().loops;
    while (first < last && !thrown_) {
      if (loop == loops.size() || loops[loop].first > first) {
        run_launch(team, me, first++);
        continue;
      }
      const LaunchLoop& around = loops[loop];
      for (int64_t pass = 0; pass < around.count && !thrown_; ++pass) {
        const auto begin = [&] { begin_pass(loop, pass); };
        if (team) timed(&Profiler::waited, me, around.first, [&] { team->barrier(begin); });
        else begin();
        run_launches(team, me, around.first, around.last, loop + 1);
      }
      first = around.last;
      while (loop < loops.size() && loops[loop].first < around.last) ++loop;
    }
  }

  void run_launch(Team* team, int me, size_t i) {
    if (watcher_) shown(team, i, &CallWatcher::before);
    if (thrown_) return;
    if (team && way_->waits[i]) timed(&Profiler::waited, me, i, [&] { team->barrier(); });
    const int64_t units = parts_.tasks[i]->units();
    Share share{0, me == 0 ? units : 0};
    if (team && way_->shared[i]) share = share_of(units, me, team->threads());
    if (share.begin != share.end) timed(&Profiler::ran, me, i, [&] { run_units(i, share); });
    if (watcher_) shown(team, i, &CallWatcher::after);
  }

  /// To the watcher, by the last thread to come, while the others wait. What it throws is kept: all threads stop then.
  void shown(Team* team, size_t i, void (CallWatcher::*when)(const CallWatcher::Call&)) {
    const auto show = [&] {
      try {
        Dims passes;
        for (size_t loop : loops_around(list(), i)) passes.push_back(pass_[loop]);
        (watcher_->*when)({i, passes, parts_.tasks[i]->buffers});
      } catch (...) {
        thrown_ = std::current_exception();
      }
    };
    if (team) team->barrier(show);
    else show();
  }

  void run_units(size_t i, Share share) {
    if (const int status = parts_.tasks[i]->run(share.begin, share.end)) {
      status_.store(status, std::memory_order_relaxed);
      failed_.store(&launches()[i], std::memory_order_relaxed);
    }
  }

  /// Does it, and notes how long it took when someone asked.
  template <class Do>
  void timed(void (Profiler::*note)(int, size_t, Profiler::Reading), int me, size_t i, Do what) {
    if (!noting_) return what();
    const auto start = Profiler::Clock::now();
    what();
    (noting_->*note)(me, i, {start, Profiler::Clock::now()});
  }

  [[noreturn]] void fail() {
    const Launch* launch = failed_.exchange(nullptr, std::memory_order_relaxed);
    throw InternalError(fmt::format("the library failed with status {}: {}", status_.load(), launch->description));
  }

  void bind(size_t launch) {
    Task& task = *parts_.tasks[launch];
    const std::vector<BufferPlace>& places = launches()[launch].buffers;
    bool ready = true;
    for (size_t i = 0; i < places.size(); ++i) {
      if (places[i].kind == BufferPlace::Kind::input) {
        readers_[static_cast<size_t>(places[i].position)].push_back({&task, i});
        ready = false;
      } else {
        task.buffers[i] = address(places[i]);
      }
    }
    if (ready && !moves(launches()[launch])) task.rebound();
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
      case BufferPlace::Kind::constant: return const_cast<std::byte*>(list().constants[i].data());
    }
    return nullptr;
  }

  /// A launch with buffers that move, and the loops around it, the outermost first.
  struct Mover {
    size_t launch;
    std::vector<size_t> around;
  };

  struct Reader {
    Task* task;
    size_t buffer;
  };

  ProgramParts parts_;
  Array arena_;
  std::vector<std::byte*> bound_;             // per input: the pointer of the last run
  std::vector<std::vector<Reader>> readers_;  // per input
  std::vector<char> replaced_;                // per input: does an output take over its memory?
  bool ran_ = false;                          // then no task is without its buffers
  bool calls_library_;
  std::vector<Sharing> ways_;
  FastestWay fastest_;
  bool is_long_ = false;  // a step: milliseconds
  Contention contention_;
  const Sharing* way_ = nullptr;            // of the step that runs
  std::vector<std::vector<Mover>> movers_;  // per loop: what is in it
  std::vector<int64_t> pass_;               // per loop: the pass at hand
  Team* team_ = nullptr;                    // of the step that runs
  std::optional<Profiler> profiler_;
  Profiler* noting_ = nullptr;      // of the step that runs: a trial's are not noted
  CallWatcher* watcher_ = nullptr;  // of the run at hand
  std::exception_ptr thrown_;       // by the watcher, at a barrier
  std::atomic<const Launch*> failed_ = nullptr;
  std::atomic<int> status_ = 0;
};

}  // namespace

std::unique_ptr<Program> make_program(ProgramParts parts) { return std::make_unique<CpuProgram>(std::move(parts)); }

}  // namespace weft::cpu
