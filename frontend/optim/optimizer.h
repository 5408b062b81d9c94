#pragma once
// What optimizers have in common: run-time numbers, structural switches and the state of every trained parameter.

#include <memory>
#include <source_location>
#include <string>
#include <string_view>
#include <vector>

#include "weft/frontend/language/hyper.h"
#include "weft/frontend/language/parameter.h"
#include "weft/ir/attribute.h"

namespace weft::detail {
struct OptimizerCore;
}

namespace weft::optim {

/// Formula for formula torch.optim's, but that a running mean or momentum is 0 where it would be denormal (below 1.2e-38 in f32), which
/// it becomes wherever gradients stay 0: each operation on such a number takes many processors some hundred cycles.
///
/// A handle: copies share numbers and state. All programs compiled with one optimizer (batch sizes, say) share its state, which is
/// each parameter's own, counts of steps included.
class Optimizer {
 public:
  Optimizer(const Optimizer&) = default;
  virtual ~Optimizer() = default;
  Optimizer& operator=(const Optimizer&) = delete;  // sgd.lr = other.lr copies a number

  /// Updates these parameters as `with` says, whose numbers it reads at every step: torch's parameter groups.
  ///
  ///   optim::AdamW adamw({.lr = 1e-3}), plain({.lr = 1e-3, .weight_decay = 0});
  ///   adamw.add_group("no_decay", {net.fc1.bias, net.fc2.bias}, plain);
  ///
  /// Training steps recorded from here on that train them do so; one that was recorded before throws weft::Error when it is called the
  /// next time, and says to record and compile again. State is this optimizer's. Throws weft::Error when a parameter is in a group
  /// already, the name is taken, `with` has groups or clips, or this optimizer is a group's itself.
  void add_group(const std::string& name, std::vector<Parameter> parameters, const Optimizer& with);

  /// A state as torch's state_dict names it: state("fc1.weight", "exp_avg"). It exists once a program that trains the
  /// parameter is compiled, zero before its first step. Throws weft::Error with the nearest names.
  const Array& state(std::string_view parameter, std::string_view name) const;
  /// The learning rate, which schedules move.
  Hyper learning_rate() const;
  /// Steps made so far by all programs.
  int64_t steps() const;
  /// Of them, those that updated the parameter's state: torch's `step` of a parameter, from which bias corrections count. A parameter
  /// that joins later, or is frozen for a while, has fewer; plain SGD keeps no state.
  int64_t steps(const Parameter& parameter) const;
  /// The update op in the IR: "sgd", "adam".
  const std::string& op() const;

  const std::shared_ptr<detail::OptimizerCore>& core() const { return core_; }

 protected:
  explicit Optimizer(std::string op, std::source_location at);

  /// A run-time number of the update op. Where the op has a switch of that name, the number turns it on by not being 0
  /// when a training step is recorded.
  Hyper hyper(const std::string& name, double value, Hyper::Range range);
  /// A switch of the update op that no number turns on.
  void flag(const std::string& name, bool on);
  /// Throws weft::Error naming the optimizer and the user's line.
  [[noreturn]] void fail(const std::string& what) const;

 private:
  std::shared_ptr<detail::OptimizerCore> core_;
  std::source_location at_;

 public:
  /// How gradients are clipped before the update, over all groups; 0: not at all, and then setting it later makes the next
  /// step of a program recorded before throw weft::Error, as setting it to 0 later does (infinity clips nothing). First every element to [-clip_value, clip_value], then all
  /// gradients times min(1, clip_norm / (norm + 1e-6)), norm being the Euclidean norm of all of them together
  /// (torch.nn.utils.clip_grad_value_, clip_grad_norm_).
  Hyper clip_value, clip_norm;
};

}  // namespace weft::optim
