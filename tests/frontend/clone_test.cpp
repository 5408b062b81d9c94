// nn::clone: a deep copy of a module has numbers of its own under the same names, and computes the same.

#include <optional>

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::line;

namespace {

struct Block : nn::Module {
  nn::Linear fc = add("fc", nn::Linear(4, 4));
  nn::BatchNorm1d norm = add("norm", nn::BatchNorm1d(4));
  nn::Dropout drop = add("drop", nn::Dropout(0.25));
  Tensor forward(Tensor x) override { return drop(norm(fc(x))); }
};

/// Parts in members, in vectors, in an optional and in every container; a tied weight, a parameter and a buffer of its own.
struct Net : nn::Module {
  Block first = add("first", Block());
  std::vector<nn::Linear> row;
  std::optional<nn::Linear> last;
  nn::ModuleList list = add("list", nn::ModuleList(Block(), nn::Linear(4, 4), [](Tensor x) { return relu(x); }));
  nn::ModuleDict dict = add("dict", nn::ModuleDict());
  nn::Sequential inner = add("inner", nn::Sequential(nn::Linear(4, 4), nn::Sequential(nn::ReLU(), Block())));
  nn::ParameterList scales = add("scales", nn::ParameterList({Parameter("a", {1.5}), Parameter("b", {0.5})}));
  nn::LSTM lstm = add("lstm", nn::LSTM(4, 4));
  Parameter shift = add("shift", Parameter("shift", {0.25}));
  Parameter seen = add_buffer("seen", Array(f32, {2}));
  std::vector<Parameter> weights;

  Net() {
    for (int i = 0; i < 3; ++i) row.push_back(add("row" + std::to_string(i), nn::Linear(4, 4)));
    for (int i = 0; i < 2; ++i) weights.push_back(add("weight" + std::to_string(i), Parameter("w", {1.0 + i})));
    last = add("last", nn::Linear(4, 4));
    dict.insert("one", nn::Linear(4, 4));
    last->weight = row[1].weight;
  }
  Tensor forward(Tensor x) override {
    x = first(x) + shift;
    for (nn::Linear& layer : row) x = layer(x);
    for (nn::Module& layer : list) x = layer(x);
    x = inner(dict["one"]((*last)(x))) * scales[0] + scales[1];
    for (const Parameter& w : weights) x = x * w;
    return lstm(x).output;
  }
};

/// Every second number changed.
void disturb(const nn::Module& module) {
  for (auto& [name, parameter] : module.state_dict())
    for (int64_t i = 0; i < parameter.shape().numel(); i += 2) parameter.array().set(i, parameter.array().at(i) + 0.5);
}

std::vector<std::vector<double>> numbers(const nn::Module& module) {
  std::vector<std::vector<double>> all;
  for (const auto& [name, parameter] : module.state_dict()) {
    all.emplace_back();
    for (int64_t i = 0; i < parameter.shape().numel(); ++i) all.back().push_back(parameter.array().at(i));
  }
  return all;
}

std::vector<std::string> names(const nn::Module& module) {
  std::vector<std::string> all;
  for (const auto& [name, parameter] : module.state_dict()) all.push_back(name);
  return all;
}

template <class M>
std::vector<float> result(M& module) {
  Graph graph("result");
  const Tensor x = graph.input("x", f32, {2, 4});
  graph.output("y", module(x));
  return compile(graph, Target::cpu())({{"x", std::vector<float>{1, -2, 3, 0.5f, 0, 1, -1, 2}}})["y"].template values<float>();
}

}  // namespace

TEST_CASE("a clone has the same names and numbers, all of its own") {
  manual_seed(3);
  const Net net;
  disturb(net);
  const Net copy = nn::clone(net);
  REQUIRE(names(copy) == names(net));
  CHECK(numbers(copy) == numbers(net));
  const auto ours = net.state_dict(), others = copy.state_dict();
  for (size_t i = 0; i < ours.size(); ++i) {
    INFO(ours[i].first);
    CHECK(others[i].second.name() == ours[i].second.name());
    CHECK(others[i].second.is_buffer() == ours[i].second.is_buffer());
    for (const auto& [name, theirs] : ours) CHECK(!others[i].second.is(theirs));
  }
  CHECK(copy.parameters().size() == net.parameters().size());  // what is tied is tied
  CHECK(copy.last->weight.is(copy.row[1].weight));

  const auto before = numbers(net);
  disturb(copy);
  CHECK(numbers(net) == before);
  CHECK(numbers(copy) != before);
}

TEST_CASE("a clone computes with its own numbers") {
  manual_seed(4);
  Net net;
  net.eval();
  Net copy = nn::clone(net);
  const std::vector<float> before = result(net);
  CHECK(result(copy) == before);
  disturb(net);
  CHECK(result(net) != before);
  CHECK(result(copy) == before);
}

TEST_CASE("every member of a clone names the clone's numbers") {
  manual_seed(5);
  const Net net;
  Net copy = nn::clone(net);
  // A member that named the original's would be found in the graph of a forward pass.
  Graph graph("members");
  copy(graph.input("x", f32, {2, 4}));
  const auto own = copy.parameters();
  REQUIRE(graph.parameters().size() == own.size());
  for (const Parameter& used : graph.parameters())
    CHECK(std::any_of(own.begin(), own.end(), [&](const Parameter& p) { return p.is(used); }));
}

TEST_CASE("members of a clone are its slots: what is tied later is tied in its copies") {
  Net net;
  Net copy = nn::clone(net);
  const Net second = copy;
  copy.row[0].weight = copy.row[2].weight;
  copy.weights[0] = copy.weights[1];
  CHECK(second.parameters().size() == net.parameters().size() - 2);
  CHECK(second.first.fc.weight.is(copy.first.fc.weight));
}

TEST_CASE("a clone keeps mode, frozen parameters and dropout rates, and changes none of the original's") {
  Net net;
  net.first.eval();
  net.row[0].requires_grad_(false);
  net.first.drop.p = 0.75;
  Net copy = nn::clone(net);
  CHECK(copy.training());
  CHECK_FALSE(copy.first.norm.training());
  CHECK_FALSE(copy.row[0].weight.requires_grad());
  CHECK(copy.row[1].weight.requires_grad());
  CHECK(copy.first.drop.p == 0.75);

  copy.first.drop.p = 0.5;
  copy.row[0].requires_grad_(true);
  copy.eval();
  CHECK(net.first.drop.p == 0.75);
  CHECK_FALSE(net.row[0].weight.requires_grad());
  CHECK(net.training());
  CHECK(net.row[1].training());
}

TEST_CASE("a clone of a part stands alone") {
  Net net;
  nn::Linear other(4, 4);
  other.weight = net.first.fc.weight;
  Block part = nn::clone(net.first);
  CHECK(part.fc.weight.name() == "fc.weight");
  CHECK(net.first.fc.weight.name() == "first.fc.weight");
  CHECK_FALSE(part.fc.weight.is(net.first.fc.weight));
  // The weight's owner is not in this one.
  CHECK(nn::clone(other).weight.name() == "weight");

  struct Two : nn::Module {
    Block a, b;
    explicit Two(const Block& block) : a(add("a", block)), b(add("b", nn::clone(block))) {}
  };
  Two two(part);
  CHECK(two.a.fc.weight.name() == "a.fc.weight");
  CHECK(two.b.fc.weight.name() == "b.fc.weight");
  CHECK(two.parameters().size() == 2 * part.parameters().size());
}

TEST_CASE("a clone of a clone, and of a copy") {
  Net net;
  const Net copy = net;
  const Net third = nn::clone(nn::clone(copy));
  CHECK(names(third) == names(net));
  CHECK(numbers(third) == numbers(net));
  CHECK_FALSE(third.first.fc.weight.is(net.first.fc.weight));
  // In a copy, what a vector holds are handles that are no members.
  const auto own = third.parameters();
  CHECK(std::any_of(own.begin(), own.end(), [&](const Parameter& p) { return p.is(third.weights[0]); }));
}

TEST_CASE("functions in a clone: what they captured by value is cloned, what by reference is shared") {
  nn::Linear inside(4, 4), outside(4, 4);
  nn::Sequential net([inside](Tensor x) mutable { return inside(x); }, [&outside](Tensor x) { return matmul(x, outside.weight); });
  nn::Sequential copy = nn::clone(net);
  Graph graph("captured");
  copy(graph.input("x", f32, {2, 4}));
  const auto used = graph.parameters();
  REQUIRE(used.size() == 3);
  CHECK_FALSE(used[0].is(inside.weight));
  CHECK(used[0].values<float>() == inside.weight.values<float>());
  CHECK(used[2].is(outside.weight));

  const Parameter scale("scale", {2.0});
  nn::Sequential scaled([scale](Tensor x) { return x * scale; });
  nn::Sequential other = nn::clone(scaled);
  Graph own("own");
  other(own.input("x", f32, {2, 4}));
  REQUIRE(own.parameters().size() == 1);
  CHECK_FALSE(own.parameters()[0].is(scale));
  CHECK(own.parameters()[0].name() == "scale");
  CHECK(own.parameters()[0].values<float>() == scale.values<float>());
}

TEST_CASE("a clone trains apart from its original") {
  manual_seed(6);
  nn::Sequential net(nn::Linear(2, 8), nn::ReLU(), nn::Linear(8, 2));
  nn::Sequential copy = nn::clone(net);
  const auto before = numbers(net);
  optim::SGD sgd({.lr = 0.1}), other({.lr = 0.1});
  const Dataset data = weft::testing::points(32);
  const FitOptions options{.batch = 16, .log = "none"};
  Trainer(copy, cross_entropy, sgd).fit(data, options);
  CHECK(numbers(net) == before);
  CHECK(numbers(copy) != before);
  Trainer(net, cross_entropy, other).fit(data, options);
  CHECK(numbers(net) == numbers(copy));
}

TEST_CASE("layers of a transformer start as the layer that was given, with all that it is") {
  nn::TransformerEncoderLayer layer(4, 2, {.dim_feedforward = 8, .dropout = 0.5});
  layer.dropout.p = 0.125;
  layer.norm1.requires_grad_(false);
  nn::TransformerEncoder stack(layer, 2);
  const auto each = layer.parameters().size();
  REQUIRE(stack.parameters().size() == 2 * each);
  auto& second = static_cast<nn::TransformerEncoderLayer&>(stack.layers[1]);
  CHECK(second.dropout.p == 0.125);
  CHECK_FALSE(second.norm1.weight.requires_grad());
  CHECK(second.linear1.weight.name() == "layers.1.linear1.weight");
  CHECK(second.linear1.weight.values<float>() == layer.linear1.weight.values<float>());
  CHECK_FALSE(second.linear1.weight.is(layer.linear1.weight));
}

TEST_CASE("what cannot be cloned says so, with the line") {
  struct ByPointer : nn::Module {
    std::shared_ptr<nn::Linear> fc = std::make_shared<nn::Linear>(2, 2);
    ByPointer() { register_part("fc", *fc); }
  };
  struct Inside : nn::Module {
    ByPointer part = add("part", ByPointer());
  };
  CHECK_THROWS_WITH(nn::clone(Inside()),
                    contains_text("holds 'part.fc' by a pointer") && contains_text(line()) && contains_text("hold it by value"));

  struct Derived : nn::Linear {
    Derived() : nn::Linear(2, 2) {}
  };
  const Derived derived;
  const nn::Linear& base = derived;
  CHECK_THROWS_WITH(nn::clone(base), contains_text("derived from the one that is cloned") && contains_text(line()));

  struct Fresh : nn::Module {
    nn::Linear fc = add("fc", nn::Linear(2, 2));
    Fresh() = default;
    Fresh(const Fresh&) : nn::Module() {}
  };
  CHECK_THROWS_WITH(nn::clone(Fresh()), contains_text("copy constructor does not copy its nn::Module"));

  const nn::Sequential net(std::shared_ptr<nn::Module>(std::make_shared<nn::Linear>(2, 2)));
  CHECK_THROWS_WITH(nn::clone(net), contains_text("std::shared_ptr<nn::Module>") && contains_text("give it by value"));
  // Nothing stays cloning behind an error.
  const nn::Linear one(2, 2);
  const nn::Linear two = one;
  CHECK(two.weight.is(one.weight));
}
