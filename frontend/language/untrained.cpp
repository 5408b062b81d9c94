#include "weft/frontend/language/untrained.h"

#include <algorithm>
#include <unordered_set>

#include "weft/frontend/language/recording.h"
#include "weft/passes/reverse.h"

namespace weft::detail {
namespace {

/// Whether a module has or had it. Others, which a program makes by themselves, may be constants: class weights, tables.
bool is_of_module(const Parameter& parameter) {
  const std::weak_ptr<const Owner>&owner = parameter.storage()->owner, none;
  return owner.owner_before(none) || none.owner_before(owner);
}

}  // namespace

std::vector<Untrained> untrained_of(const ir::Graph& graph, const std::vector<BoundParameter>& bound, ir::Value loss,
                                    const std::vector<Parameter>& given) {
  if (std::none_of(given.begin(), given.end(), is_of_module)) return {};
  std::vector<const Parameter*> others;
  std::vector<ir::Value> inputs;
  for (const BoundParameter& b : bound) {
    const Parameter& p = b.parameter;
    if (!p.requires_grad() || !is_of_module(p) || is_asked_for(p)) continue;
    others.push_back(&p);
    inputs.push_back(graph.find_input(b.input)->value());
  }
  if (others.empty()) return {};
  const auto active = passes::active_values(graph, inputs);
  std::unordered_set<ir::Value, ir::ValueHash> seen;
  std::vector<ir::Value> next{loss};
  while (!next.empty()) {
    const ir::Value v = next.back();
    next.pop_back();
    if (!active.contains(v) || !seen.insert(v).second || v.is_input()) continue;
    next.insert(next.end(), v.op()->operands().begin(), v.op()->operands().end());
  }
  std::vector<Untrained> all;
  for (size_t i = 0; i < others.size(); ++i)
    if (seen.contains(inputs[i])) all.push_back({*others[i], to_string(graph.inputs()[static_cast<size_t>(inputs[i].index())].locations)});
  return all;
}

}  // namespace weft::detail
