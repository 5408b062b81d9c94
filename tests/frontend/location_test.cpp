// Every op knows the user's line, however deep in the library it is recorded, and errors name it.

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::line;
using weft::testing::where;

namespace {

std::string line_in_block, line_in_helper;

struct Block : nn::Module {
  nn::Linear fc = add("fc", nn::Linear(4, 4));
  Tensor forward(Tensor x) override {
    line_in_block = line(1);
    return tanh(x);
  }
};

Tensor helper(Tensor x) {
  line_in_helper = line(1);
  return x * 2;
}

struct Mismatched : nn::Module {
  nn::Linear fc = add("fc", nn::Linear(4, 4));
  nn::Linear head = add("head", nn::Linear(5, 2));
  Tensor forward(Tensor x) override {
    line_in_block = line(1);
    return head(fc(x));
  }
};

}  // namespace

TEST_CASE("operators and functions report the line of the call") {
  Graph g("lines");
  Parameter w("w", {1.0, 2.0, 3.0, 4.0});
  Tensor x = g.input("x", f32, {4});
  CHECK(where(x + w) == line());
  CHECK(where(1 - x) == line());
  CHECK(where(-x) == line());
  CHECK(where(!(x < w)) == line());
  CHECK(where((x < w) && (w < x)) == line());
  CHECK(where(x == 3) == line());
  CHECK(where(relu(exp(x))) == line());
  CHECK(where(x.sum()) == line());
  CHECK(where(dropout(x, 0.5)) == line());
  CHECK(where(zeros({3})) == line());
  CHECK(where(cross_entropy(x, constant(Array(i64, {})))) == line());
  const Tensor spread = relu(x);
  CHECK((where(spread) == line(-2) || where(spread) == line(-1)));  // compilers differ: the call or its operand
}

TEST_CASE("a library layer reports the line where it is called, and its name") {
  Graph g("lines");
  nn::Linear fc(4, 3);
  Tensor x = g.input("x", f32, {2, 4});
  CHECK(where(fc(x)) == line());
  nn::Sequential net(nn::Linear(4, 4), nn::ReLU(), nn::Sequential(nn::Linear(4, 4), nn::Sigmoid()));
  CHECK(where(net(x)) == line() + " (2.1)");
}

TEST_CASE("a user's module, lambda and helper report their own lines") {
  Graph g("lines");
  Tensor x = g.input("x", f32, {2, 4});
  std::string line_in_lambda;
  const auto lambda = [&](Tensor t) {
    line_in_lambda = line(1);
    return t + 1;
  };
  SECTION("a module in a Sequential") {
    const Tensor y = nn::Sequential(nn::ReLU(), Block())(x);
    CHECK(where(y) == line_in_block + " (1)");
  }
  SECTION("a lambda in a Sequential") {
    const Tensor y = nn::Sequential(nn::ReLU(), lambda)(x);
    CHECK(where(y) == line_in_lambda + " (1)");
  }
  SECTION("a function of the library in a Sequential: the line of the call") {
    CHECK(where(nn::Sequential(nn::Linear(4, 4), relu)(x)) == line() + " (1)");
  }
  SECTION("a helper") {
    const Tensor y = helper(x);
    CHECK(where(y) == line_in_helper);
  }
}

TEST_CASE("an input, a parameter and an output know their lines") {
  Graph g("lines");
  Tensor x = g.input("x", f32, {2, 4});
  const std::string input = line(-1);
  nn::Linear fc(4, 3);
  Tensor y = fc(x);
  const std::string use = line(-1);
  g.output("y", y);
  CHECK_THAT(g.ir(),
             contains_text("input %x: f32[2,4] at \"" + input.substr(0, input.rfind(':')) + "\":" + input.substr(input.rfind(':') + 1)));
  CHECK(to_string(g.recording()->module.graph().find_input("weight")->locations) == use);
  CHECK(to_string(g.recording()->module.graph().outputs()[0].locations) == line(-4));
}

TEST_CASE("an error inside a layer names the user's line and the layer") {
  Graph g("lines");
  Mismatched net;
  Tensor x = g.input("x", f32, {2, 4});
  CHECK_THROWS_WITH(net(x), contains_text("given (f32[2,4], f32[2,5]") && contains_text("(head)"));
  try {
    net(x);
    FAIL("must throw");
  } catch (const Error& e) {
    CHECK_THAT(e.what(), contains_text("at " + line_in_block + " (head)"));
  }
}

TEST_CASE("gradients keep the lines of what they differentiate") {
  Graph g("lines");
  Tensor x = g.input("x", f32, {3});
  const Tensor loss = mean(exp(x));
  const std::string forward = line(-1);
  const auto [dx] = gradients<1>(loss, {x});
  CHECK(where(dx) == forward);
}
