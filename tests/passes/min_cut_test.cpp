#include "weft/passes/analysis/min_cut.h"

#include <limits>
#include <random>

#include "weft/tests/catch.h"

using namespace weft;
using passes::MinCut;

namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();

struct Edge {
  int from, to;
  double capacity;
};

std::vector<bool> cut(int nodes, const std::vector<Edge>& edges) {
  MinCut network(nodes);
  for (const Edge& e : edges) network.add_edge(e.from, e.to, e.capacity);
  return network.sink_side();
}

double capacity(const std::vector<Edge>& edges, const std::vector<bool>& sink_side) {
  double sum = 0;
  for (const Edge& e : edges)
    if (!sink_side[static_cast<size_t>(e.from)] && sink_side[static_cast<size_t>(e.to)]) sum += e.capacity;
  return sum;
}

}  // namespace

TEST_CASE("min cut: the narrowest place of a chain, nearest to the sink") {
  CHECK(cut(5, {{0, 2, 5}, {2, 3, 1}, {3, 4, 2}, {4, 1, 1}}) == std::vector<bool>{false, true, false, false, false});
  CHECK(cut(4, {{0, 2, 1}, {2, 3, infinite}, {3, 1, 2}}) == std::vector<bool>{false, true, true, true});
}

TEST_CASE("min cut: nothing that leads to the sink") { CHECK(cut(3, {{0, 2, 4}}) == std::vector<bool>{false, true, false}); }

TEST_CASE("min cut: of random networks, as small as the smallest of all cuts") {
  std::mt19937 random(1);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  for (int round = 0; round < 2000; ++round) {
    const int nodes = 3 + below(7);
    std::vector<Edge> edges;
    for (int i = 0, count = below(30); i < count; ++i) {
      const Edge e{below(nodes), below(nodes), static_cast<double>(below(6))};
      if (e.from != e.to) edges.push_back(e);
    }
    double least = infinite;
    for (int others = 0; others < 1 << (nodes - 2); ++others) {
      std::vector<bool> side{false, true};
      for (int i = 0; i < nodes - 2; ++i) side.push_back(others >> i & 1);
      least = std::min(least, capacity(edges, side));
    }
    const std::vector<bool> found = cut(nodes, edges);
    CHECK(!found[0]);
    CHECK(found[1]);
    CHECK(capacity(edges, found) == least);
  }
}
