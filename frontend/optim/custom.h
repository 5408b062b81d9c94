#pragma once
// Optimizers of a program's own: a rule, once, and any number of optimizers that follow it.
//
//   const optim::Rule signum("signum", {.numbers = {{"lr", 0.01, {.low = 0}}, {"beta", 0.9}}, .states = {"momentum"}}, [](optim::Update& u) {
//     const Tensor m = u["beta"] * u.state("momentum") + (1 - u["beta"]) * u.gradient;
//     u.set("momentum", m);
//     return u.parameter - u["lr"] * sign(m);
//   });
//   ...
//   optim::Custom opt(signum, {{"lr", 1e-3}});
//   Step step = compile(training_step(graph, loss, net.parameters(), opt), Target::cpu());
//   opt["lr"] = 5e-4;                          // read at every step, as every optimizer's numbers
//
// It is an Optimizer like any other: Trainer, groups, clipping, schedules (which move the number "lr"), checkpoints with its states. The
// rule becomes an update op of that name, and is fused as ours are; a program in text that names it is read by programs that make the
// rule first, as with register_op().

#include <functional>
#include <source_location>
#include <string>
#include <utility>
#include <vector>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/optim/optimizer.h"

namespace weft::ir {
struct ProgramRule;
}

namespace weft::optim {

/// What a rule is given, for one parameter, and what it makes of its states.
class Update {
 public:
  Tensor parameter, gradient;  // of one type and shape
  Tensor step;                 // f64[], the number of this step, from 1

  /// A number of the optimizer, f64[]. Throws weft::Error, with the nearest names, when the rule has none of that name.
  Tensor operator[](const std::string& number) const;
  /// A state as the step before left it. Throws as above.
  Tensor state(const std::string& name) const;
  /// What it becomes, of its type; as it was where nothing is set. Throws as above.
  void set(const std::string& name, Tensor value);

 private:
  friend class Rule;
  std::vector<std::pair<std::string, Tensor>> numbers_, states_, next_;
};

/// A number that programs read at every step.
struct RuleNumber {
  std::string name;
  double value;  // unless the optimizer gives another
  Hyper::Range range = {};
};

struct RuleOptions {
  std::vector<RuleNumber> numbers;
  std::vector<std::string> states = {};   // tensors like the parameter, zero before the first step
  std::vector<std::string> scalars = {};  // states that are one number, f64[], zero before the first step
  std::string doc = "an update rule of the program's own";
};

/// How a parameter is updated. It gives the parameter's successor, which has its type, and records tensor expressions of what it is given,
/// and nothing else: no parameters, random numbers or updates. It is called for each parameter's shape.
class Rule {
 public:
  /// One of the numbers must be "lr". Throws weft::Error, naming the line, when none is, the name is taken by an op, names are taken twice
  /// or are none of the text form, and when the rule gives other shapes or uses what it is not given.
  Rule(std::string name, RuleOptions options, std::function<Tensor(Update&)> update,
       std::source_location at = std::source_location::current());

  const std::string& name() const { return name_; }
  const std::vector<RuleNumber>& numbers() const { return numbers_; }

 private:
  ir::ProgramRule rule_of(const RuleOptions& options, std::function<Tensor(Update&)> update) const;

  std::string name_;
  std::vector<RuleNumber> numbers_;
};

class Custom : public Optimizer {
 public:
  /// Throws weft::Error, naming the line, for a number that the rule does not have, and one outside of its range.
  explicit Custom(const Rule& rule, const std::vector<std::pair<std::string, double>>& numbers = {},
                  std::source_location at = std::source_location::current());
  /// Throws weft::Error, with the nearest names, when there is no such number.
  Hyper operator[](const std::string& number) const;
};

}  // namespace weft::optim
