#pragma once
// What stands behind a Step: the program, the memory that its inputs are bound to, and the checks of every call.

#include <array>
#include <atomic>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>
#include <vector>

#include "weft/frontend/optim/core.h"
#include "weft/frontend/program/build.h"
#include "weft/frontend/program/index_bounds.h"
#include "weft/frontend/program/lent_results.h"
#include "weft/frontend/report/replay.h"
#include "weft/runtime/batch_inputs.h"
#include "weft/runtime/step_data.h"

namespace weft {
class NotFinite;
}

namespace weft::detail {

class Undo;

struct StepCore {
  /// Binds the program's inputs. `planned` is the module that `program` was made from, `key` that of its random numbers.
  StepCore(Recorded recorded, ir::Module planned, std::unique_ptr<Program> program, Target target, uint64_t key);

  /// Checks the feeds and runs once. Returns the number of this call, from 1.
  uint64_t run(std::span<const Feed> feeds);
  /// Results of the last call are somebody's.
  void handed_out() { lent_->handed_out(); }
  /// From here on a training step draws from its optimizer's stream, as that stands at each call.
  void draw_as_optimizer(uint64_t seed);
  const std::string& name() const { return recorded.module.graph().name(); }
  /// Throws weft::Error when `step` is not the latest call.
  void require_latest(uint64_t step) const;
  /// The outputs that replace an input.
  const LentResults& lent() const { return *lent_; }

  void start_profile(int64_t traced_steps);
  /// All but the program itself, as files keep it.
  StepData saved();
  /// The passes once more, to see what became of what was recorded.
  Replay replayed() const;
  /// Of each call what was recorded of it, see Replay::recorded_of(). Looked for when somebody asks for the first time.
  const std::vector<std::vector<std::string>>& recorded_of_calls();

  Recorded recorded;
  ir::Module planned;
  std::unique_ptr<Program> program;
  Target target;
  CompileOptions options;  // for compiling it again
  std::vector<passes::PassRun> passes;
  double compile_milliseconds = 0;
  RunChecks checks;
  Watch watch;
  std::vector<KernelText> kernels;

 private:
  /// A counter of steps of the program, and whose updates it counts. What it starts from is copied to it before a run, so that
  /// programs that train some of them may have been in between.
  struct Counter {
    std::string input;
    Array array{i64, Shape{}, std::source_location()};
    int64_t value = 0;  // what lies in the array, without asking it
    std::vector<OptimizerCore::States*> of = {};

    /// Takes the count over; false when they have not the same one.
    bool read();
    /// A run has counted on.
    void counted();
  };

  void bind();
  void bind_counters();
  /// Whether one counter still serves those that share it.
  bool read_counters();
  /// The program until now, and what it lent: what is fed may be its results.
  struct Before {
    std::unique_ptr<Program> program = nullptr;
    std::unique_ptr<LentResults> lent = nullptr;
  };
  /// Compiles with a counter for each that now needs one. Results of earlier calls are gone.
  Before tell_apart();
  /// What has been done to parameters and optimizer since it was recorded.
  void check_changes();
  /// What an input of the program stands for.
  struct Key {};
  struct State {
    BoundParameter* of;
    std::string name;
  };
  using Source = std::variant<Key, BoundParameter*, Hyper*, Counter*, State>;
  using BoundByInput = std::unordered_map<std::string_view, BoundParameter*>;
  BoundByInput bound_parameters();
  Source source_of(const Port& port, ir::Role role, const BoundByInput& bound);
  Binding binding_of(const Port& port, const Source& source);
  StepInput saved(const Port& port, const ir::Input& input, const BoundByInput& bound);
  Binding bind(Array& array, const Port& port);
  void find_written();
  void check_switches() const;
  void run_checked();
  void check_indices(const Undo& undo);
  void reproduce(NotFinite& e) const;
  void find_on_cpu(const Undo& undo);

  std::optional<std::vector<std::vector<std::string>>> recorded_of_calls_;
  BatchInputs batch_;
  std::vector<Binding> bindings_;  // per input of the program
  std::unique_ptr<LentResults> lent_;
  std::vector<Counter> counters_;        // their arrays are bound
  uint64_t freezing_seen_ = 0;           // freezing_changes() when it was last looked at
  size_t groups_seen_ = 0;               // of the optimizer
  std::optional<int64_t> traced_steps_;  // once it is profiled
  std::array<int64_t, 2> key_;           // of the random numbers, number of the step
  std::optional<uint64_t> seed_;         // of the optimizer's stream, if that is drawn from
  int64_t own_steps_ = 0;
  const int64_t* steps_;               // completed: the optimizer's, else this program's own
  std::atomic<uint64_t> running_ = 0;  // 0, or 1 + the fork_count() of the process whose thread is in run()
  uint64_t calls_ = 0;
};

/// "a, b, c"
std::string comma_separated(const std::vector<std::string>& names);

}  // namespace weft::detail
