// Modules: names, sharing, modes, initialization, and that three spellings of a model are one graph.

#include <cmath>
#include <numeric>

#include "weft/ir/equal.h"
#include "weft/passes/pass.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/ops/expected.h"

using namespace weft;

namespace {

struct Net : nn::Module {
  nn::Linear fc1 = add("fc1", nn::Linear(6, 4));
  nn::Linear fc2 = add("fc2", nn::Linear(4, 2));
  Tensor forward(Tensor x) override { return fc2(relu(fc1(x))); }
};

struct Pair : nn::Module {
  Net left = add("left", Net());
  Parameter scale = add("scale", Parameter("scale", {1.0}));
  Tensor forward(Tensor x) override { return left(x) * scale; }
};

std::vector<std::string> names(const nn::Module& module) {
  std::vector<std::string> all;
  for (const auto& [name, parameter] : module.named_parameters()) all.push_back(name);
  return all;
}

/// A copy of the recorded graph with inputs and outputs under numbers, and no locations to compare.
ir::Module anonymous(const Graph& graph, bool simplified) {
  ir::Module m = Recorded(graph).module;
  if (simplified) passes::run(m, passes::pipeline("simplify"), passes::generic_target());
  for (size_t i = 0; i < m.graph().inputs().size(); ++i) m.graph().rename_input(static_cast<int>(i), std::to_string(i));
  m.graph().set_name("anonymous");
  return m;
}

}  // namespace

TEST_CASE("parameters have dotted names, own ones first") {
  Pair pair;
  CHECK(names(pair) == std::vector<std::string>{"scale", "left.fc1.weight", "left.fc1.bias", "left.fc2.weight", "left.fc2.bias"});
  CHECK(pair.left.fc1.weight.name() == "left.fc1.weight");
  CHECK(pair.parameters().size() == 5);
  CHECK(names(nn::Sequential(nn::Linear(2, 2), nn::ReLU(), nn::Linear(2, 2, {.bias = false}))) ==
        std::vector<std::string>{"0.weight", "0.bias", "2.weight"});
}

TEST_CASE("names of parts") {
  struct Bad : nn::Module {
    explicit Bad(const std::string& name) {
      add("taken", nn::ReLU());
      add(name, nn::ReLU());
    }
  };
  CHECK_THROWS_WITH(Bad("taken"), contains_text("has a part named 'taken' already"));
  CHECK_THROWS_WITH(Bad("a.b"), contains_text("'a.b' is no name for a part"));
  CHECK_THROWS_WITH(Bad(""), contains_text("'' is no name"));
}

TEST_CASE("a layer in two models is one layer, under the names of the first") {
  struct Other : nn::Module {
    nn::Linear head;
    explicit Other(const nn::Linear& shared) : head(add("head", shared)) {}
    Tensor forward(Tensor x) override { return head(x); }
  };
  manual_seed(0);
  Net net;
  Other other(net.fc1);
  CHECK(names(other) == std::vector<std::string>{"head.weight", "head.bias"});
  CHECK(other.head.weight.is(net.fc1.weight));
  CHECK(net.fc1.weight.name() == "fc1.weight");

  // What one model's step learns, the other computes with.
  const std::vector<float> x(12, 1.0f);
  Graph train("train"), eval("eval");
  Tensor loss = train.output("loss", mean(net(train.input("x", f32, {2, 6}))));
  eval.output("y", other(eval.input("x", f32, {2, 6})));
  optim::SGD sgd({.lr = 0.1});
  Step step = compile(training_step(train, loss, net.parameters(), sgd), Target::reference());
  Step shown = compile(eval, Target::reference());
  const float before = shown({{"x", x}})["y"].values<float>()[0];
  const std::vector<float> weight = net.fc1.weight.values<float>();
  step({{"x", x}});
  REQUIRE(net.fc1.weight.values<float>() != weight);
  const float after = shown({{"x", x}})["y"].values<float>()[0];
  const auto w = net.fc1.weight.values<float>();
  CHECK(after == Approx(std::accumulate(w.begin(), w.begin() + 6, net.fc1.bias.values<float>()[0])).epsilon(1e-5));
  CHECK((before != after || weight[0] == w[0]));
}

TEST_CASE("a parameter that is used twice is returned once") {
  struct Tied : nn::Module {
    nn::Linear a = add("a", nn::Linear(2, 2));
    nn::Linear b = add("b", a);
  };
  CHECK(names(Tied()) == std::vector<std::string>{"a.weight", "a.bias"});
}

TEST_CASE("Sequential, Module and bare tensors record the same graph") {
  Net net;
  nn::Sequential sequential(nn::Linear(6, 4), nn::ReLU(), nn::Linear(4, 2));
  Parameter w1("w1", Array(f32, {4, 6})), b1("b1", Array(f32, {4})), w2("w2", Array(f32, {2, 4})), b2("b2", Array(f32, {2}));

  Graph a("a"), b("b"), c("c"), d("d");
  a.output("y", net(a.input("x", f32, {3, 6})));
  b.output("y", sequential(b.input("x", f32, {3, 6})));
  c.output("y", linear(relu(linear(c.input("x", f32, {3, 6}), w1, b1)), w2, b2));
  // One operand at a time: C++ leaves open which operand of a call it evaluates, and so records, first.
  Tensor product = d.input("x", f32, {3, 6});
  product = matmul(product, transpose(w1));
  product = relu(product + b1);
  product = matmul(product, transpose(w2));
  d.output("y", product + b2);

  using ir::Compare;
  CHECK(ir::equal(anonymous(a, false), anonymous(b, false), Compare::ignore_locations));
  CHECK(ir::equal(anonymous(a, false), anonymous(c, false), Compare::ignore_locations));
  CHECK_FALSE(ir::equal(anonymous(a, false), anonymous(d, false), Compare::ignore_locations));
  CHECK(ir::equal(anonymous(a, true), anonymous(d, true), Compare::ignore_locations));
}

TEST_CASE("Linear starts as PyTorch's does") {
  manual_seed(0);
  const testing::json file = testing::read_expected("init");
  for (const auto& expected : file["cases"]) {
    if (expected["layer"] != "Linear") continue;
    const nn::Linear layer(expected["arguments"][0], expected["arguments"][1]);
    const double bound = expected["bound"], std = expected["std"];
    for (const Parameter& p : {layer.weight, layer.bias}) {
      const std::vector<float> v = p.values<float>();
      const double count = static_cast<double>(v.size());
      double mean = 0, square = 0;
      for (float x : v) {
        CHECK_FALSE(std::abs(x) > bound * (1 + 1e-6));
        mean += x / count;
        square += static_cast<double>(x) * x / count;
      }
      CHECK(*std::max_element(v.begin(), v.end()) > bound * (1 - 20 / count));
      CHECK(*std::min_element(v.begin(), v.end()) < -bound * (1 - 20 / count));
      CHECK(std::abs(mean) < 4 * std / std::sqrt(count));
      CHECK(std::abs(std::sqrt(square) / std - 1) < 4 / std::sqrt(count));
    }
  }
}

TEST_CASE("the seed decides the initialization") {
  manual_seed(7);
  const nn::Linear a(5, 5), b(5, 5);
  manual_seed(7);
  const nn::Linear c(5, 5);
  CHECK(a.weight.values<float>() == c.weight.values<float>());
  CHECK(a.weight.values<float>() != b.weight.values<float>());
  CHECK(a.weight.values<float>() != a.bias.values<float>());
  manual_seed(0);
}

TEST_CASE("Linear refuses what it cannot be") {
  const auto here = [](int line) { return fmt::format("module_test.cpp:{}", line); };
  CHECK_THROWS_WITH(nn::Linear(-1, 3),
                    contains_text("nn::Linear: sizes must not be negative, but there is -1, at ") && contains_text(here(__LINE__ - 1)));
  CHECK_THROWS_WITH(nn::Linear(1, 3, {.dtype = i64}),
                    contains_text("the element type must be floating, not i64, at ") && contains_text(here(__LINE__ - 1)));
  CHECK_THROWS_WITH(nn::Embedding(4, 3, {.padding_idx = 4}),
                    contains_text("nn::Embedding: padding_idx 4 is no row of 4, at ") && contains_text(here(__LINE__ - 1)));
  CHECK_THROWS_WITH(nn::BatchNorm2d(-4),
                    contains_text("BatchNorm2d: sizes must not be negative, but there is -4, at ") && contains_text(here(__LINE__ - 1)));
  CHECK_THROWS_WITH(nn::LayerNorm({4, -1}), contains_text("nn::LayerNorm: sizes must not be negative") && contains_text(here(__LINE__)));
  CHECK_THROWS_WITH(nn::RMSNorm({-1}), contains_text("nn::RMSNorm: sizes must not be negative") && contains_text(here(__LINE__)));
  CHECK_THROWS_WITH(nn::GroupNorm(3, 4),
                    contains_text("must divide the number of channels: 4 channels, 3 groups, at ") && contains_text(here(__LINE__ - 1)));
  CHECK_THROWS_WITH(nn::PReLU(0),
                    contains_text("nn::PReLU: there must be at least one parameter, not 0, at ") && contains_text(here(__LINE__ - 1)));
  CHECK(nn::Linear(0, 3).bias.values<float>() == std::vector<float>(3, 0));
}

TEST_CASE("the mode reaches every part, and copies share it") {
  nn::Dropout drop(0.5);
  nn::Sequential net(nn::Linear(4, 4), drop);
  nn::Sequential copy = net;
  CHECK(drop.training());
  net.eval();
  CHECK_FALSE(drop.training());
  CHECK_FALSE(copy.training());
  copy.train();
  CHECK(drop.training());
}

TEST_CASE("Dropout") {
  nn::Dropout drop(0.25);
  const std::vector<float> ones(4000, 1.0f);
  const auto record = [&](nn::Module& layer) {
    Graph g("drop");
    g.output("y", layer(g.input("x", f32, {4000})));
    return compile(g, Target::reference());
  };
  const auto zeros = [](const std::vector<float>& v) { return std::count(v.begin(), v.end(), 0.0f); };

  SECTION("in training, drops and scales, differently at every step") {
    Step step = record(drop);
    const auto first = step({{"x", ones}})["y"].values<float>(), second = step({{"x", ones}})["y"].values<float>();
    CHECK(first != second);
    CHECK(std::abs(static_cast<double>(zeros(first)) / 4000 - 0.25) < 0.03);
    CHECK(*std::max_element(first.begin(), first.end()) == Approx(1 / 0.75));
  }
  SECTION("in eval mode, does nothing, and stays so") {
    drop.eval();
    Step step = record(drop);
    drop.p = 0.75;
    CHECK(step({{"x", ones}})["y"].values<float>() == ones);
  }
  SECTION("its rate changes without compiling, down to 0") {
    Step step = record(drop);
    drop.p = 0.75;
    CHECK(std::abs(static_cast<double>(zeros(step({{"x", ones}})["y"].values<float>())) / 4000 - 0.75) < 0.03);
    drop.p = 0;
    CHECK(step({{"x", ones}})["y"].values<float>() == ones);
    drop.p = 1;
    CHECK(zeros(step({{"x", ones}})["y"].values<float>()) == 4000);
  }
  SECTION("what was off when recorded stays off, and says so") {
    nn::Dropout off(0);
    nn::Sequential net(off);
    Step step = record(net);
    CHECK(step({{"x", ones}})["y"].values<float>() == ones);
    off.p = 0.5;
    CHECK_THROWS_WITH(step({{"x", ones}}), contains_text("nn::Dropout's p is 0.5, but it was 0 when the step was recorded, so no "
                                                         "dropout was recorded at ") &&
                                               contains_text("(0)") && contains_text("compile again"));
    off.p = 0;
    CHECK(step({{"x", ones}})["y"].values<float>() == ones);
  }
  SECTION("rates are probabilities") {
    CHECK_THROWS_WITH(nn::Dropout(1.5), contains_text("nn::Dropout's p must lie in [0, 1], not be 1.5, at " + weft::testing::line()));
    CHECK_THROWS_WITH(drop.p = -0.1, contains_text("must lie in [0, 1]"));
    CHECK(drop.p == 0.25);
  }
  SECTION("its gradient has the mask of its step") {
    Parameter w("w", Array::of(Shape{4000}, ones));
    Graph g("drop");
    const Tensor y = g.output("y", drop(w));
    auto [dw] = gradients<1>(sum(y), {w});
    g.output("dw", dw);
    Step step = compile(g, Target::reference());
    const Results r = step();
    CHECK(r["y"].values<float>() == r["dw"].values<float>());
  }
}

TEST_CASE("a list of modules") {
  struct Deep : nn::Module {
    nn::ModuleList layers = add("layers", nn::ModuleList(nn::Linear(4, 4), [](Tensor x) { return x * 2; }));
    Deep() { layers.append(nn::Linear(4, 4)); }
    Tensor forward(Tensor x) override {
      for (nn::Module& layer : layers) x = x + layer(x);
      return x;
    }
  } deep;
  CHECK(names(deep) == std::vector<std::string>{"layers.0.weight", "layers.0.bias", "layers.2.weight", "layers.2.bias"});
  CHECK(deep.layers.size() == 3);
  CHECK_THROWS_WITH(deep.layers[3], contains_text("there are 3 modules, and no number 3"));
  Graph g("deep");
  const Tensor y = deep(g.input("x", f32, {2, 4}));
  CHECK_THAT(testing::where(Tensor(y.recording, y.value().op()->operand(1))), contains_text("(layers.2)"));
  deep.eval();
  CHECK_FALSE(deep.layers[0].training());
}

TEST_CASE("a module without forward(Tensor) says so") {
  struct Nothing : nn::Module {};
  Graph g("nothing");
  CHECK_THROWS_WITH(Nothing()(1.0), contains_text("defines no forward(Tensor)"));
}
