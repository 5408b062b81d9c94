// What a step writes, given back to it: its results, the parameters that it updates.

#include "weft/tests/frontend/allocations.h"
#include "weft/tests/frontend/support.h"

using namespace weft;

namespace {

using Numbers = std::vector<float>;

Numbers ramp(int64_t count, float scale = 0.01f) {
  Numbers all(static_cast<size_t>(count));
  for (size_t i = 0; i < all.size(); ++i) all[i] = scale * static_cast<float>(static_cast<int64_t>(i * 37 % 101) - 50);
  return all;
}

/// A cell whose state goes round: products, loop nests, and more intermediate values than state.
struct Cell {
  Step step;

  static Cell make(const Target& target) {
    manual_seed(3);
    const nn::Linear l(32, 32);
    Graph g("cell");
    Tensor h = g.input("h", f32, {4, 32});
    Tensor n = tanh(linear(tanh(linear(h, l.weight, l.bias)), l.weight, l.bias)) + h * 0.5;
    g.output("h", n);
    g.output("moved", sum(square(h - n)));
    g.output("both", concat({h, n}, 0));
    return {compile(g, target)};
  }
};

const Target targets[] = {Target::cpu({.threads = 1}), Target::cpu({.threads = 2, .share_all = true}), Target::reference()};

}  // namespace

TEST_CASE("carried: a view of a step's own result is fed as a copy of it would be") {
  for (const Target& target : targets) {
    Step step = Cell::make(target).step;
    Numbers held = ramp(128);
    std::vector<Numbers> copied;
    std::vector<double> moved;
    for (int i = 0; i < 6; ++i) {
      const Results r = step({{"h", held}});
      held = r["h"].values<float>();
      copied.push_back(held), moved.push_back(r["moved"].item());
    }
    Results r = step({{"h", ramp(128)}});
    for (size_t i = 0; i < 6; ++i) {
      CHECK(r["h"].values<float>() == copied[i]);
      CHECK(r["moved"].item() == moved[i]);
      r = step({{"h", r["h"].view<float>()}});
    }
  }
}

TEST_CASE("carried: so is a part of a result, and what came from another step") {
  for (const Target& target : targets) {
    Step step = Cell::make(target).step, other = Cell::make(target).step;
    Results r = step({{"h", ramp(128)}});
    for (const size_t first : {0u, 64u, 100u, 128u}) {
      const Numbers part(r["both"].view<float>().begin() + static_cast<int64_t>(first),
                         r["both"].view<float>().begin() + static_cast<int64_t>(first) + 128);
      const Numbers want = other({{"h", part}})["h"].values<float>();
      const Results from_other = other({{"h", r["both"].view<float>().subspan(first, 128)}});
      CHECK(from_other["h"].values<float>() == want);
      r = step({{"h", r["both"].view<float>().subspan(first, 128)}});
      CHECK(r["h"].values<float>() == want);
      r = step({{"h", from_other["h"].view<float>()}});
      CHECK(r["h"].values<float>() == other({{"h", want}})["h"].values<float>());
    }
  }
}

TEST_CASE("carried: a parameter's memory may be an input of the step that updates it") {
  for (const Target& target : targets) {
    for (const bool by_array : {true, false}) {
      Parameter w("w", Shape{64}, ramp(64));
      Graph g("mean_field");
      Tensor x = g.input("x", f32, {64});
      Tensor next = w * 0.5 + sum(w * x) * x;
      g.update(w, next);
      g.output("y", x + sum(next) * 0);
      Step step = compile(g, target);
      const Numbers start = w.values<float>();
      step({{"x", start}});
      const Numbers want = w.values<float>();
      w.set_values(start);
      const Results r = by_array ? step({{"x", w.array()}}) : step({{"x", std::as_const(w).array().values<float>()}});
      CHECK(w.values<float>() == want);
      CHECK(r["y"].values<float>() == start);
    }
  }
}

TEST_CASE("carried: indices are checked and copied too") {
  for (const Target& target : targets) {
    Graph g("next");
    Tensor at = g.input("at", i64, {3});
    g.output("at", select(at < 3, at + 2, at - 3));
    g.output("rows", gather(constant(Array::of(Shape{5}, ramp(5))), at));
    Step step = compile(g, target);
    const std::vector<int64_t> start{0, 2, 4};
    Results a = step({{"at", start}});
    std::vector<int64_t> held = a["at"].values<int64_t>();
    for (int i = 0; i < 4; ++i) {
      a = step({{"at", a["at"].view<int64_t>()}});
      const Numbers viewed = a["rows"].values<float>();
      for (size_t k = 0; k < 3; ++k) CHECK(viewed[k] == ramp(5)[static_cast<size_t>(held[k])]);
      held = a["at"].values<int64_t>();
    }
  }
}

TEST_CASE("carried: a refused call leaves results that can be fed") {
  Step step = Cell::make(Target::cpu()).step;
  const Numbers want = step({{"h", step({{"h", ramp(128)}})["h"].values<float>()}})["h"].values<float>();
  const Results r = step({{"h", ramp(128)}});
  CHECK_THROWS_AS(step({{"h", r["both"].view<float>()}}), Error);
  CHECK(step({{"h", r["h"].view<float>()}})["h"].values<float>() == want);
}

TEST_CASE("carried: only the first such call allocates, and only what lies there is copied") {
  Step step = Cell::make(Target::cpu({.threads = 1})).step;
  Results r = step({{"h", ramp(128)}});
  const auto carry = [&] { r = step({{"h", r["h"].view<float>()}}); };
  const auto ours = [] { return testing::allocations_so_far() - testing::library_allocations_so_far(); };
  const Numbers fed = ramp(128);
  int64_t before = ours();
  for (int i = 0; i < 10; ++i) r = step({{"h", fed}});
  CHECK(ours() == before);
  carry();
  before = ours();
  for (int i = 0; i < 10; ++i) carry();
  CHECK(ours() == before);
}
