// Weights that are computed of others against PyTorch's (tests/expected/parametrized.py): names, training, eval mode, clones, refusals.

#include "weft/tests/frontend/stored_numbers.h"

using namespace weft;
using testing::json;
using testing::line;

namespace {

template <class M>
struct Net : nn::Module {
  M layer;
  explicit Net(M made) : layer(add("layer", made)) {}
  Tensor forward(Tensor x) override { return layer(x); }
};

/// Of the module without the layer's own name.
void check_state(const nn::Module& net, const json& wanted, double tolerance) {
  CHECK(net.state_dict().size() == wanted.size());
  for (const auto& [name, p] : net.state_dict()) {
    INFO(name);
    REQUIRE(wanted.contains(name.substr(6)));
    testing::check_close(p.array(), wanted[name.substr(6)], tolerance);
  }
}

template <class M>
void check(const json& c, M layer, double tolerance = 1e-10) {
  Net<M> net(layer);
  for (const auto& [name, p] : net.state_dict()) {
    INFO(name);
    REQUIRE(c["state"].contains(name.substr(6)));
    testing::set_numbers(p, c["state"][name.substr(6)]);
  }
  for (const Target& target : {Target::reference(), Target::cpu()}) {
    Net<M> trained = nn::clone(net);
    optim::SGD sgd({.lr = 0.05});
    const Array input = testing::array_of(c["input"], f64), goal = testing::array_of(c["target"], f64);
    Graph g("train"), e("eval");
    const Tensor x = g.input("x", f64, input.shape()), y = g.input("y", f64, goal.shape());
    const Tensor loss = g.output("loss", mean(square(trained(x) - y)));
    Step step = compile(training_step(g, loss, trained.parameters(), sgd), target);
    for (const json& wanted : c["losses"])
      CHECK(step({{"x", input}, {"y", goal}})["loss"].item() == Approx(wanted.get<double>()).epsilon(tolerance));
    check_state(trained, c["after"], tolerance);
    trained.eval();
    e.output("y", trained(e.input("x", f64, input.shape())));
    testing::check_close(compile(e, target)({{"x", input}})["y"].array(), c["eval"], tolerance);
  }
  check_state(net, c["state"], tolerance);  // clones had numbers of their own
}

}  // namespace

TEST_CASE("norms of weights are PyTorch's", "[parametrize]") {
  const testing::DefaultDType default_type(f64);
  const json expected = testing::read_expected("parametrized");
  int checked = 0;
  for (const json& c : expected["cases"]) {
    const auto name = c["name"].get<std::string>();
    INFO(name);
    ++checked;
    const nn::Linear linear(3, 4);
    if (name == "weight_norm linear") check(c, nn::weight_norm(linear));
    else if (name == "weight_norm linear dim 1") check(c, nn::weight_norm(linear, "weight", 1));
    else if (name == "weight_norm linear whole") check(c, nn::weight_norm(linear, "weight", std::nullopt));
    else if (name == "weight_norm conv") check(c, nn::weight_norm(nn::Conv2d(2, 3, 3)));
    else if (name == "spectral_norm linear") check(c, nn::spectral_norm(linear));
    else if (name == "spectral_norm linear often")
      check(c, nn::spectral_norm(nn::Linear(3, 4, {.bias = false}), "weight", {.n_power_iterations = 3, .eps = 1e-6}));
    else if (name == "spectral_norm conv") check(c, nn::spectral_norm(nn::Conv2d(2, 3, 3)));
    else if (name == "spectral_norm transposed conv") check(c, nn::spectral_norm(nn::ConvTranspose2d(2, 3, 2)));
    else if (name == "spectral_norm bias") check(c, nn::spectral_norm(linear, "bias"));
    else if (name == "symmetric")
      check(c, nn::parametrize(nn::Linear(3, 3), "weight", [](Tensor w) { return triu(w) + triu(w, 1).transpose(); }));
    else --checked;
  }
  CHECK(checked == 10);
  CHECK(expected["cases"].size() == 10);
}

TEST_CASE("a weight that is normed starts as it was, and is read everywhere", "[parametrize]") {
  manual_seed(2);
  nn::Linear plain(3, 4), normed = nn::weight_norm(nn::clone(plain)), spectral = nn::spectral_norm(nn::clone(plain));
  Graph g("start");
  const Tensor x = g.input("x", f32, {2, 3});
  g.output("same", sum(abs(plain(x) - normed(x))));
  g.output("outside", sum(abs(plain.weight - 1.0 * normed.weight)));
  const auto [h, all] =
      scan(x, g.input("xs", f32, {3, 2, 1}), [&](Tensor state, Tensor step) { return state + step * mean(normed(state)); });
  g.output("in a scan", sum(all) + sum(h));
  g.output("norm", sum(square(matmul(spectral.weight, spectral.weight.shape()[0] == 4 ? x.transpose() : x))));
  Step step = compile(g, Target::cpu());
  const std::vector<float> six{1, -2, 3, 0.5f, 0.25f, -1};
  const Results r = step({{"x", six}, {"xs", six}});
  CHECK(r["same"].item() == Approx(0).margin(1e-5));
  CHECK(r["outside"].item() == Approx(0).margin(1e-5));
  // One computation of the weight, whoever reads it.
  int roots = 0;
  for (const ir::Op* op : g.recording()->graph().ops()) roots += op->is("sqrt");
  CHECK(roots == 3);  // of spectral_norm two
}

TEST_CASE("what is normed is trained, frozen and saved under its names", "[parametrize]") {
  nn::Linear layer(3, 4);
  layer.weight.requires_grad_(false);
  struct Two : nn::Module {
    nn::Linear layer;
    explicit Two(const nn::Linear& of) : layer(add("layer", nn::weight_norm(nn::spectral_norm(of, "bias")))) {}
    Tensor forward(Tensor x) override { return layer(x); }
  } net(layer);
  std::vector<std::string> names;
  for (const auto& [name, p] : net.named_parameters()) {
    names.push_back(name);
    CHECK(p.name() == name);
    CHECK(p.is_frozen() == (name.find("weight") != std::string::npos));
  }
  CHECK(names == std::vector<std::string>{"layer.parametrizations.bias.original", "layer.parametrizations.weight.original0",
                                          "layer.parametrizations.weight.original1"});
}

TEST_CASE("what cannot be normed names the line", "[parametrize]") {
  nn::Linear layer(3, 4);
  CHECK_THROWS_WITH(nn::weight_norm(layer, "wieght"), contains_text("the module has no parameter 'wieght' of its own") &&
                                                          contains_text("did you mean 'weight'") && contains_text(line(0)));
  CHECK_THROWS_WITH(nn::weight_norm(layer, "weight", 2), contains_text("dim 2 is no axis of 'weight'"));
  CHECK_THROWS_WITH(nn::spectral_norm(layer, "weight", {.n_power_iterations = 0}), contains_text("at least one power iteration, not 0"));
  const nn::Linear normed = nn::weight_norm(layer);
  CHECK_THROWS_WITH(nn::spectral_norm(normed), contains_text("'weight' is parametrized already"));
  nn::Linear wrong = nn::parametrize(nn::Linear(2, 3), "weight", [](Tensor w) { return w.transpose(); });
  Graph g("wrong");
  CHECK_THROWS_WITH(wrong(g.input("x", f32, {1, 2})), contains_text("the parametrization of") && contains_text("gives f32[2,3]"));
}
