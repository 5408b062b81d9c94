// Indices that are fed, of the functions that make places of them.

#include <type_traits>

#include "weft/tests/frontend/support.h"

using namespace weft;

TEST_CASE("fed indices out of range are refused by all that takes or puts elements along an axis") {
  using Make = Tensor (*)(const Tensor& x, const Tensor& i);
  const std::vector<std::pair<std::string, Make>> all{
      {"take_along_axis", [](const Tensor& x, const Tensor& i) { return take_along_axis(x, i, 1); }},
      {"scatter_along_axis", [](const Tensor& x, const Tensor& i) { return scatter_along_axis(x, i, ones({2, 1}), 1); }},
      {"scatter_add_along_axis", [](const Tensor& x, const Tensor& i) { return scatter_add_along_axis(x, i, ones({2, 1}), 1); }},
      {"scatter_reduce", [](const Tensor& x, const Tensor& i) { return scatter_reduce(x, i, ones({2, 1}), 1, "amax"); }},
      {"index_get of two", [](const Tensor& x, const Tensor& i) { return index_get(x, {zeros({2, 1}, i64), i}); }},
      {"index_put of two", [](const Tensor& x, const Tensor& i) { return index_put(x, {zeros({2, 1}, i64), i}, 1); }}};
  const std::vector<float> x(6, 1);
  for (const auto& [name, make] : all)
    for (const DType type : {i64, i32}) {
      INFO(name << " of " << name_of(type));
      Graph g("range");
      const Tensor in = g.input("x", f32, {2, 3}), i = g.input("i", type, {2, 1});
      g.output("y", make(in, i));
      Step step = compile(g, Target::reference());
      const auto run = [&](int64_t a, int64_t b) {
        Array index(type, {2, 1});
        index.set(0, static_cast<double>(a)), index.set(1, static_cast<double>(b));
        step({{"x", x}, {"i", index}});
      };
      CHECK_NOTHROW(run(0, 2));
      CHECK_THROWS_WITH(run(0, 3), contains_text("input 'i'") && contains_text("holds indices below 3, but element 1 is 3"));
      CHECK_THROWS_WITH(run(-1, 2), contains_text("holds indices below 3, but element 0 is -1"));
    }
  // Each of several has the bound of its own axis; one that is computed is taken as it is.
  Graph g("axes");
  const Tensor in = g.input("x", f32, {2, 3}), i = g.input("i", i64, {1}), j = g.input("j", i64, {1});
  g.output("y", index_get(in, {i, j}));
  g.output("z", take_along_axis(in, argmax(in, 1, true), 1));
  Step step = compile(g, Target::reference());
  const auto run = [&](int64_t a, int64_t b) {
    const std::vector<int64_t> i{a}, j{b};
    step({{"x", x}, {"i", i}, {"j", j}});
  };
  CHECK_NOTHROW(run(1, 2));
  CHECK_THROWS_WITH(run(2, 1), contains_text("input 'i'") && contains_text("below 2, but element 0 is 2"));
  CHECK_THROWS_WITH(run(1, 3), contains_text("input 'j'") && contains_text("below 3, but element 0 is 3"));
}

TEST_CASE("what is indexed cannot be assigned to") {
  static_assert(!std::is_assignable_v<decltype(std::declval<Tensor&>()[0]), Tensor>);
  static_assert(std::is_assignable_v<Tensor&, Tensor> && std::is_assignable_v<Tensor&, const Tensor&>);
  const auto adds = [](auto&& x) { return requires { std::forward<decltype(x)>(x) += 1; }; };
  Graph g("assigned");
  Tensor x = g.input("x", f32, {2});
  CHECK(adds(x));
  CHECK_FALSE(adds(x[0]));
}
