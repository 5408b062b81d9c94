#include "weft/passes/analysis/groups.h"

#include <algorithm>
#include <iterator>
#include <memory_resource>
#include <unordered_map>
#include <utility>

#include "weft/ir/builder.h"
#include "weft/support/error.h"
#include "weft/support/work.h"

namespace weft::passes {

using ir::Op;
using ir::Value;

namespace {

/// So many edges are followed before the answer is taken to be the one that forbids. Where groups stand far apart and no
/// path is known this bounds what one question costs.
constexpr int most_steps = 2000;

std::vector<int> completed(std::vector<int> order, int count) {
  // Ops in a circle have no right place: whoever sorts the graph finds them.
  std::vector<bool> placed(static_cast<size_t>(count));
  for (int op : order) placed[static_cast<size_t>(op)] = true;
  for (int op = 0; op < count; ++op)
    if (!placed[static_cast<size_t>(op)]) order.push_back(op);
  return order;
}

std::vector<int> places_in(const std::vector<int>& order) {
  std::vector<int> place(order.size());
  for (size_t i = 0; i < order.size(); ++i) place[static_cast<size_t>(order[i])] = static_cast<int>(i);
  return place;
}

}  // namespace

Groups::Groups(const ir::Graph& graph)
    : graph_(graph), dependencies_(graph), sorted_(completed(dependencies_.order(), dependencies_.count())), place_(places_in(sorted_)),
      paths_(dependencies_, sorted_, place_), order_(sorted_), next_(sorted_.size(), -1), asked_(sorted_.size(), 0),
      mark_(sorted_.size(), 0) {
  for (int op = 0; op < dependencies_.count(); ++op) {
    group_.push_back(op);
    groups_.push_back({.first = op,
                       .last = op,
                       .edges_before = std::ssize(dependencies_.before(op)),
                       .edges_after = std::ssize(dependencies_.after(op)),
                       .lowest = op,
                       .highest = op});
  }
}

std::vector<int> Groups::sorted(int g) const {
  Group& all = groups_[static_cast<size_t>(g)];
  std::vector<int> ops;
  if (all.size == 0) return ops;
  ops.reserve(size(g));
  for (int op = all.first; op >= 0; op = next(op)) ops.push_back(op);
  if (std::exchange(all.sorted, true)) return ops;
  std::sort(ops.begin(), ops.end());
  for (size_t i = 0; i + 1 < ops.size(); ++i) next_[static_cast<size_t>(ops[i])] = ops[i + 1];
  all.first = ops.front(), all.last = ops.back();
  next_[static_cast<size_t>(all.last)] = -1;
  return ops;
}

std::vector<Op*> Groups::ops(int group) const {
  std::vector<Op*> all;
  for (int op : sorted(group)) all.push_back(dependencies_.op(op));
  return all;
}

std::vector<int> Groups::in_order() const {
  std::vector<int> groups;
  for (int g = 0; g < count(); ++g)
    if (size(g) > 0) groups.push_back(g);
  std::sort(groups.begin(), groups.end(), [&](int x, int y) { return order_.precedes(x, y); });
  return groups;
}

std::vector<int> Groups::neighbours(int g, bool after) const {
  std::vector<int> all;
  for (int op = group(g).first; op >= 0; op = next(op))
    for (int other : after ? dependencies_.after(op) : dependencies_.before(op))
      if (group_of(other) != g) all.push_back(group_of(other));
  return all;
}

bool Groups::step(Walk& walk, bool forward, int from, int to) {
  const int current = walk.seen[walk.at];
  if (walk.op < 0) walk.op = group(current).first;
  const std::span<const int> edges = forward ? dependencies_.after(walk.op) : dependencies_.before(walk.op);
  if (walk.edge == edges.size()) {
    walk.edge = 0;
    walk.op = next(walk.op);
    if (walk.op < 0) ++walk.at;
    return false;
  }
  const int other = group_of(edges[walk.edge++]);
  if (other == current) return false;
  // An edge from one end to the other is no detour.
  if (other == from || other == to) return current != from && current != to;
  const int own_mark = 2 * searches_ + !forward, other_mark = 2 * searches_ + forward;
  int& mark = mark_[static_cast<size_t>(other)];
  if (mark == other_mark) return true;
  if (mark == own_mark) return false;
  if (forward ? order_.precedes(to, other) : order_.precedes(other, from)) return false;
  if (forward ? paths_.has(group(other).lowest, group(to).highest) : paths_.has(group(from).lowest, group(other).highest)) return true;
  mark = own_mark;
  walk.seen.push_back(other);
  return false;
}

bool Groups::would_cycle(int a, int b) {
  const int from = order_.precedes(a, b) ? a : b, to = from == a ? b : a;
  ++searches_;
  Walk ahead{{from}}, back{{to}};
  bool path = false, forward = true;
  int steps = 0;
  for (; !path && !ahead.done() && !back.done() && steps < most_steps; forward = !forward, ++steps)
    path = step(forward ? ahead : back, forward, from, to);
  count_work(steps);
  path = path || (!ahead.done() && !back.done());
  const bool went_ahead = ahead.done();
  std::vector<int>& seen = went_ahead ? ahead.seen : back.seen;
  seen.erase(seen.begin());
  last_search_ = {from, to, path, went_ahead, std::move(seen)};
  return path;
}

bool Groups::has_direct(int from, int to) const {
  const bool ahead = group(from).edges_after <= group(to).edges_before;
  count_work(ahead ? group(from).edges_after : group(to).edges_before);
  for (int op = group(ahead ? from : to).first; op >= 0; op = next(op))
    for (int other : ahead ? dependencies_.after(op) : dependencies_.before(op))
      if (group_of(other) == (ahead ? to : from)) return true;
  return false;
}

bool Groups::connected(int a, int b) {
  const bool known = (last_search_.first == a && last_search_.second == b) || (last_search_.first == b && last_search_.second == a);
  if (known ? last_search_.path : would_cycle(a, b)) return true;
  return has_direct(last_search_.first, last_search_.second);
}

bool Groups::share_a_result(int a, int b) const {
  const auto reads = [&](int reader, int maker) {
    for (int number = group(reader).first; number >= 0; number = next(number)) {
      const Op& op = *dependencies_.op(number);
      count_work(static_cast<int64_t>(op.operands().size()));
      for (Value v : op.operands())
        if (!v.is_input() && of(v.op()) == maker) return true;
    }
    return false;
  };
  return reads(a, b) || reads(b, a);
}

std::vector<Op*> Groups::united(int a, int b) const {
  const std::vector<int> x = sorted(a), y = sorted(b);
  std::vector<int> numbers(x.size() + y.size());
  std::merge(x.begin(), x.end(), y.begin(), y.end(), numbers.begin());
  std::vector<Op*> all;
  all.reserve(numbers.size());
  for (int op : numbers) all.push_back(dependencies_.op(op));
  count_work(static_cast<int64_t>(all.size()));
  return all;
}

void Groups::merge(int a, int b) {
  const bool known = (last_search_.first == a && last_search_.second == b) || (last_search_.first == b && last_search_.second == a);
  WEFT_CHECK(!(known ? last_search_.path : would_cycle(a, b)), "merged groups would wait for each other");
  const int from = last_search_.first, to = last_search_.second;
  // What follows the first moves behind the second, or what leads to the second before the first.
  std::vector<int>& moved = last_search_.seen;
  std::sort(moved.begin(), moved.end(), [&](int x, int y) { return order_.precedes(x, y); });
  const bool forward = last_search_.forward;
  int place = forward ? to : from;
  if (forward)
    for (int g : moved) order_.move_behind(g, place), place = g;
  else
    for (auto at = moved.rbegin(); at != moved.rend(); ++at) order_.move_before(*at, place), place = *at;
  // The merged group stands where the one of them stood that nothing moved across.
  order_.move_behind(a, forward ? to : from);
  order_.remove(b);
  Group &keep = group(a), &gone = group(b);
  for (int op = gone.first; op >= 0; op = next(op)) group_[static_cast<size_t>(op)] = a;
  count_work(gone.size);
  next_[static_cast<size_t>(keep.last)] = gone.first;
  const auto before = [&](int x, int y) { return place_[static_cast<size_t>(x)] < place_[static_cast<size_t>(y)]; };
  keep = {.first = keep.first,
          .last = gone.last,
          .size = keep.size + gone.size,
          .edges_before = keep.edges_before + gone.edges_before,
          .edges_after = keep.edges_after + gone.edges_after,
          .lowest = std::min(keep.lowest, gone.lowest, before),
          .highest = std::max(keep.highest, gone.highest, before),
          .sorted = false};
  gone.size = 0;
  last_search_.first = last_search_.second = -1;
}

std::vector<int> Groups::between(int a, int b) const {
  for (const auto& [from, to] : {std::pair(a, b), std::pair(b, a)}) {
    std::vector<bool> needed(groups_.size());
    std::vector<int> open = before(to);
    while (!open.empty()) {
      const int g = open.back();
      open.pop_back();
      if (g == from || g == to || needed[static_cast<size_t>(g)]) continue;
      needed[static_cast<size_t>(g)] = true;
      const std::vector<int> more = before(g);
      open.insert(open.end(), more.begin(), more.end());
    }
    std::vector<int> found;
    const auto take = [&](int g) {
      if (needed[static_cast<size_t>(g)]) needed[static_cast<size_t>(g)] = false, found.push_back(g);
    };
    for (int g : after(from)) take(g);
    for (size_t i = 0; i < found.size(); ++i)
      for (int g : after(found[i])) take(g);
    if (!found.empty()) return found;
  }
  return {};
}

std::vector<Value> Groups::results_read_outside(const std::vector<Op*>& ops) const {
  ++questions_;
  for (const Op* op : ops) asked_[number(op)] = questions_;
  const auto is_outside = [&](const Op* op) {
    const int n = dependencies_.number(op);
    return n < 0 || asked_[static_cast<size_t>(n)] != questions_;
  };
  std::vector<Value> results;
  for (const Op* op : ops)
    for (Value v : op->results())
      if (graph_.is_output(v) || std::any_of(v.users().begin(), v.users().end(), is_outside)) results.push_back(v);
  return results;
}

namespace {

/// Is it one for many, of which each group that reads it gets a copy: constants, views, slices of a random key, single numbers?
bool serves_many(const Op& op) {
  const ir::Kind kind = op.def().kind;
  return kind == ir::Kind::constant || kind == ir::Kind::view || kind == ir::Kind::movement || kind == ir::Kind::index ||
         (op.def().is_elementwise() && op.result().shape().numel() == 1);
}

/// Of one layer, or one is inside the other; outside of all of one line.
bool is_near(const ir::Location& a, const ir::Location& b) {
  const auto holds = [](const std::string& outer, const std::string& inner) {
    return inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '.');
  };
  if (a.scope.empty() || b.scope.empty()) return a.scope == b.scope && a.line == b.line && a.file == b.file;
  return holds(a.scope, b.scope) || holds(b.scope, a.scope);
}

/// What was computed once for several layers is in a group for those that read it there.
void narrow_lines(const ir::Graph& body) {
  const std::vector<Op*> ops(body.ops().begin(), body.ops().end());
  for (auto at = ops.rbegin(); at != ops.rend(); ++at) {
    Op& op = **at;
    if (!serves_many(op) || op.locations().size() < 2 || body.is_output(op.result())) continue;
    const auto is_read_near = [&](const ir::Location& line) {
      for (const Op* reader : op.result().users())
        for (const ir::Location& of : reader->locations())
          if (!of.read && is_near(line, of)) return true;
      return false;
    };
    std::vector<ir::Location> kept;
    bool is_known = false;
    for (const ir::Location& line : op.locations()) {
      const bool of_text = line.read && line.scope.empty();
      if (!of_text && !is_read_near(line)) continue;
      kept.push_back(line);
      is_known = is_known || !line.read;
    }
    if (is_known) op.set_locations(ir::Locations(std::move(kept), op.locations().phases()));
  }
}

}  // namespace

Op& outline(ir::Graph& graph, std::string_view name, const std::vector<Op*>& ops, const std::vector<Value>& results,
            ir::NamedAttributes attributes) {
  auto body = std::make_unique<ir::Graph>();
  std::pmr::monotonic_buffer_resource memory;
  std::pmr::unordered_map<Value, Value, ir::ValueHash> twin(&memory);
  std::vector<Value> operands, inner;
  for (const Op* op : ops) {
    inner.clear();
    for (Value v : op->operands()) {
      if (!twin.contains(v)) {
        twin[v] = body->add_input(fmt::format("x{}", operands.size()), v.type());
        operands.push_back(v);
      }
      inner.push_back(twin.at(v));
    }
    Op& copy = body->insert_copy(*op, inner);
    for (int i = 0; i < op->result_count(); ++i) twin[op->result(i)] = copy.result(i);
  }
  for (Value v : results) body->add_output({"", twin.at(v), std::nullopt, {}});
  narrow_lines(*body);
  std::vector<ir::Location> lines;
  ir::Phases phases;
  for (const Op* op : body->ops()) merge(lines, op->locations()), phases.add(op->locations().phases());
  std::vector<std::unique_ptr<ir::Graph>> bodies;
  bodies.push_back(std::move(body));
  ir::Builder builder(graph, nullptr, ir::Locations(std::move(lines), phases));
  Op& region = builder.create(name, operands, std::move(attributes), std::move(bodies));
  for (size_t i = 0; i < results.size(); ++i) results[i].replace_all_uses_with(region.result(static_cast<int>(i)));
  for (auto at = ops.rbegin(); at != ops.rend(); ++at) graph.erase(**at);
  return region;
}

}  // namespace weft::passes
