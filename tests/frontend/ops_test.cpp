// Values of the tensor language, where more happens than one op of the IR (those have their own tests).

#include <cmath>

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::evaluate;
using weft::testing::require_close;
using weft::testing::tensor;

TEST_CASE("logical operators") {
  Graph g("ops");
  const Tensor a = tensor({1, 1, 0, 0}, {4}, boolean), b = tensor({1, 0, 1, 0}, {4}, boolean);
  CHECK(evaluate(g, concat({a && b, a || b, !a, !(a == b)})) == std::vector<double>{1, 0, 0, 0, 1, 1, 1, 0, 0, 0, 1, 1, 0, 1, 1, 0});
}

TEST_CASE("select takes numbers, and broadcasts") {
  Graph g("ops");
  CHECK(evaluate(g, select(tensor({1, 0}, {2}, boolean), tensor({5}, {1}), -1)) == std::vector<double>{5, -1});
}

TEST_CASE("reductions") {
  Graph g("ops");
  const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3});
  SECTION("of everything") {
    CHECK(sum(x).shape() == Shape{});
    CHECK(evaluate(g, sum(x)) == std::vector<double>{21});
  }
  SECTION("of one axis, counted from the end") { CHECK(evaluate(g, mean(x, -1)) == std::vector<double>{2, 5}); }
  SECTION("of two axes, kept") {
    CHECK(max(x, {1, 0}, true).shape() == Shape{1, 1});
    CHECK(evaluate(g, min(x, {0})) == std::vector<double>{1, 2, 3});
  }
  SECTION("argmax of an axis and of everything") {
    CHECK(argmax(x, 1, true).shape() == Shape{2, 1});
    CHECK(evaluate(g, argmax(-x)) == std::vector<double>{0});
  }
  SECTION("softmax") {
    const double e = std::exp(1), total = 1 + e + e * e;
    require_close(evaluate(g, softmax(x, -1)), {1 / total, e / total, e * e / total, 1 / total, e / total, e * e / total});
  }
  SECTION("wrong axes") {
    CHECK_THROWS_WITH(sum(x, 2), contains_text("sum: axis 2 is out of range for rank 2; given (f32[2,3])"));
    CHECK_THROWS_WITH(sum(x, {0, -2}), contains_text("an axis is named twice"));
    CHECK_THROWS_WITH(mean(tensor({1}, {1}, i64)), contains_text("floating"));
  }
}

TEST_CASE("matmul follows torch.matmul for every rank") {
  Graph g("ops");
  const Tensor v = tensor({1, 2}, {2}), m = tensor({1, 2, 3, 4}, {2, 2});
  SECTION("vector times vector") {
    CHECK(matmul(v, v).shape() == Shape{});
    CHECK(evaluate(g, matmul(v, v)) == std::vector<double>{5});
  }
  SECTION("vector times matrix") { CHECK(evaluate(g, matmul(v, m)) == std::vector<double>{7, 10}); }
  SECTION("matrix times vector") { CHECK(evaluate(g, matmul(m, v)) == std::vector<double>{5, 11}); }
  SECTION("a batch times one matrix") {
    const Tensor b = tensor({1, 0, 0, 1, 2, 0, 0, 2}, {2, 2, 2});
    CHECK(matmul(b, m).shape() == Shape{2, 2, 2});
    CHECK(evaluate(g, matmul(b, m)) == std::vector<double>{1, 2, 3, 4, 2, 4, 6, 8});
  }
  SECTION("batch axes broadcast") {
    const Tensor b = tensor({1, 0, 0, 1, 2, 0, 0, 2}, {2, 1, 2, 2});
    CHECK(matmul(b, reshape(concat({m, m, m}), {3, 2, 2})).shape() == Shape{2, 3, 2, 2});
    CHECK(matmul(m, b).shape() == Shape{2, 1, 2, 2});
    CHECK(matmul(v, b).shape() == Shape{2, 1, 2});
    CHECK(matmul(b, v).shape() == Shape{2, 1, 2});
    CHECK(evaluate(g, matmul(m, b)) == std::vector<double>{1, 2, 3, 4, 2, 4, 6, 8});
  }
  SECTION("what does not fit") {
    CHECK_THROWS_WITH(matmul(m, zeros({3, 2})), contains_text("the inner extents must agree; given (f32[2,2], f32[3,2])"));
    CHECK_THROWS_WITH(matmul(m, zeros({2, 2}, f64)), contains_text("equal element types"));
    CHECK_THROWS_WITH(matmul(m, sum(m)), contains_text("at least one axis"));
  }
}

TEST_CASE("linear takes any leading axes") {
  Graph g("ops");
  const Tensor w = tensor({1, 2, 3, 4, 5, 6}, {3, 2}), b = tensor({10, 20, 30}, {3});
  CHECK(linear(zeros({4, 5, 2}), w, b).shape() == Shape{4, 5, 3});
  CHECK(linear(zeros({2}), w).shape() == Shape{3});
  CHECK(evaluate(g, linear(tensor({1, 1}, {1, 2}), w, b)) == std::vector<double>{13, 27, 41});
  CHECK_THROWS_WITH(linear(zeros({4, 3}), w), contains_text("x must be [..., in] and the weight [out, in]; given (f32[4,3], f32[3,2])"));
  CHECK_THROWS_WITH(linear(zeros({4, 2}), w, zeros({2})), contains_text("the bias must be [out]"));
}

TEST_CASE("shapes") {
  Graph g("ops");
  const Tensor x = zeros({2, 3, 4});
  CHECK(reshape(x, {-1, 6}).shape() == Shape{4, 6});
  CHECK(x.reshape({24}).shape() == Shape{24});
  CHECK(flatten(x).shape() == Shape{2, 12});
  CHECK(flatten(x, 0, 1).shape() == Shape{6, 4});
  CHECK(transpose(x, 0, -1).shape() == Shape{4, 3, 2});
  CHECK(x.transpose().shape() == Shape{2, 4, 3});
  CHECK(permute(x, {2, 0, -2}).shape() == Shape{4, 2, 3});
  CHECK(broadcast_to(x, {5, 2, 3, 4}).shape() == Shape{5, 2, 3, 4});
  CHECK_THROWS_WITH(reshape(x, {-1, 7}), contains_text("in place of -1"));
  CHECK_THROWS_WITH(reshape(x, {-1, -1}), contains_text("negative extent"));
  CHECK_THROWS_WITH(reshape(x, {25}), contains_text("24 elements do not fit into [25]"));
}

TEST_CASE("slices, as Python takes them") {
  Graph g("ops");
  const Tensor x = cast(arange(6), f32);
  SECTION("from, to, in steps") { CHECK(evaluate(g, slice(x, 0, 1, 6, 2)) == std::vector<double>{1, 3, 5}); }
  SECTION("from the end") { CHECK(evaluate(g, slice(x, 0, -2)) == std::vector<double>{4, 5}); }
  SECTION("beyond the end") { CHECK(slice(x, 0, 4, 100).shape() == Shape{2}); }
  SECTION("nothing") { CHECK(slice(x, 0, 4, 2).shape() == Shape{0}); }
  SECTION("no step back") { CHECK_THROWS_WITH(slice(x, 0, 4, 2, -1), contains_text("slice:")); }
}

TEST_CASE("indices") {
  Graph g("ops");
  const Tensor table = tensor({1, 2, 3, 4, 5, 6}, {3, 2}), index = tensor({2, 0}, {2}, i64);
  SECTION("gather rows") { CHECK(evaluate(g, gather(table, index)) == std::vector<double>{5, 6, 1, 2}); }
  SECTION("gather by an index with axes") { CHECK(gather(table, reshape(index, {1, 2, 1})).shape() == Shape{1, 2, 1, 2}); }
  SECTION("index_select") {
    CHECK(evaluate(g, index_select(table, 1, tensor({1}, {1}, i64))) == std::vector<double>{2, 4, 6});
    CHECK_THROWS_WITH(index_select(table, 0, reshape(index, {1, 2})), contains_text("one axis"));
  }
  SECTION("scatter_add") {
    CHECK(evaluate(g, scatter_add(zeros({3}), tensor({2, 2}, {2}, i64), tensor({1, 5}, {2}))) == std::vector<double>{0, 0, 6});
  }
  SECTION("one_hot") { CHECK(evaluate(g, one_hot(index, 3)) == std::vector<double>{0, 0, 1, 1, 0, 0}); }
  SECTION("an index is of integers") {
    for (const DType t : {f32, boolean})
      CHECK_THROWS_WITH(gather(table, cast(index, t)), contains_text("operand 'index' must have an integer element type"));
  }
}

TEST_CASE("indices and classes are integers of any type") {
  const auto scores = [] { return tensor({0, 0, 1, 0, 2, 0}, {2, 3}); };
  const auto table = [] { return tensor({1, 2, 3, 4, 5, 6}, {3, 2}); };
  const auto ones = [] { return tensor({1, 5}, {2}); };
  const std::pair<const char*, std::function<Tensor(Tensor)>> takers[] = {
      {"gather", [&](Tensor i) { return gather(table(), i); }},
      {"embedding", [&](Tensor i) { return embedding(i, table()); }},
      {"index_select", [&](Tensor i) { return index_select(table(), 0, i); }},
      {"scatter_add", [&](Tensor i) { return scatter_add(zeros({3}), i, ones()); }},
      {"one_hot", [&](Tensor i) { return one_hot(i, 3); }},
      {"take_along_axis", [&](Tensor i) { return take_along_axis(table(), reshape(i, {2, 1}), 0); }},
      {"scatter_along_axis", [&](Tensor i) { return scatter_along_axis(zeros({3}), i, ones(), 0); }},
      {"scatter_add_along_axis", [&](Tensor i) { return scatter_add_along_axis(zeros({3}), i, ones(), 0); }},
      {"cross_entropy", [&](Tensor i) { return cross_entropy(scores(), i); }},
      {"nll_loss", [&](Tensor i) { return nll_loss(scores(), i); }},
      {"multi_margin_loss", [&](Tensor i) { return multi_margin_loss(scores(), i); }},
      {"multilabel_margin_loss", [&](Tensor i) { return multilabel_margin_loss(ones(), minimum(i, 1)); }},
  };
  for (const auto& [name, taker] : takers) {
    const auto taken = [&](DType t) {
      Graph g("indexed");
      return evaluate(g, taker(cast(tensor({2, 0}, {2}, i64), t)));
    };
    const std::vector<double> want = taken(i64);
    for (const DType t : {i32, i16, i8, u32, u16, u8}) {
      INFO(name << " of " << name_of(t));
      CHECK(taken(t) == want);
    }
  }
}

TEST_CASE("losses") {
  Graph g("ops");
  const Tensor logits = tensor({0, 0, 1, 0}, {2, 2}), y = tensor({0, 0}, {2}, i64);
  const double first = std::log(2), second = std::log(1 + std::exp(-1));
  SECTION("mean") { require_close(evaluate(g, cross_entropy(logits, y)), {(first + second) / 2}); }
  SECTION("sum") { require_close(evaluate(g, cross_entropy(logits, y, {.reduction = "sum"})), {first + second}); }
  SECTION("none") { require_close(evaluate(g, cross_entropy(logits, y, {.reduction = "none"})), {first, second}); }
  SECTION("unknown") { CHECK_THROWS_WITH(cross_entropy(logits, y, {.reduction = "avg"}), contains_text("not \"avg\"")); }
  SECTION("mse") { require_close(evaluate(g, mse_loss(tensor({1, 2}, {2}), tensor({3, 5}, {2}))), {6.5}); }
  SECTION("mse of unequal shapes") { CHECK_THROWS_WITH(mse_loss(zeros({2, 1}), zeros({2})), contains_text("given (f32[2,1], f32[2])")); }
}

TEST_CASE("random numbers differ between calls and steps and repeat with the seed") {
  const auto draw = [](uint64_t seed) {
    Graph g("random");
    g.output("a", random_uniform({100}));
    g.output("b", random_uniform({100}));
    g.output("n", random_normal({2000}));
    Step step = compile(g, Target::reference(), {.seed = seed});
    std::vector<std::vector<float>> all;
    for (int i = 0; i < 2; ++i) {
      const Results r = step();
      for (const char* name : {"a", "b", "n"}) all.push_back(r[name].values<float>());
    }
    return all;
  };
  const auto first = draw(1), again = draw(1), other = draw(2);
  CHECK(first == again);
  CHECK(first != other);
  CHECK(first[0] != first[1]);
  CHECK(first[0] != first[3]);
  double mean = 0, square = 0;
  for (float n : first[2]) mean += n / 2000.0, square += n * n / 2000.0;
  CHECK(std::abs(mean) < 0.1);
  CHECK(std::abs(square - 1) < 0.15);
}
