// A host program that computes in another rounding mode gets the numbers that every other program gets.

#include <cfenv>
#include <functional>

#include "weft/tests/frontend/support.h"

using namespace weft;

namespace {

using Numbers = std::vector<double>;

/// What `compute` gives in each mode.
std::vector<Numbers> in_every_mode(const std::function<Numbers()>& compute) {
  std::vector<Numbers> all;
  for (const int mode : {FE_TONEAREST, FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    manual_seed(4);
    REQUIRE(std::fesetround(mode) == 0);
    Numbers got;
    try {
      got = compute();
    } catch (...) {
      std::fesetround(FE_TONEAREST);
      throw;
    }
    const int after = std::fegetround();
    std::fesetround(FE_TONEAREST);
    CHECK(after == mode);
    all.push_back(std::move(got));
  }
  manual_seed(0);
  return all;
}

void require_equal(const std::function<Numbers()>& compute) {
  const auto all = in_every_mode(compute);
  REQUIRE_FALSE(all[0].empty());
  for (size_t i = 1; i < all.size(); ++i) CHECK(all[i] == all[0]);
}

void append(Numbers& to, const Array& array) {
  for (int64_t i = 0; i < array.shape().numel(); ++i) to.push_back(array.at(i));
}

Numbers state_of(const nn::Module& model) {
  Numbers all;
  for (const auto& [name, parameter] : model.state_dict()) append(all, std::as_const(parameter).array());
  return all;
}

}  // namespace

TEST_CASE("rounding: layers and init functions draw the same weights") {
  require_equal([] { return state_of(nn::Linear(17, 9)); });
  require_equal(
      [] { return state_of(nn::Sequential(nn::Conv2d(3, 5, 3), nn::Embedding(7, 5), nn::PReLU(3, {.init = 0.1}), nn::BatchNorm2d(3))); });
  require_equal([] { return state_of(nn::Linear(17, 9, {.dtype = bf16})); });
  const std::vector<std::function<void(Parameter&)>> inits{
      [](Parameter& p) { init::uniform(p, 0.1, 0.7); },
      [](Parameter& p) { init::normal(p, 0.1, 0.3); },
      [](Parameter& p) { init::trunc_normal(p, 0.1, 0.3); },
      [](Parameter& p) { init::constant(p, 0.1); },
      [](Parameter& p) { init::xavier_uniform(p, 0.3); },
      [](Parameter& p) { init::xavier_normal(p, 0.3); },
      [](Parameter& p) { init::kaiming_uniform(p); },
      [](Parameter& p) { init::kaiming_normal(p); },
      [](Parameter& p) { init::orthogonal(p, 0.3); },
      [](Parameter& p) { init::fill(p, [](int64_t i) { return 0.1 * static_cast<double>(i); }); },
  };
  for (size_t i = 0; i < inits.size(); ++i) {
    INFO("init " << i);
    require_equal([&] {
      Parameter p("p", Array(f32, {6, 5}));
      inits[i](p);
      Numbers all;
      append(all, p.array());
      return all;
    });
  }
  require_equal([] {
    Numbers all;
    append(all, Parameter("p", {0.1, 0.2, 1.0 / 3}).array());
    append(all, Parameter("p", 0.1).array());
    return all;
  });
}

TEST_CASE("rounding: constants are recorded, folded and compiled alike, and programs run alike") {
  for (const char* target : {"cpu", "reference"})
    require_equal([&] {
      Graph g("constants");
      const Tensor x = g.input("x", f32, {4});
      g.output("y", (x * 0.1 + 0.7) / 3 + exp(zeros({4}) + 0.1) * 0.3 - log_softmax(x * 1.1, 0) + dropout(x, 0.1));
      g.output("gelu", gelu(x, "tanh") + full({4}, 0.1) / 7.0);
      Step step = compile(g, Target::from_name(target));
      const Results r = step({{"x", std::vector<float>{0.1f, -0.2f, 0.3f, 1.7f}}});
      Numbers all;
      append(all, r["y"].array()), append(all, r["gelu"].array());
      return all;
    });
}

TEST_CASE("rounding: a fit gives the same weights, its data, schedules and averages included") {
  Dataset data = testing::points(52);
  data.divisor = 0.7f;
  data.transforms = {{.name = "scaled",
                      .shape = [](const Shape& s) { return s; },
                      .apply =
                          [](std::span<const float> from, const Shape&, std::span<float> to, Draw& draw) {
                            for (size_t i = 0; i < to.size(); ++i) to[i] = from[i] / 3 + static_cast<float>(0.1 * draw.uniform());
                          }}};
  require_equal([&] {
    nn::Sequential net(nn::Linear(2, 8), nn::Dropout(0.3), nn::Tanh(), nn::BatchNorm1d(8), nn::Linear(8, 2));
    optim::Adam adam({.lr = 0.013, .weight_decay = 0.1});
    optim::CosineAnnealingLR cosine(adam, {.t_max = 7});
    const History history = Trainer(net, cross_entropy, adam)
                                .schedule(cosine)
                                .fit(data, data, {.epochs = 3, .batch = 16, .accumulate = 2, .data = {.shuffle = true}, .log = "none"});
    Numbers all = state_of(net);
    for (const EpochResult& e : history.epochs) all.insert(all.end(), {e.train_loss, e.test_loss, e.train_accuracy()});
    all.push_back(adam.lr);
    AveragedWeights average(net.parameters(), {.decay = 0.9});
    for (int i = 0; i < 3; ++i) average.update();
    for (const Parameter& p : average.averages()) append(all, p.array());
    return all;
  });
}

TEST_CASE("rounding: data sets are converted alike, by a driver on the host as well") {
  Array x(f64, {3, 2});
  for (int64_t i = 0; i < 6; ++i) x.set(i, 0.1 * static_cast<double>(i + 1));
  require_equal([&] {
    const Dataset data = Dataset::from(x, Array(f64, {3}));
    Numbers all;
    append(all, data.inputs);
    return all;
  });
  require_equal([] {
    Parameter w("w", {0.3, -0.7, 0.1});
    Graph g("bowl");
    const Tensor loss = sum(pow(w - 0.1, 4)) + sum(square(w));
    LBFGS lbfgs(g, loss, {w}, {.line_search_fn = "strong_wolfe"});
    lbfgs.step();
    Numbers all;
    append(all, w.array());
    return all;
  });
}
