// groups: the answers are those of a search of the whole graph, and the order stays right.

#include "weft/passes/analysis/groups.h"

#include <algorithm>
#include <set>

#include "weft/ir/builder.h"
#include "weft/tests/catch.h"

using namespace weft;
using ir::Op;
using passes::Groups;

namespace {

/// Small numbers by seed and call.
class Draw {
 public:
  explicit Draw(uint64_t seed) : seed_(seed) {}
  size_t operator()(size_t below) {
    state_ = state_ * 6364136223846793005u + 2 * seed_ + 1;
    return static_cast<size_t>(state_ >> 33) % below;
  }

 private:
  uint64_t seed_, state_ = 99;
};

/// Ops that each read two values, mostly such as were made not long before.
std::unique_ptr<ir::Graph> random_graph(Draw& draw, size_t ops) {
  auto graph = std::make_unique<ir::Graph>("g");
  std::vector<ir::Value> values{graph->add_input("x", {f32, {4}}), graph->add_input("w", {f32, {4}}, ir::Role::state)};
  ir::Builder b(*graph);
  const size_t reach = 2 + draw(12);
  for (size_t i = 0; i < ops; ++i) {
    const auto some = [&] { return values[draw(5) ? values.size() - 1 - draw(std::min(values.size(), reach)) : draw(values.size())]; };
    values.push_back(b("add", {some(), some()}));
  }
  graph->add_output({"y", values.back(), {}, {}});
  if (draw(2)) graph->add_output({"w", values[values.size() - 1 - draw(4)], 1, {}});
  return graph;
}

/// Does a path lead from one group to another, over a third one if that is asked?
bool has_path(const Groups& groups, int from, int to, bool detour) {
  std::vector<int> stack;
  std::set<int> seen;
  for (int next : groups.after(from))
    if (next != to) stack.push_back(next);
    else if (!detour) return true;
  while (!stack.empty()) {
    const int g = stack.back();
    stack.pop_back();
    if (g == to) return true;
    if (g == from || !seen.insert(g).second) continue;
    for (int next : groups.after(g)) stack.push_back(next);
  }
  return false;
}

void check_order(const Groups& groups) {
  const std::vector<int> order = groups.in_order();
  std::vector<size_t> place(static_cast<size_t>(groups.count()));
  for (size_t i = 0; i < order.size(); ++i) place[static_cast<size_t>(order[i])] = i;
  for (int g : order)
    for (int next : groups.after(g)) REQUIRE(place[static_cast<size_t>(g)] < place[static_cast<size_t>(next)]);
}

}  // namespace

TEST_CASE("groups: random merges keep an order, and the answers are a whole search's", "[passes][groups]") {
  int merged = 0, refused = 0;
  for (uint64_t seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    Draw draw(seed);
    const auto graph = random_graph(draw, 10 + draw(60));
    if (!passes::circular_updates(*graph).empty()) continue;
    Groups groups(*graph);
    check_order(groups);
    for (int attempt = 0; attempt < 80; ++attempt) {
      const std::vector<int> all = groups.in_order();
      if (all.size() < 2) break;
      const int a = all[draw(all.size())], b = all[draw(all.size())];
      if (a == b) continue;
      const bool cycle = has_path(groups, a, b, true) || has_path(groups, b, a, true);
      REQUIRE(groups.would_cycle(a, b) == cycle);
      REQUIRE(groups.connected(a, b) == (has_path(groups, a, b, false) || has_path(groups, b, a, false)));
      if (cycle) {
        ++refused;
        continue;
      }
      const size_t size = groups.size(a) + groups.size(b);
      groups.merge(a, b);
      ++merged;
      REQUIRE(groups.size(a) == size);
      REQUIRE(groups.size(b) == 0);
      const std::vector<Op*> ops = groups.ops(a);
      REQUIRE(std::is_sorted(ops.begin(), ops.end(), [&](const Op* x, const Op* y) {
        const auto number = [&](const Op* op) {
          return std::distance(graph->ops().begin(),
                               std::find_if(graph->ops().begin(), graph->ops().end(), [&](const auto& o) { return o == op; }));
        };
        return number(x) < number(y);
      }));
      check_order(groups);
    }
  }
  CHECK(merged > 1000);
  CHECK(refused > 1000);
}

TEST_CASE("order list: members compare as they stand in a list, however they are moved", "[passes][groups]") {
  Draw draw(7);
  for (const size_t count : {1, 2, 3, 50}) {
    std::vector<int> order(count);
    for (size_t i = 0; i < count; ++i) order[i] = static_cast<int>(count - 1 - i);
    passes::OrderList list(order);
    std::vector<int> expected = order;
    for (int move = 0; move < 3000; ++move) {
      // Mostly to one and the same place, where labels run out.
      const int member = static_cast<int>(draw(count)), place = move % 3 ? expected[count / 2] : static_cast<int>(draw(count));
      if (member == place) continue;
      const bool behind = draw(2);
      if (behind) list.move_behind(member, place);
      else list.move_before(member, place);
      expected.erase(std::find(expected.begin(), expected.end(), member));
      expected.insert(std::find(expected.begin(), expected.end(), place) + behind, member);
      for (size_t i = 0; i + 1 < count; ++i) REQUIRE(list.precedes(expected[i], expected[i + 1]));
    }
  }
}

TEST_CASE("groups: a search that would be too long forbids", "[passes][groups]") {
  // Two ladders side by side; from the foot of the first one nothing leads to the top of the second, which only an edge at
  // the very end could tell.
  ir::Graph graph("g");
  ir::Builder b(graph);
  const ir::Value x = graph.add_input("x", {f32, {4}});
  std::vector<ir::Value> left{b("neg", {x}), b("exp", {x})}, right{b("sin", {x}), b("cos", {x})};
  const Op *foot = left[0].op(), *top = nullptr;
  for (int i = 0; i < 4000; ++i)
    for (auto* side : {&left, &right}) {
      const ir::Value p = side->end()[-1], q = side->end()[-2];
      side->push_back(b("add", {p, q}));
      side->push_back(b("mul", {p, q}));
    }
  graph.add_output({"a", left.back(), {}, {}});
  graph.add_output({"b", right.back(), {}, {}});
  top = right.back().op();
  Groups groups(graph);
  CHECK(groups.would_cycle(groups.of(foot), groups.of(top)));
  CHECK_FALSE(groups.would_cycle(groups.of(foot), groups.of(right[0].op())));
}

TEST_CASE("dependencies: an op waits once for each other op, however often it reads it", "[passes][groups]") {
  ir::Graph graph;
  const ir::Value w = graph.add_input("w", {f32, {2}}, ir::Role::parameter);
  ir::Builder b(graph);
  const ir::Value first = b("exp", {w}), second = b("mul", {first, first}), next = b("add", {second, first});
  graph.add_output({"w", next, 0, {}});  // whoever reads the old w comes before, too
  const passes::Dependencies d(graph);
  const auto list = [](std::span<const int> all) { return std::vector<int>(all.begin(), all.end()); };
  CHECK(list(d.before(0)).empty());
  CHECK(list(d.before(1)) == std::vector{0});
  CHECK(list(d.before(2)) == std::vector{1, 0});
  CHECK(list(d.after(0)) == std::vector{1, 2});
  CHECK(list(d.after(1)) == std::vector{2});
  CHECK(list(d.after(2)).empty());
}
