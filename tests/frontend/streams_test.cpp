// Which program draws which random numbers.

#include <algorithm>
#include <set>

#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;

namespace {

using Numbers = std::vector<float>;

/// What a program of this graph draws in its first two steps: uniforms, normals and a dropout mask.
std::vector<Numbers> draw(const Graph& g, CompileOptions options = {}) {
  Step step = compile(g, Target::cpu({.threads = 1}), options);
  std::vector<Numbers> all;
  for (int i = 0; i < 2; ++i) {
    const Results r = step();
    for (const char* name : {"u", "n", "mask"}) all.push_back(r[name].values<float>());
  }
  return all;
}

Graph graph(const std::string& name) {
  Graph g(name);
  g.output("u", random_uniform({64}));
  g.output("n", random_normal({64}));
  g.output("mask", dropout(ones({64}), 0.5));
  return g;
}

bool none_equal(const std::vector<std::vector<Numbers>>& all) {
  std::set<Numbers> seen;
  size_t count = 0;
  for (const auto& one : all)
    for (const Numbers& numbers : one) seen.insert(numbers), ++count;
  return seen.size() == count;
}

}  // namespace

TEST_CASE("streams: programs of two graphs draw other numbers, of one name or of two") {
  manual_seed(5);
  std::vector<std::vector<Numbers>> all;
  for (const char* name : {"a", "b", "graph", "graph", "a", ""}) all.push_back(draw(graph(name)));
  all.push_back(draw(graph("")));
  CHECK(none_equal(all));
  manual_seed(0);
}

TEST_CASE("streams: the same program draws the same numbers in every run, whatever other graphs there are") {
  manual_seed(5);
  const auto a = draw(graph("a")), second_a = draw(graph("a"));
  manual_seed(5);
  const Graph other("other"), more("b");
  CHECK(draw(graph("a")) == a);
  CHECK(draw(graph("a")) == second_a);
  manual_seed(6);
  CHECK(draw(graph("a")) != a);
  manual_seed(0);
}

TEST_CASE("streams: a graph that is compiled twice draws the same, for any number of threads and by the reference") {
  manual_seed(5);
  const Graph g = graph("twice");
  const auto first = draw(g);
  CHECK(draw(g) == first);
  Step step = compile(Recorded(g), Target::reference());
  CHECK(step()["u"].values<float>() == first[0]);
  CHECK(compile(g, Target::cpu({.threads = 2, .share_all = true}))()["mask"].values<float>() == first[2]);
  manual_seed(0);
}

TEST_CASE("streams: a seed given to compile() tells graphs apart by their names alone") {
  const auto a = draw(graph("a"), {.seed = 9});
  CHECK(draw(graph("a"), {.seed = 9}) == a);
  CHECK(none_equal({a, draw(graph("b"), {.seed = 9}), draw(graph("a"), {.seed = 10})}));
}

TEST_CASE("streams: initialization and programs draw from different ones") {
  manual_seed(5);
  Array init(f32, {64});
  fill_uniform(init, 0, 1);
  const Numbers drawn(init.values<float>().begin(), init.values<float>().end());
  const auto program = draw(graph("a"));
  CHECK(std::find(program.begin(), program.end(), drawn) == program.end());
  manual_seed(0);
}

TEST_CASE("streams: an optimizer's training steps draw from one, others from others, and a checkpoint keeps it") {
  struct Trained {
    Parameter w = Parameter("w", Array(f32, {64}));
    optim::SGD sgd = optim::SGD({.lr = 0});
    Step step = make();
    Step make() {
      Graph g("train");
      const Tensor mask = g.output("mask", dropout(w + 1, 0.5));
      return compile(training_step(g, sum(mask), {w}, sgd), Target::cpu({.threads = 1}));
    }
    Numbers mask() { return step()["mask"].values<float>(); }
  };
  manual_seed(5);
  Trained a, b;
  Step other_batch = a.make();  // stands for one of another size
  const Numbers first = a.mask(), second = other_batch()["mask"].values<float>(), third = a.mask();
  CHECK(none_equal({{first, second, third, b.mask(), b.mask(), b.mask()}}));

  const test::TempDir dir;
  Checkpoint({{"w", a.w}}).add(a.sgd).save(dir / "now");
  const Numbers fourth = a.mask();
  Trained c;
  CHECK(c.mask() != fourth);
  Checkpoint({{"w", c.w}}).add(c.sgd).load(dir / "now");
  CHECK(c.mask() == fourth);
  manual_seed(5);
  Trained again;
  CHECK(again.mask() == first);
  manual_seed(0);
}
