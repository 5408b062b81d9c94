#include "weft/passes/groups.h"

#include <algorithm>
#include <functional>
#include <iterator>
#include <memory_resource>

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

/// Appends the shorter list to the longer.
template <class T>
std::vector<T> joined(std::vector<T>& a, std::vector<T>& b) {
  if (a.size() < b.size()) a.swap(b);
  a.insert(a.end(), b.begin(), b.end());
  count_work(static_cast<int64_t>(b.size()));
  b = {};
  return std::move(a);
}

}  // namespace

Groups::Groups(const ir::Graph& graph)
    : graph_(graph), dependencies_(graph), sorted_(completed(dependencies_.order(), dependencies_.count())), place_(places_in(sorted_)),
      paths_(dependencies_, sorted_, place_), order_(sorted_), is_sorted_(sorted_.size(), true), mark_(sorted_.size(), 0) {
  for (int op = 0; op < dependencies_.count(); ++op) {
    group_.push_back(op);
    members_.push_back({dependencies_.op(op)});
    before_.push_back(dependencies_.before(op));
    after_.push_back(dependencies_.after(op));
    first_.push_back(op);
    last_.push_back(op);
  }
}

const std::vector<Op*>& Groups::ops(int group) const {
  const auto g = static_cast<size_t>(group);
  if (!is_sorted_[g]) {
    std::sort(members_[g].begin(), members_[g].end(), [&](const Op* x, const Op* y) { return number(x) < number(y); });
    is_sorted_[g] = true;
  }
  return members_[g];
}

std::vector<int> Groups::in_order() const {
  std::vector<int> groups;
  for (int g = 0; g < count(); ++g)
    if (size(g) > 0) groups.push_back(g);
  std::sort(groups.begin(), groups.end(), [&](int x, int y) { return order_.precedes(x, y); });
  return groups;
}

std::vector<int> Groups::before(int group) const {
  std::vector<int> groups;
  for (int op : before_[static_cast<size_t>(group)])
    if (group_of(op) != group) groups.push_back(group_of(op));
  return groups;
}

std::vector<int> Groups::after(int group) const {
  std::vector<int> groups;
  for (int op : after_[static_cast<size_t>(group)])
    if (group_of(op) != group) groups.push_back(group_of(op));
  return groups;
}

bool Groups::step(Walk& walk, bool forward, int from, int to) {
  const int group = walk.seen[walk.at];
  const std::vector<int>& edges = (forward ? after_ : before_)[static_cast<size_t>(group)];
  if (walk.edge == edges.size()) {
    ++walk.at;
    walk.edge = 0;
    return false;
  }
  const int next = group_of(edges[walk.edge++]);
  if (next == group) return false;
  // An edge from one end to the other is no detour.
  if (next == from || next == to) return group != from && group != to;
  const int own = 2 * searches_ + !forward, other = 2 * searches_ + forward;
  int& mark = mark_[static_cast<size_t>(next)];
  if (mark == other) return true;
  if (mark == own) return false;
  if (forward ? order_.precedes(to, next) : order_.precedes(next, from)) return false;
  const auto first = [&](int g) { return first_[static_cast<size_t>(g)]; };
  const auto last = [&](int g) { return last_[static_cast<size_t>(g)]; };
  if (forward ? paths_.has(first(next), last(to)) : paths_.has(first(from), last(next))) return true;
  mark = own;
  walk.seen.push_back(next);
  return false;
}

bool Groups::would_cycle(int a, int b) {
  const int from = order_.precedes(a, b) ? a : b, to = from == a ? b : a;
  ++searches_;
  Walk ahead{{from}}, back{{to}};
  bool path = false, forward = true;
  int steps = 0;
  for (; !path && !ahead.done() && !back.done() && steps < most_steps; forward = !forward, ++steps) path = step(forward ? ahead : back, forward, from, to);
  count_work(steps);
  path = path || (!ahead.done() && !back.done());
  const bool went_ahead = ahead.done();
  std::vector<int>& seen = went_ahead ? ahead.seen : back.seen;
  seen.erase(seen.begin());
  last_search_ = {from, to, path, went_ahead, std::move(seen)};
  return path;
}

bool Groups::has_direct(int from, int to) const {
  const std::vector<int>&after = after_[static_cast<size_t>(from)], &before = before_[static_cast<size_t>(to)];
  count_work(static_cast<int64_t>(std::min(after.size(), before.size())));
  if (after.size() <= before.size()) return std::any_of(after.begin(), after.end(), [&](int op) { return group_of(op) == to; });
  return std::any_of(before.begin(), before.end(), [&](int op) { return group_of(op) == from; });
}

bool Groups::connected(int a, int b) {
  const bool known = (last_search_.first == a && last_search_.second == b) || (last_search_.first == b && last_search_.second == a);
  if (known ? last_search_.path : would_cycle(a, b)) return true;
  return has_direct(last_search_.first, last_search_.second);
}

std::vector<Op*> Groups::united(int a, int b) const {
  const std::vector<Op*>&x = ops(a), &y = ops(b);
  std::vector<Op*> all;
  std::merge(x.begin(), x.end(), y.begin(), y.end(), std::back_inserter(all), [&](const Op* p, const Op* q) { return number(p) < number(q); });
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
  const auto keep = static_cast<size_t>(a), gone = static_cast<size_t>(b);
  for (const Op* op : members_[gone]) group_[number(op)] = a;
  members_[keep] = joined(members_[keep], members_[gone]);
  before_[keep] = joined(before_[keep], before_[gone]);
  after_[keep] = joined(after_[keep], after_[gone]);
  is_sorted_[keep] = false;
  const auto place_of = [&](int op) { return place_[static_cast<size_t>(op)]; };
  first_[keep] = std::min(first_[keep], first_[gone], [&](int x, int y) { return place_of(x) < place_of(y); });
  last_[keep] = std::max(last_[keep], last_[gone], [&](int x, int y) { return place_of(x) < place_of(y); });
  last_search_.first = last_search_.second = -1;
}

std::vector<Value> Groups::results_read_outside(const std::vector<Op*>& ops) const {
  std::vector<const Op*> inside(ops.begin(), ops.end());
  std::sort(inside.begin(), inside.end(), std::less<>());
  std::vector<Value> results;
  for (const Op* op : ops)
    for (Value v : op->results()) {
      const bool read = std::any_of(v.users().begin(), v.users().end(), [&](const Op* u) { return !std::binary_search(inside.begin(), inside.end(), u, std::less<>()); });
      if (read || graph_.is_output(v)) results.push_back(v);
    }
  return results;
}

Op& outline(ir::Graph& graph, std::string_view name, const std::vector<Op*>& ops, const std::vector<Value>& results,
            ir::NamedAttributes attributes) {
  auto body = std::make_unique<ir::Graph>();
  std::pmr::monotonic_buffer_resource memory;
  std::pmr::unordered_map<Value, Value, ir::ValueHash> twin(&memory);
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
