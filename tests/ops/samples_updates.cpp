// Samples of what optimizers do to parameters.

#include <algorithm>

#include "weft/ir/ops/optimizer.h"
#include "weft/tests/ops/samples_parts.h"

namespace weft::testing {
namespace {

using ir::Type;

/// Where a hyper-parameter's samples lie, so that it matters in some sample of its op.
Interval interval_of(const std::string& hyper, bool first_step, bool high_floor) {
  if (hyper == "beta2_decay") return {-0.9, -0.5};
  if (hyper == "eps2") return {3, 4};  // above the parameter's own scale
  if (hyper == "step_size_min") return high_floor ? Interval{3, 4} : Interval{0.01, 0.1};
  if (hyper == "step_size_max") return first_step ? Interval{5, 9} : Interval{0.5, 0.6};
  // An iteration that converges.
  if (hyper == "ns_a") return {1.4, 1.6};
  if (hyper == "ns_b") return {-0.6, -0.4};
  if (hyper == "ns_c") return {0.05, 0.1};
  return {0.5, 0.9};
}

Sample update_sample(const ir::OptimizerSpec& spec, const Type& parameter, const std::vector<std::string>& on, bool first_step,
                     bool high_floor = false) {
  Sample s{spec.op, {parameter, parameter, {i64, {}}}};
  s.intervals = {{2, first_step ? Interval{1, 1} : Interval{2, 9}}};
  for (const ir::HyperSpec& h : spec.hypers) {
    s.intervals[static_cast<int>(s.operands.size())] = interval_of(h.name, first_step, high_floor);
    if (spec.op == "lion" && h.name == "beta1") s.constant.push_back(static_cast<int>(s.operands.size()));  // of whose sum a sign is used
    s.operands.push_back({f64, {}});
  }
  if (spec.rows) {
    s.operands[1].shape = parameter.shape.rank() == 1 ? Shape{2, 3} : Shape{6, parameter.shape[1]};
    s.operands.push_back({i64, parameter.shape.rank() == 1 ? Shape{2, 3} : Shape{6}});
  }
  for (const std::string& name : on) s.attributes.emplace_back(name, true);
  const auto is_on = [&](std::string_view name) { return std::count(on.begin(), on.end(), name) > 0; };
  const auto states = spec.states(parameter, is_on);
  for (size_t i = 0; i < states.size(); ++i) {
    const int operand = static_cast<int>(s.operands.size());
    // A running square, which comes first, is never below the square of a running mean.
    s.intervals[operand] = i == 0 ? Interval{1, 2} : Interval{0.5, 1};
    if (states[i].name == "prev") s.constant.push_back(operand);  // only its sign is used
    s.operands.push_back(states[i].type(parameter));
  }
  return s;
}

}  // namespace

/// Each update op with nothing switched on, with everything, and with each switch alone, for a matrix and a vector, and at
/// its first step.
void add_optimizers(std::vector<Sample>& all, DType t) {
  const Type matrix{t, {2, 3}}, vector{t, {5}};
  for (const ir::OptimizerSpec* spec : ir::all_optimizers()) {
    std::vector<std::vector<std::string>> choices{{}, {}};
    for (const ir::AttributeSpec& a : ir::op_def(spec->op).attributes) choices[1].push_back(a.name), choices.push_back({a.name});
    for (const Type& parameter : {matrix, vector})
      for (const auto& on : choices)
        if (!spec->rank || parameter.shape.rank() == *spec->rank) all.push_back(update_sample(*spec, parameter, on, false));
    all.push_back(update_sample(*spec, spec->rank ? matrix : vector, {}, true));
    all.push_back(update_sample(*spec, spec->rank ? matrix : vector, {}, true, true));
  }
}

}  // namespace weft::testing
