#pragma once
// What stands behind an Optimizer.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weft/frontend/optim/optimizer.h"
#include "weft/frontend/recording.h"

namespace weft::detail {

struct OptimizerCore {
  std::string op;
  std::vector<Hyper> hypers;  // named as the program's inputs: "adam.lr"
  ir::NamedAttributes flags;
  Array steps{i64, Shape{}};
  /// Parameters with numbers and switches of their own.
  struct Group {
    std::string name;
    std::vector<Parameter> parameters;
    std::shared_ptr<OptimizerCore> core;
  };
  std::vector<Group> groups;
  /// The rate that schedules start from: what it was when the first of them was made.
  std::optional<double> initial_lr;

  /// The states of one parameter, by name, and the name of the parameter.
  struct States {
    Parameter parameter;
    std::string name;
    std::map<std::string, Array, std::less<>> arrays;
  };
  std::vector<States> states;

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
};

}  // namespace weft::detail
