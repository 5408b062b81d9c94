#include "weft/passes/groups.h"

#include <algorithm>
#include <unordered_set>

#include "weft/ir/builder.h"

namespace weft::passes {

using ir::Op;
using ir::Value;

Groups::Groups(const ir::Graph& graph) : graph_(graph), dependencies_(graph) {
  for (const auto& op : graph.ops()) {
    const int id = static_cast<int>(members_.size());
    group_[op.get()] = id;
    position_[op.get()] = id;
    members_.push_back({op.get()});
  }
}

bool Groups::detour(int from, int to, bool count_direct) const {
  std::vector<int> stack{from};
  std::vector<bool> seen(members_.size());
  seen[static_cast<size_t>(from)] = true;
  while (!stack.empty()) {
    const int g = stack.back();
    stack.pop_back();
    for (const Op* op : members_[static_cast<size_t>(g)])
      for (const Op* next : dependencies_.after(op)) {
        const int n = group_.at(next);
        if (n == to && (g != from || count_direct)) return true;
        if (n == to || seen[static_cast<size_t>(n)]) continue;
        seen[static_cast<size_t>(n)] = true;
        stack.push_back(n);
      }
  }
  return false;
}

bool Groups::would_cycle(int a, int b) const { return detour(a, b, false) || detour(b, a, false); }

bool Groups::connected(int a, int b) const { return detour(a, b, true) || detour(b, a, true); }

std::vector<Op*> Groups::united(int a, int b) const {
  std::vector<Op*> all = ops(a);
  all.insert(all.end(), ops(b).begin(), ops(b).end());
  std::sort(all.begin(), all.end(), [&](const Op* x, const Op* y) { return position_.at(x) < position_.at(y); });
  return all;
}

void Groups::merge(int a, int b) {
  std::vector<Op*> all = united(a, b);
  for (const Op* op : all) group_[op] = a;
  members_[static_cast<size_t>(a)] = std::move(all);
  members_[static_cast<size_t>(b)].clear();
}

std::vector<Value> Groups::results_read_outside(const std::vector<Op*>& ops) const {
  const std::unordered_set<const Op*> inside(ops.begin(), ops.end());
  std::vector<Value> results;
  for (const Op* op : ops)
    for (Value v : op->results()) {
      const bool read = std::any_of(v.users().begin(), v.users().end(), [&](const Op* u) { return !inside.contains(u); });
      if (read || graph_.is_output(v)) results.push_back(v);
    }
  return results;
}

Op& outline(ir::Graph& graph, std::string_view name, const std::vector<Op*>& ops, const std::vector<Value>& results,
            ir::NamedAttributes attributes) {
  auto body = std::make_unique<ir::Graph>();
  std::unordered_map<Value, Value, ir::ValueHash> twin;
  std::vector<Value> operands;
  ir::Locations lines;
  for (const Op* op : ops) {
    std::vector<Value> inner;
    std::vector<ir::Type> types;
    for (Value v : op->operands()) {
      if (!twin.contains(v)) {
        twin[v] = body->add_input(fmt::format("x{}", operands.size()), v.type());
        operands.push_back(v);
      }
      inner.push_back(twin.at(v));
    }
    for (Value v : op->results()) types.push_back(v.type());
    Op& copy = body->insert(op->def(), std::move(inner), op->attributes(), std::move(types), op->locations());
    for (const auto& b : op->bodies()) copy.add_body(clone(*b));
    for (int i = 0; i < op->result_count(); ++i) twin[op->result(i)] = copy.result(i);
    merge(lines, op->locations());
  }
  for (Value v : results) body->add_output({"", twin.at(v), std::nullopt, {}});
  std::vector<std::unique_ptr<ir::Graph>> bodies;
  bodies.push_back(std::move(body));
  ir::Builder builder(graph, nullptr, lines);
  Op& region = builder.create(name, operands, std::move(attributes), std::move(bodies));
  for (size_t i = 0; i < results.size(); ++i) results[i].replace_all_uses_with(region.result(static_cast<int>(i)));
  for (auto at = ops.rbegin(); at != ops.rend(); ++at) graph.erase(**at);
  return region;
}

}  // namespace weft::passes
