// Functions of the tensor language as methods of a tensor, and how tensors' shapes are written.

#include <regex>

#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::testing::evaluate;
using weft::testing::line;
using weft::testing::tensor;

namespace {

/// Both compute the same, by ops with the same line.
template <class Method, class Function>
void check_same(const Method& method, const Function& function) {
  Graph graph("methods");
  const Tensor x = tensor({0.5, -0.25, 0.75, 0.125, 0.9, -0.6}, {2, 3}), by_method = method(x), by_function = function(x);
  CHECK(by_method.dtype() == by_function.dtype());
  CHECK(by_method.shape() == by_function.shape());
  const std::vector<double> got = evaluate(graph, cast(by_method, f64));
  Graph again("functions");
  const std::vector<double> want = evaluate(again, cast(function(tensor({0.5, -0.25, 0.75, 0.125, 0.9, -0.6}, {2, 3})), f64));
  for (size_t i = 0; i < want.size(); ++i) CHECK((got[i] == want[i] || (std::isnan(got[i]) && std::isnan(want[i]))));
}

#define SAME(method, function) check_same([](Tensor x) -> Tensor { return method; }, [](Tensor x) -> Tensor { return function; })

}  // namespace

TEST_CASE("methods of one tensor are the functions of their names") {
#define CHECK_METHOD(name) \
  if (std::string_view(#name) != "bitwise_not") SAME(x.name(), name(x));
  WEFT_METHODS_OF_ONE(CHECK_METHOD)
#undef CHECK_METHOD
#define CHECK_METHOD(name) \
  SAME(x.name(), name(x)); \
  SAME(x.name(1, true), name(x, 1, true));
  WEFT_METHODS_OVER_AXES(CHECK_METHOD)
#undef CHECK_METHOD
#define CHECK_METHOD(name) SAME(x.name(-1), name(x, -1));
  WEFT_METHODS_ALONG_AXIS(CHECK_METHOD)
#undef CHECK_METHOD
  SAME((x > 0).bitwise_not(), bitwise_not(x > 0));
  SAME(x.pow(2), pow(x, 2));
  SAME(x.matmul(x.transpose()), matmul(x, transpose(x)));
  SAME(x.argmax(1), argmax(x, 1));
  SAME(x.argmin(), argmin(x));
  SAME(x.var(1, 0), var(x, 1, 0));
  SAME(x.stddev(), stddev(x));
  SAME(x.norm(1, 0), norm(x, 1, 0));
  SAME(x.logsumexp(1), logsumexp(x, 1));
  SAME(x.masked_fill(x > 0.5, -1), masked_fill(x, x > 0.5, -1));
  SAME(x.clamp(0), clamp(x, 0));
  SAME(x.clamp(0, 0.5), clamp(x, 0, 0.5));
  SAME(x.clamp({.max = 0.5}), clamp(x, {}, 0.5));
  SAME(clamp(x, {.min = 0}), clamp(x, 0));
  SAME(x.to(i64), cast(x, i64));
  SAME(x.repeat({2, 1}), repeat(x, {2, 1}));
  SAME(x.flip(1), flip(x, 1));
  SAME(x.unflatten(1, {3, 1}), unflatten(x, 1, {3, 1}));
  SAME(x.chunk(3, 1)[2], chunk(x, 3, 1)[2]);
  SAME(x.split(2, 1)[1], split(x, 2, 1)[1]);
  SAME(x.unbind()[1], unbind(x)[1]);
}

TEST_CASE("a method reports the line of its call") {
  Graph g("lines");
  const Tensor x = g.input("x", f32, {2, 3});
  CHECK_THROWS_WITH(x.softmax(2), contains_text(line()));
  CHECK_THROWS_WITH(x.matmul(x), contains_text(line()));
  CHECK_THROWS_WITH(x.masked_fill(x, 0), contains_text(line()));
  CHECK_THROWS_WITH(x.bitwise_not(), contains_text(line()));
  CHECK_THROWS_WITH(x.argmax(5), contains_text(line()));
}

TEST_CASE("every elementwise function of one tensor is a method") {
  std::string methods = " ";
#define NAME(name) methods += #name " ";
  WEFT_METHODS_OF_ONE(NAME)
#undef NAME
  const std::string header = test::read_file(std::string(WEFT_SOURCE_DIR) + "/frontend/language/ops_elementwise.h");
  const std::regex declaration(R"(Tensor (\w+)\(Arg x\);)");
  int count = 0;
  for (std::sregex_iterator at(header.begin(), header.end(), declaration); at != std::sregex_iterator(); ++at, ++count) {
    INFO((*at)[1]);
    CHECK(methods.find(" " + (*at)[1].str() + " ") != std::string::npos);
  }
  CHECK(count > 30);
}

TEST_CASE("fmt writes shapes and element types") {
  Graph g("texts");
  const Tensor x = g.input("x", bf16, {2, 3});
  CHECK(fmt::format("{} {} {:>6}", x.shape(), x.dtype(), Shape{}) == "[2,3] bf16     []");
}

TEST_CASE("a norm of one axis takes its extent") {
  CHECK(nn::LayerNorm(4).weight.shape() == Shape{4});
  CHECK(nn::LayerNorm(4, {.bias = false}).parameters().size() == 1);
  CHECK(nn::LayerNorm({4}).weight.shape() == Shape{4});
  CHECK(nn::LayerNorm({3, 4}).weight.shape() == Shape{3, 4});
  CHECK(nn::RMSNorm(4).weight.shape() == Shape{4});
  CHECK_THROWS_WITH(nn::LayerNorm(-1), contains_text(line()));
}
