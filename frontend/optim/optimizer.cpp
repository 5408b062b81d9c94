#include "weft/frontend/optim/optimizer.h"

#include <algorithm>

#include "weft/frontend/optim/core.h"
#include "weft/frontend/scope.h"
#include "weft/ir/op_def.h"

namespace weft {

using detail::OptimizerCore;

const Hyper* OptimizerCore::switched_by(const std::string& attribute) const {
  for (const Hyper& h : hypers)
    if (h.name() == op + "." + attribute) return &h;
  return nullptr;
}

ir::NamedAttributes OptimizerCore::attributes() const {
  ir::NamedAttributes all;
  for (const ir::AttributeSpec& spec : ir::op_def(op).attributes)
    if (const Hyper* h = switched_by(spec.name)) all.emplace_back(spec.name, h->value() != 0);
  all.insert(all.end(), flags.begin(), flags.end());
  return all;
}

std::vector<detail::OffSwitch> OptimizerCore::off() const {
  std::vector<OffSwitch> all;
  for (const ir::AttributeSpec& spec : ir::op_def(op).attributes)
    if (const Hyper* h = switched_by(spec.name); h && h->value() == 0)
      all.push_back({*h, "the update was built without it"});
  return all;
}

Array& OptimizerCore::state(const Parameter& parameter, const std::string& name, const std::string& state, DType dtype,
                            const Shape& shape) {
  auto known = std::find_if(states.begin(), states.end(), [&](const States& s) { return s.parameter.is(parameter); });
  if (known == states.end()) known = states.insert(states.end(), {parameter, name, {}});
  return known->arrays.try_emplace(state, dtype, shape).first->second;
}

namespace optim {

Optimizer::Optimizer(std::string op, std::source_location at) : core_(std::make_shared<OptimizerCore>()), at_(at) {
  core_->op = std::move(op);
}

const Array& Optimizer::state(std::string_view parameter, std::string_view name) const {
  std::vector<std::string> parameters, names;
  for (const OptimizerCore::States& known : core_->states) {
    parameters.push_back(known.name);
    if (known.name != parameter && known.parameter.name() != parameter) continue;
    if (const auto found = known.arrays.find(name); found != known.arrays.end()) return found->second;
    for (const auto& [other, array] : known.arrays) names.push_back(other);
    throw Error("{} keeps no state '{}' of '{}'{}", op(), name, parameter, did_you_mean(name, names));
  }
  throw Error("{} keeps no state of a parameter '{}'{}; it begins when a training step is compiled", op(), parameter,
              did_you_mean(parameter, parameters));
}

Hyper Optimizer::learning_rate() const {
  for (const Hyper& h : core_->hypers)
    if (h.name() == op() + ".lr") return h;
  throw InternalError(fmt::format("{} has no learning rate", op()));
}

int64_t Optimizer::steps() const { return core_->steps.values<int64_t>()[0]; }
const std::string& Optimizer::op() const { return core_->op; }

Hyper Optimizer::hyper(const std::string& name, double value, Hyper::Range range) try {
  core_->hypers.push_back(Hyper(op() + "." + name, value, range));
  return core_->hypers.back();
} catch (const Error& e) {
  fail(e.what());
}

void Optimizer::flag(const std::string& name, bool on) { core_->flags.emplace_back(name, on); }

void Optimizer::fail(const std::string& what) const { throw Error("{}, at {}", what, detail::line_text(at_)); }

}  // namespace optim
}  // namespace weft
