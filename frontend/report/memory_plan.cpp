#include "weft/frontend/report/memory_plan.h"

#include <algorithm>
#include <numeric>

#include "weft/frontend/report/rows.h"
#include "weft/ir/value_names.h"
#include "weft/passes/analysis/liveness.h"

namespace weft {
namespace detail {
namespace {

std::vector<PlannedValue> planned_values(const ir::Graph& graph) {
  const ir::ValueNames names(graph);
  const auto phases = running_phases(graph);
  std::vector<PlannedValue> values;
  for (const passes::Interval& i : passes::arena_intervals(graph)) {
    const ir::Op& op = *i.value.op();
    values.push_back({names.of(i.value), to_string(i.value.type()), origin_of(op, phases.at(&op)), i.value.type().bytes(),
                      i.value.offset().value_or(0), i.begin, i.end});
  }
  std::stable_sort(values.begin(), values.end(), [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  return values;
}

/// The bytes that at least one of them covers.
int64_t covered(std::vector<std::pair<int64_t, int64_t>>& ranges) {
  std::sort(ranges.begin(), ranges.end());
  int64_t sum = 0, end = 0;
  for (const auto& [first, last] : ranges)
    if (last > end) sum += last - std::max(first, end), end = last;
  return sum;
}

std::vector<int64_t> bytes_in_use(const std::vector<PlannedValue>& values, int ops) {
  std::vector<std::vector<size_t>> begins(static_cast<size_t>(ops));
  for (size_t i = 0; i < values.size(); ++i) begins[static_cast<size_t>(values[i].first)].push_back(i);
  std::vector<int64_t> all;
  std::vector<size_t> alive;
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (int op = 0; op < ops; ++op) {
    std::erase_if(alive, [&](size_t i) { return values[i].last < op; });
    const auto& begin = begins[static_cast<size_t>(op)];
    alive.insert(alive.end(), begin.begin(), begin.end());
    ranges.clear();
    for (size_t i : alive) ranges.emplace_back(values[i].offset, values[i].offset + values[i].bytes);
    all.push_back(covered(ranges));
  }
  return all;
}

std::vector<HeldInputs> held_inputs(const ir::Graph& graph) {
  std::vector<HeldInputs> all;
  for (ir::Role role : {ir::Role::batch, ir::Role::parameter, ir::Role::state, ir::Role::hyper, ir::Role::key}) {
    HeldInputs held{std::string(ir::name_of(role))};
    for (const ir::Input& input : graph.inputs())
      if (input.role == role) ++held.count, held.bytes += input.node->type.bytes();
    if (held.count > 0) all.push_back(held);
  }
  return all;
}

}  // namespace

MemoryPlan memory_plan(const ir::Module& planned) {
  MemoryPlan plan{.arena_bytes = planned.arena_bytes, .inputs = held_inputs(planned.graph())};
  if (!planned.arena_bytes) return plan;
  plan.values = planned_values(planned.graph());
  plan.in_use = bytes_in_use(plan.values, static_cast<int>(planned.graph().ops().size()));
  plan.peak = static_cast<int>(std::max_element(plan.in_use.begin(), plan.in_use.end()) - plan.in_use.begin());
  for (size_t i = 0; i < plan.values.size(); ++i)
    if (plan.values[i].first <= plan.peak && plan.peak <= plan.values[i].last) plan.at_peak.push_back(i);
  return plan;
}

}  // namespace detail

int64_t MemoryPlan::value_bytes() const {
  return std::accumulate(values.begin(), values.end(), int64_t{0}, [](int64_t sum, const PlannedValue& v) { return sum + v.bytes; });
}

std::string MemoryPlan::table() const {
  if (!arena_bytes) return "nothing was planned: the target keeps each value by itself\n";
  std::string text = fmt::format("arena: {} bytes for {} values of {} bytes in all; most are in use at op {}: {} bytes of {} values\n",
                                 *arena_bytes, values.size(), value_bytes(), peak, peak_bytes(), at_peak.size());
  for (const HeldInputs& held : inputs) text += fmt::format("{}: {} bytes in {}\n", held.role, held.bytes, held.count);
  text += fmt::format("{:>12} {:>12} {:>11} {:>7}  {}\n", "bytes", "offset", "ops", "at peak", "value");
  for (const PlannedValue& v : values)
    text += fmt::format("{:12} {:12} {:>11} {:>7}  {} {} of {} at {}\n", v.bytes, v.offset, fmt::format("{} to {}", v.first, v.last),
                        v.first <= peak && peak <= v.last ? "yes" : "", v.name, v.type, v.origin.op,
                        v.origin.layer.empty() ? v.origin.source : fmt::format("{} ({})", v.origin.source, v.origin.layer));
  return text;
}

}  // namespace weft
