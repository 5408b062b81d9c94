#include "weft/passes/analysis/boundaries.h"

#include <algorithm>
#include <map>
#include <set>

#include "weft/ir/op_def.h"

namespace weft::passes {
namespace {

using ir::Kind;
using ir::Op;
using ir::Value;

bool is_memory(const Op& op) { return op.def().kind == Kind::view || op.def().kind == Kind::constant; }

/// Would the value stay where it is made if the two groups were one?
bool is_read_elsewhere(Value v, const ir::Graph& graph, const Groups& groups, int maker, int reader) {
  if (graph.is_output(v)) return true;
  return std::any_of(v.users().begin(), v.users().end(), [&](const Op* user) {
    const int group = groups.of(user);
    if (group == maker || group == reader) return false;
    return runs(groups, group) || is_read_elsewhere(user->result(), graph, groups, maker, reader);
  });
}

struct Found {
  Boundary boundary;
  int64_t largest = -1;
  std::set<std::pair<const Op*, int>> values;
};

}  // namespace

bool runs(const Groups& groups, int group) { return groups.size(group) > 1 || !is_memory(*groups.ops(group).front()); }

std::vector<Boundary> boundaries(const ir::Graph& graph, const Groups& groups) {
  std::vector<Found> all;
  std::map<std::pair<int, int>, size_t> places;
  for (Op* reader : graph.ops()) {
    const int to = groups.of(reader);
    if (!runs(groups, to)) continue;
    for (Value v : reader->operands()) {
      Op* direct = reader;
      while (!v.is_input() && !runs(groups, groups.of(v.op())) && !v.op()->operands().empty()) direct = v.op(), v = direct->operand(0);
      if (v.is_input() || !runs(groups, groups.of(v.op())) || groups.of(v.op()) == to) continue;
      const int from = groups.of(v.op());
      const auto [at, is_new] = places.try_emplace({from, to}, all.size());
      if (is_new) all.push_back({{v, direct, reader, 0}});
      Found& found = all[at->second];
      if (!found.values.insert({v.op(), v.index()}).second) continue;
      const int64_t bytes = v.type().bytes();
      found.boundary.bytes += is_read_elsewhere(v, graph, groups, from, to) ? bytes : 2 * bytes;
      if (bytes <= found.largest) continue;
      found.largest = bytes;
      found.boundary.value = v, found.boundary.direct = direct, found.boundary.reader = reader;
    }
  }
  std::vector<Boundary> boundaries;
  for (const Found& found : all) boundaries.push_back(found.boundary);
  return boundaries;
}

}  // namespace weft::passes
