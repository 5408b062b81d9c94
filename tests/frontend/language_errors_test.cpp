// What functions of the tensor language refuse: messages name the function, what it requires, the operands and the caller's line.

#include <functional>
#include <limits>

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::tensor;

namespace {

void refuses(const std::string& function, const std::string& requirement, const std::string& given, const std::function<void()>& call,
             std::source_location at = std::source_location::current()) {
  std::string message = "nothing was thrown";
  try {
    call();
  } catch (const Error& error) {
    message = error.what();
  }
  INFO(message);
  CHECK(message.starts_with(function + ": "));
  CHECK_THAT(message, contains_text(requirement));
  if (!given.empty()) CHECK_THAT(message, contains_text("given (" + given + ")"));
  CHECK_THAT(message, contains_text(testing::line(0, at)));
}

}  // namespace

TEST_CASE("shapes that do not fit are refused") {
  Graph g("errors");
  const Tensor x = zeros({2, 3}), v = zeros({3});
  const std::string of_x = "f32[2,3]";
  refuses("unsqueeze", "axis 3 is out of range for rank 3", of_x, [&] { unsqueeze(x, 3); });
  refuses("squeeze", "axis -3 is out of range for rank 2", of_x, [&] { x.squeeze(-3); });
  refuses("squeeze", "an axis is named twice", of_x, [&] { squeeze(x, {0, -2}); });
  refuses("stack", "must have one type", of_x + ", f32[3]", [&] { stack({x, v}); });
  refuses("stack", "axis -4 is out of range for rank 3", of_x, [&] { stack({x, x}, -4); });
  refuses("chunk", "at least one chunk, not 0", of_x, [&] { chunk(x, 0); });
  refuses("split", "the size must be positive, not 0", of_x, [&] { split(x, 0); });
  refuses("split", "the sizes [1,1] add up to 2, not to axis 1's 3", of_x, [&] { split(x, {1, 1}, -1); });
  refuses("split", "must not be negative", of_x, [&] { split(x, {4, -1}, -1); });
  refuses("unbind", "axis 2 is out of range", of_x, [&] { unbind(x, 2); });
  refuses("expand", "has fewer axes than x", of_x, [&] { x.expand({3}); });
  refuses("expand", "axis 0 of the shape [-1,2,3] has no extent", of_x, [&] { expand(x, {-1, 2, 3}); });
  refuses("repeat", "a count for each axis", of_x, [&] { repeat(x, {2}); });
  refuses("repeat", "must not be negative", of_x, [&] { repeat(x, {2, -1}); });
  refuses("repeat_interleave", "must not be negative, but is -1", of_x, [&] { repeat_interleave(x, -1); });
  refuses("flip", "axis 2 is out of range", of_x, [&] { flip(x, 2); });
  refuses("roll", "a shift for each axis", of_x, [&] { roll(x, {1, 2}, 0); });
  refuses("roll", "by one shift", of_x, [&] { roll(x, {1, 2}); });
  refuses("tril", "at least two axes", "f32[3]", [&] { tril(v); });
  refuses("triu", "at least two axes", "f32[3]", [&] { triu(v); });
  refuses("diagonal", "the axes must be two", of_x, [&] { diagonal(x, 0, 1, -1); });
  refuses("movedim", "as many axes", of_x, [&] { movedim(x, {0, 1}, 0); });
  refuses("meshgrid", "not \"xyz\"", "f32[3]", [&] { meshgrid({v, v}, "xyz"); });
  refuses("meshgrid", "vectors or scalars", "f32[3], f32[2,3]", [&] { meshgrid({v, x}); });
  refuses("size", "axis 2 is out of range for rank 2", of_x, [&] { x.size(2); });
  refuses("index", "index -3 is out of range for extent 2", of_x, [&] { x[-3]; });
  refuses("index", "a scalar has no axis", "f32[]", [&] { x[0][0][0]; });
}

TEST_CASE("operands that do not fit are refused") {
  Graph g("errors");
  const Tensor x = zeros({2, 3}), v = zeros({3}), n = zeros({3}, i64), flags = zeros({3}, boolean), index = zeros({2, 3}, i64);
  const std::string of_x = "f32[2,3]";
  refuses("bitwise_and", "must be integers or bools", "f32[3], f32[3]", [&] { v & v; });
  refuses("bitwise_not", "must be an integer or bool", "f32[3]", [&] { ~v; });
  refuses("bitwise_left_shift", "must be integers", "bool[3], bool[3]", [&] { flags << flags; });
  refuses("bitwise_right_shift", "must be integers", "i64[3], f32[3]", [&] { n >> v; });
  refuses("div", "not \"up\"", "f32[3], f32[3]", [&] { div(v, v, "up"); });
  refuses("fmod", "broadcast", "f32[2,3], f32[2]", [&] { fmod(x, zeros({2})); });
  refuses("masked_fill", "the mask must be bool", "f32[3], i64[3], 1", [&] { masked_fill(v, n, 1); });
  refuses("masked_fill", "a number or a scalar tensor", "f32[3], bool[3], f32[3]", [&] { masked_fill(v, flags, v); });
  refuses("masked_fill", "does not fit into x", "i64[3], bool[3], 0.5", [&] { masked_fill(n, flags, 0.5); });
  refuses("lerp", "must be floating", "i64[3], i64[3], 2", [&] { lerp(n, n, 2); });
  refuses("addcmul", "the value must be one too, not 0.5", "i64[3], i64[3], i64[3]", [&] { addcmul(n, n, n, 0.5); });
  refuses("frac", "must be floating", "i64[3]", [&] { frac(n); });
  refuses("stddev", "must be floating", "i64[3]", [&] { stddev(n); });
  refuses("norm", "must be floating", "i64[3]", [&] { norm(n); });
  refuses("norm", "an empty axis", "f32[0]", [&] { norm(zeros({0}), std::numeric_limits<double>::infinity()); });
  refuses("argmin", "an empty axis has no extreme", "f32[0,2]", [&] { argmin(zeros({0, 2}), 0); });
  refuses("max_with_indices", "axis 2 is out of range", of_x, [&] { max_with_indices(x, 2); });
  refuses("min_with_indices", "an empty axis has no extreme", "f32[0,2]", [&] { min_with_indices(zeros({0, 2}), 0); });
  refuses("cumsum", "axis -3 is out of range", of_x, [&] { cumsum(x, -3); });
  refuses("dot", "the operands must have 1 and 1 axes", "f32[2,3], f32[3]", [&] { dot(x, v); });
  refuses("outer", "the operands must have 1 and 1 axes", "f32[3], f32[2,3]", [&] { outer(v, x); });
  refuses("mv", "the inner extents must agree", "f32[2,3], f32[2]", [&] { mv(x, zeros({2})); });
  refuses("mm", "the operands must have 2 and 2 axes", "f32[2,3], f32[3]", [&] { mm(x, v); });
  refuses("bmm", "as many matrices", "f32[2,3,4], f32[3,4,5]", [&] { bmm(zeros({2, 3, 4}), zeros({3, 4, 5})); });
  refuses("cross", "axis 1 must have extent 3", "f32[2,2], f32[2,2]", [&] { cross(zeros({2, 2}), zeros({2, 2})); });
  refuses("trace", "must be a matrix", "f32[3]", [&] { trace(v); });
  refuses("tensordot", "must have equal extents", "f32[2,3], f32[3]", [&] { tensordot(x, v, {0}, {0}); });
  refuses("tensordot", "have no 3 axes", "f32[2,3], f32[3]", [&] { tensordot(x, v, 3); });
  refuses("cosine_similarity", "axis 1 is out of range", "f32[3], f32[3]", [&] { cosine_similarity(v, v); });
  refuses("cdist", "equal lengths", "f32[2,3], f32[3,2]", [&] { cdist(x, zeros({3, 2})); });
  refuses("take_along_axis", "the index must be integers", "f32[2,3], f32[2,3]", [&] { take_along_axis(x, x, 1); });
  refuses("take_along_axis", "equal ranks", "f32[2,3], i64[3]", [&] { take_along_axis(x, n, 1); });
  refuses("take_along_axis", "beyond x along axis 0", "f32[1,3], i64[2,3]", [&] { take_along_axis(zeros({1, 3}), index, 1); });
}

TEST_CASE("equations that mean nothing are refused") {
  Graph g("errors");
  const Tensor x = zeros({2, 3});
  const auto refuses_equation = [&](const std::string& equation, const std::string& requirement, std::source_location at) {
    refuses("einsum", requirement, "f32[2,3]", [&] { einsum(equation, {Arg(x, at)}); }, at);
  };
  const auto here = [](std::source_location at = std::source_location::current()) { return at; };
  refuses_equation("ij,jk", "is about 2 operands, not 1", here());
  refuses_equation("ijk", "\"ijk\" names 3 axes, but the operand has 2", here());
  refuses_equation("i", "names 1 axes, but the operand has 2", here());
  refuses_equation("i1->i", "'1' in the equation is no letter", here());
  refuses_equation("ij->k", "'k' of the result is of no operand", here());
  refuses_equation("ij->ii", "the result names 'i' twice", here());
  refuses_equation("ii", "'i' has the extents 2 and 3", here());
}

TEST_CASE("tensors that cannot be made are refused") {
  Graph g("errors");
  refuses("eye", "must not be negative", "", [] { eye(-1); });
  refuses("linspace", "must not be negative, but is -1", "", [] { linspace(0, 1, -1); });
  refuses("arange", "must lead from start to end", "0, 3, -1", [] { arange(0, 3, -1); });
  refuses("arange", "must lead from start to end", "0, 3, 0", [] { arange(0, 3, 0); });
  refuses("randint", "1 to 2^31 integers", "", [] { randint(3, 3, {2}); });
  refuses("rand_like", "must be floating, not i64", "i64[2]", [] { rand_like(zeros({2}, i64)); });
  refuses("bernoulli", "must be floating", "i64[2]", [] { bernoulli(zeros({2}, i64)); });
}

TEST_CASE("an index that is computed and out of range picks nan along an axis, and adds nothing") {
  Graph g("indices");
  const Tensor x = tensor({1, 2, 3, 4, 5, 6}, {2, 3}), index = arange(-1, 3).reshape({2, 2}) + 2;
  const std::vector<double> got = testing::evaluate(g, take_along_axis(x, index, 1));
  CHECK(got[0] == 2);
  CHECK(got[1] == 3);
  CHECK((std::isnan(got[2]) && std::isnan(got[3])));
  Graph other("indices");
  const Tensor zero = zeros({2, 3}), far = arange(-1, 3).reshape({2, 2}) + 2;
  CHECK(testing::evaluate(other, scatter_add_along_axis(zero, far, 1, 1)) == std::vector<double>{0, 1, 1, 0, 0, 0});
}

TEST_CASE("random integers and decisions") {
  Graph g("random");
  const std::vector<double> drawn = testing::evaluate(g, randint(-3, 2, {4000}));
  for (double value : {-3.0, -2.0, -1.0, 0.0, 1.0}) CHECK(std::abs(std::count(drawn.begin(), drawn.end(), value) - 800) < 120);
  Graph other("random");
  const std::vector<double> decided = testing::evaluate(other, bernoulli(concat({full({2000}, 0.25), zeros({50}), ones({50})})));
  CHECK(std::abs(std::count(decided.begin(), decided.begin() + 2000, 1.0) - 500) < 100);
  CHECK(std::count(decided.begin() + 2000, decided.end(), 1.0) == 50);
  CHECK(std::count(decided.begin() + 2050, decided.end(), 1.0) == 50);
  CHECK(rand_like(zeros({2, 3})).shape() == Shape{2, 3});
  CHECK(randn_like(zeros({2, 3}), f64).dtype() == f64);
}

TEST_CASE("an assigned sum is another value, and other handles keep theirs") {
  Graph g("assigned");
  Tensor x = tensor({1, 2}, {2});
  const Tensor before = x;
  x += 1;
  CHECK(testing::where(x).starts_with(testing::line(-1)));
  CHECK(testing::evaluate(g, concat({before, x})) == std::vector<double>{1, 2, 2, 3});
  CHECK(x.dim() == 1);
  CHECK(zeros({2, 5}).size(-1) == 5);
}

TEST_CASE("numbers that a type does not hold are refused") {
  Graph g("errors");
  const Tensor x = zeros({2, 3}), n = zeros({3}, i8);
  refuses("randint", "i8 holds the integers from -128 to 127, but there are 0 to 128", "", [] { randint(0, 129, {2}, i8); });
  refuses("randint", "u8 holds the integers from 0 to 255, but there are -1 to 3", "", [] { randint(-1, 4, {2}, u8); });
  refuses("randint", "f16 holds the integers from -65504 to 65504", "", [] { randint(0, 70000, {2}, f16); });
  CHECK(randint(-128, 128, {2}, i8).dtype() == i8);
  refuses("randperm", "i8 holds the integers up to 127, but there are 129", "", [] { randperm(129, i8); });
  refuses("randperm", "f16 holds the integers up to 2048, but there are 2050", "", [] { randperm(2050, f16); });
  CHECK(randperm(128, i8).shape() == Shape{128});
  refuses("full", "u8 holds the integers from 0 to 255", "", [] { full({2}, 256, u8); });
  refuses("full_like", "i8 holds the integers from -128 to 127", "f32[2,3]", [&] { full_like(x, 128, i8); });
  refuses("full", "the value must be a number", "", [&] { full({2}, n); });
  CHECK(full({2}, -1, u8).dtype() == u8);
  refuses("linspace", "i8 holds the integers from -128 to 127, but there are 0 to 300", "", [] { linspace(0, 300, 3, i8); });
  refuses("linspace", "must be a number, not bool", "", [] { linspace(0, 1, 2, boolean); });
}

TEST_CASE("more elements than there can be are refused") {
  Graph g("errors");
  const Tensor x = zeros({2, 3});
  constexpr int64_t many = int64_t{1} << 40;
  refuses("repeat", "has more than 2^62 elements", "f32[2,3]", [&] { repeat(x, {many, many}); });
  refuses("repeat_interleave", "has more than 2^62 elements", "f32[2,3]", [&] { repeat_interleave(x, int64_t{1} << 62, 0); });
  refuses("arange", "steps, more than 2^62", "", [] { arange(0, 1e30, 1e-30); });
  refuses("arange", "steps, more than 2^62", "", [] { arange(std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()); });
  refuses("arange", "negative extent -1", "", [] { arange(-1); });
}

TEST_CASE("an equation's characters are named whole") {
  Graph g("errors");
  const Tensor x = zeros({2, 3});
  refuses("einsum", "'\u00e4' in the equation is no letter", "", [&] { einsum("\u00e4j->j", {x}); });
  refuses("einsum", "'1' in the equation is no letter", "", [&] { einsum("i1->i", {x}); });
}

TEST_CASE("a scalar has axis 0 alone") {
  Graph g("errors");
  const Tensor x = zeros({});
  refuses("sum", "axis 1 is out of range for rank 1", "f32[]", [&] { sum(x, 1); });
  refuses("softmax", "axis -2 is out of range for rank 1", "f32[]", [&] { softmax(x, -2); });
  refuses("transpose", "axis 1 is out of range for rank 1", "f32[]", [&] { transpose(x, 0, 1); });
  refuses("squeeze", "an axis is named twice", "f32[]", [&] { squeeze(x, {0, -1}); });
  refuses("index_select", "of a scalar the index must be one", "", [&] { index_select(x, 0, zeros({2}, i64)); });
  refuses("concat", "axis 0 is out of range for rank 0", "f32[]", [&] { concat({x, x}, 0); });
}

TEST_CASE("orders that there are not are refused") {
  Graph g("errors");
  const Tensor x = zeros({2, 3}), flags = zeros({3}, boolean), n = zeros({3}, i64);
  refuses("sort", "axis 2 is out of range", "", [&] { sort(x, 2); });
  refuses("argsort", "axis -3 is out of range", "", [&] { argsort(x, -3); });
  refuses("topk", "k must be 0 to 3, the extent of axis 1, not 4", "", [&] { topk(x, 4); });
  refuses("topk", "not -1", "", [&] { topk(x, -1, 0); });
  refuses("kthvalue", "k must be 1 to 3, the extent of axis 1, not 0", "", [&] { kthvalue(x, 0); });
  refuses("median", "must be a number, but is bool", "", [&] { median(flags); });
  refuses("median", "an empty axis has no median", "", [&] { median(zeros({2, 0}), 1); });
  refuses("median", "of no elements", "", [&] { median(zeros({0}, i64)); });
  refuses("quantile", "x must be floating", "", [&] { quantile(n, 0.5); });
  refuses("quantile", "q must be in [0, 1], not 1.5", "", [&] { quantile(x, 1.5); });
  refuses("quantile", "not \"cubic\"", "", [&] { quantile(x, 0.5, 1, false, "cubic"); });
  refuses("quantile", "of no elements there is no quantile", "", [&] { quantile(zeros({0}), 0.5); });
  refuses("quantile", "q must name at least one number", "", [&] { quantile(x, std::vector<double>{}); });
  refuses("searchsorted", "the sequence must have an axis", "", [&] { searchsorted(zeros({}), x); });
  refuses("searchsorted", "all axes but the last one", "", [&] { searchsorted(x, zeros({3, 2})); });
  refuses("bucketize", "the boundaries must have one axis", "", [&] { bucketize(x, x); });
  refuses("randperm", "must not be negative, but is -1", "", [] { randperm(-1); });
  refuses("multinomial", "the weights must be floating", "", [&] { multinomial(n, 1); });
  refuses("multinomial", "one axis or two", "", [&] { multinomial(zeros({2, 2, 2}), 1); });
  refuses("multinomial", "num_samples must be positive, not 0", "", [&] { multinomial(x, 0); });
  refuses("multinomial", "without replacement there are 3 samples at most, not 4", "", [&] { multinomial(x, 4); });
}

TEST_CASE("alignments that there are not are refused") {
  Graph g("errors");
  const Tensor x = zeros({5, 2, 4}), targets = zeros({2, 3}, i64), lengths = ones({2}, i64);
  refuses("ctc_loss", "log_probs must be floating", "", [&] { ctc_loss(zeros({5, 2, 4}, i64), targets, lengths, lengths); });
  refuses("ctc_loss", "must be [T, N, C] or [T, C]", "", [&] { ctc_loss(zeros({4}), targets, lengths, lengths); });
  refuses("ctc_loss", "the targets must be integers", "", [&] { ctc_loss(x, zeros({2, 3}), lengths, lengths); });
  refuses("ctc_loss", "the targets must be [N, S], a row for each sequence", "", [&] { ctc_loss(x, zeros({6}, i64), lengths, lengths); });
  refuses("ctc_loss", "without a batch the targets must be [S]", "", [&] { ctc_loss(zeros({5, 4}), targets, 5, 3); });
  refuses("ctc_loss", "the blank must be one of 4 classes, not 4", "", [&] { ctc_loss(x, targets, lengths, lengths, {.blank = 4}); });
  refuses("ctc_loss", "input_lengths must be integers, one or [2]", "", [&] { ctc_loss(x, targets, zeros({3}, i64), lengths); });
  refuses("ctc_loss", "target_lengths must be integers, one or [2]", "", [&] { ctc_loss(x, targets, lengths, zeros({2})); });
  refuses("ctc_loss", "no reduction is called \"max\"", "", [&] { ctc_loss(x, targets, lengths, lengths, {.reduction = "max"}); });
  CHECK(ctc_loss(x, targets, 5, 3, {.reduction = "none"}).shape() == Shape{2});
}
