#include "weft/frontend/program/validation.h"

#include <cmath>
#include <cstdlib>

#include "weft/backends/reference/agreement.h"
#include "weft/support/error.h"
#include "weft/support/philox.h"

namespace weft::detail {
namespace {

using reference::Tensor;

/// Elements that follow from the input's name, so that every stage gets the same. Positive, as running squares must be, and
/// below 1, as rates of decay must be; counters and keys are 1.
Tensor sample_of(const ir::Input& input, const IndexBound& bound, double moved_ulps) {
  Tensor t(input.node->type);
  uint32_t site = 0;
  for (char c : input.node->name) site = site * 31 + static_cast<unsigned char>(c);
  for (size_t e = 0; e < t.real.size(); ++e) {
    const double x = static_cast<float>(0.0625 + 0.875 * uniform_from_bits(random_bits(1, site, 0, e)));
    t.real[e] = x * (1 + moved_ulps * std::ldexp(random_bits(1, site, 1, e) % 2 ? 1.0 : -1.0, -24));
  }
  const int64_t extent = input.node->type.dtype == boolean ? 2 : bound.high - bound.low;
  for (size_t e = 0; e < t.integer.size(); ++e)
    t.integer[e] = extent > 0 ? bound.low + static_cast<int64_t>(random_bits(1, site, 0, e)) % extent : 1;
  return t;
}

/// Of any op, in f32, f16 or bf16, relative to the largest value.
constexpr reference::Tolerance tolerance{.bound = 64 * 0x1p-24}, low_tolerance{.bound = 4 * 0x1p-8};

bool has_bf16(const ir::Graph& graph) {
  for (const ir::Op* op : graph.ops())
    for (const ir::Value v : op->results())
      if (is_narrow(v.dtype())) return true;
  return false;
}

}  // namespace

bool validates(std::optional<bool> option) {
  if (option) return *option;
  const char* variable = std::getenv("WEFT_VALIDATE");
  const std::string text = variable ? variable : "0";
  if (text != "0" && text != "1" && !text.empty()) throw Error("WEFT_VALIDATE must be 0 or 1, not '{}'", text);
  return text == "1";
}

Validation::Validation(const ir::Module& recorded) : index_bounds_(index_bounds(recorded.graph())) {
  exact_ = evaluate(recorded, 0);
  moved_ = evaluate(recorded, 1);
  low_precision_ = has_bf16(recorded.graph());
}

Validation::Tensors Validation::evaluate(const ir::Module& module, double moved_ulps) const {
  std::vector<Tensor> inputs;
  for (const ir::Input& input : module.graph().inputs()) {
    const auto bound = index_bounds_.find(input.node->name);
    inputs.push_back(sample_of(input, bound == index_bounds_.end() ? IndexBound{} : bound->second, moved_ulps));
  }
  const std::vector<Tensor> values = reference::evaluate(module.graph(), inputs);
  Tensors outputs;
  for (size_t i = 0; i < values.size(); ++i) outputs.emplace(module.graph().outputs()[i].name, values[i]);
  return outputs;
}

void Validation::check(const ir::Module& module, const std::string& pass) {
  Tensors exact = evaluate(module, 0), moved = evaluate(module, 1);
  for (const auto& [name, before] : exact_) {
    const auto now = exact.find(name);
    if (now == exact.end()) continue;  // a gradient that training_step uses up
    const Tensor* const moved_before[] = {&moved_.at(name)};
    if (const auto wrong = reference::disagreement(now->second, before, moved_before, low_precision_ ? low_tolerance : tolerance))
      throw InternalError(fmt::format("the pass '{}' has changed the output '{}': {}", pass, name, *wrong));
  }
  exact_ = std::move(exact);
  moved_ = std::move(moved);
}

}  // namespace weft::detail
