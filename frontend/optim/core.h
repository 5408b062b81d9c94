#pragma once
// What stands behind an Optimizer.

#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "weft/frontend/language/recording.h"
#include "weft/frontend/optim/optimizer.h"

namespace weft::detail {

struct OptimizerCore {
  std::string op;
  std::vector<Hyper> hypers;  // named as the program's inputs: "adam.lr"
  ir::NamedAttributes flags;
  int64_t steps = 0;  // of all programs
  /// Parameters with numbers and switches of their own.
  struct Group {
    std::string name;
    std::vector<Parameter> parameters;
    std::shared_ptr<OptimizerCore> core;
  };
  std::vector<Group> groups;
  bool is_group = false;  // of another optimizer
  /// Of the random numbers of its training steps (see defaults.h).
  uint64_t stream = 0;
  /// The rate that schedules start from: what it was when the first of them was made.
  std::optional<double> initial_lr;

  /// The states of one parameter, by name, the name of the parameter, and how often it was updated by a rule that keeps states:
  /// torch's `step`.
  struct States {
    Parameter parameter;
    std::string name;
    std::map<std::string, Array, std::less<>> arrays = {};
    int64_t count = 0;
  };
  /// In the order in which they began; they never move.
  std::deque<States> states;
  /// What the programs so far train, each set once, sorted.
  std::vector<std::vector<const ParameterStorage*>> trained_together;

  /// The number called "<op>.<name>", or null.
  const Hyper* hyper(std::string_view name) const;
  /// Whether the number is not zero: what it scales is part of the program.
  bool is_on(std::string_view name) const { return hyper(name)->value() != 0; }
  /// The number that the program of this optimizer reads as its input `port`, its own or a group's; or null.
  Hyper* hyper_of_input(const std::string& port);
  /// The update op's attributes as the numbers stand now.
  ir::NamedAttributes attributes() const;
  /// The numbers that are switched off now, those of groups included.
  std::vector<OffSwitch> off() const;
  /// The state, made (zero, of this type and shape) on first use; `name` is what the parameter is called in the program.
  Array& state(const Parameter& parameter, const std::string& name, const std::string& state, DType dtype, const Shape& shape);
  /// The parameter's states, made (none, never updated) on first use.
  States& states_of(const Parameter& parameter, const std::string& name);
  /// Null when it has none.
  States* find_states(const Parameter& parameter);
  /// A number from 0 for each: equal ones were updated equally often, and every program so far trains both or neither. Null
  /// stands for a parameter whose rule keeps no states, and gets 0.
  Dims counters_of(const std::vector<const Parameter*>& parameters);
  /// A program trains these.
  void note_together(std::vector<const ParameterStorage*> parameters);

 private:
  std::unordered_map<const ParameterStorage*, States*> by_parameter_;
};

}  // namespace weft::detail
