// Batch normalization's state: names, modes, programs that share it; and what normalizing costs. Values: layers_test.cpp.

#include "weft/tests/frontend/support.h"

using namespace weft;

namespace {

std::vector<std::string> names(const std::vector<std::pair<std::string, Parameter>>& named) {
  std::vector<std::string> all;
  for (const auto& [name, parameter] : named) all.push_back(name);
  return all;
}

std::vector<double> numbers(const Parameter& p) {
  std::vector<double> all;
  for (int64_t i = 0; i < p.shape().numel(); ++i) all.push_back(p.array().at(i));
  return all;
}

const std::vector<float> batch{1, 10, 2, 20, 3, 30, 6, 60};  // [4, 2]: means 3 and 30

/// Launches and library calls of a training step of a perceptron with `middle` after its first layer.
template <class Middle>
size_t calls_with(Middle middle) {
  nn::Sequential net(nn::Linear(784, 32), std::move(middle), nn::ReLU(), nn::Linear(32, 10));
  optim::Adam adam;
  Graph g("perceptron");
  Tensor x = g.input("x", f32, {32, 784}), y = g.input("y", i64, {32});
  Tensor loss = g.output("loss", cross_entropy(net(x), y));
  return compile(training_step(g, loss, net.parameters(), adam), Target::cpu()).calls().size();
}

}  // namespace

TEST_CASE("buffers have PyTorch's names and are no parameters") {
  nn::Sequential net(nn::Linear(3, 2), nn::BatchNorm1d(2), nn::BatchNorm1d(2, {.affine = false, .track_running_stats = false}));
  using Names = std::vector<std::string>;
  CHECK(names(net.named_parameters()) == Names{"0.weight", "0.bias", "1.weight", "1.bias"});
  CHECK(names(net.named_buffers()) == Names{"1.running_mean", "1.running_var", "1.num_batches_tracked"});
  CHECK(names(net.state_dict()) ==
        Names{"0.weight", "0.bias", "1.weight", "1.bias", "1.running_mean", "1.running_var", "1.num_batches_tracked"});
  Graph g("net");
  net(g.input("x", f32, {4, 3}));
  CHECK(g.parameters().size() == 4);
  CHECK_THAT(g.ir(), contains_text("1.running_mean: f32[2] state at "));
}

TEST_CASE("training and evaluation share the statistics, and only training moves them") {
  for (const Target& target : {Target::cpu(), Target::reference()}) {
    nn::BatchNorm1d bn(2, {.momentum = 0.5});
    Graph train("train"), eval("eval");
    Tensor loss = train.output("loss", sum(bn(train.input("x", f32, {4, 2}))));
    bn.eval();
    eval.output("y", bn(eval.input("x", f32, {4, 2})));
    optim::SGD sgd({.lr = 0});
    Step training = compile(training_step(train, loss, bn.parameters(), sgd), target), evaluation = compile(eval, target);

    CHECK(evaluation({{"x", batch}})["y"].values<float>()[1] == Approx(10).epsilon(1e-4));
    CHECK(numbers(bn.running_mean) == std::vector<double>{0, 0});
    training({{"x", batch}});
    training({{"x", batch}});
    CHECK(numbers(bn.running_mean) == std::vector<double>{2.25, 22.5});
    CHECK(numbers(bn.num_batches_tracked) == std::vector<double>{2});
    const double variance = numbers(bn.running_var)[0];
    CHECK(variance == Approx(0.25 + 0.75 * 14.0 / 3));  // unbiased: 4 + 1 + 0 + 9 over 3
    CHECK(evaluation({{"x", batch}})["y"].values<float>()[0] == Approx((1 - 2.25) / std::sqrt(variance + 1e-5)));
    CHECK(numbers(bn.num_batches_tracked) == std::vector<double>{2});
  }
}

TEST_CASE("a layer that is called twice in one graph updates twice") {
  nn::BatchNorm1d bn(2, {.momentum = 0.5});
  Graph g("twice");
  Tensor x = g.input("x", f32, {4, 2});
  g.output("first", bn(x));
  g.output("second", bn(x * 2));
  Step step = compile(g, Target::cpu());
  step({{"x", batch}});
  CHECK(numbers(bn.running_mean) == std::vector<double>{0.5 * 1.5 + 0.5 * 6, 0.5 * 15 + 0.5 * 60});
  CHECK(numbers(bn.num_batches_tracked) == std::vector<double>{2});
}

TEST_CASE("batch normalization says what it requires") {
  nn::BatchNorm1d bn(2);
  nn::BatchNorm2d bn2(2);
  Graph g("refused");
  CHECK_THROWS_WITH(bn(g.input("a", f32, {4, 3})),
                    contains_text("nn::BatchNorm1d: x must be [N, 2] or [N, C, L]; given (f32[4,3]), at " + testing::line()));
  CHECK_THROWS_WITH(bn2(g.input("b", f32, {4, 2})), contains_text("nn::BatchNorm2d: x must be [N, 2, H, W]"));
  CHECK_THROWS_WITH(nn::BatchNorm3d(2)(g.input("b3", f32, {4, 2, 2, 2})), contains_text("nn::BatchNorm3d: x must be [N, 2, D, H, W]"));
  CHECK_THROWS_WITH(bn(g.input("c", f32, {1, 2})), contains_text("there must be more than one value per channel"));
  CHECK_THROWS_WITH(nn::BatchNorm1d(-1), contains_text("sizes must not be negative"));
  CHECK_THROWS_WITH(nn::GroupNorm(2, 3), contains_text("must divide"));
  CHECK_THROWS_WITH(nn::LayerNorm({3})(g.input("d", f32, {4, 2})), contains_text("the last axes of x must be [3]"));
  bn.eval();
  CHECK_NOTHROW(bn(g.input("e", f32, {1, 2})));
}

TEST_CASE("a module of the user's keeps state of its own") {
  struct Largest : nn::Module {
    Parameter seen = add_buffer("seen", Array(f32, {2}));
    Tensor forward(Tensor x) override {
      update(seen, maximum(current(seen, x), max(x, 0)));
      return current(seen, x);
    }
  } largest;
  Graph g("largest");
  g.output("y", largest(g.input("x", f32, {4, 2})));
  Step step = compile(g, Target::cpu());
  CHECK(step({{"x", batch}})["y"].values<float>() == std::vector<float>{6, 60});
  const std::vector<float> smaller(8, 7);
  CHECK(step({{"x", smaller}})["y"].values<float>() == std::vector<float>{7, 60});

  struct Wrong : nn::Module {
    Parameter seen = add_buffer("seen", Array(f32, {2}));
    Tensor forward(Tensor x) override { return update(seen, x), x; }
  } wrong;
  CHECK_THROWS_WITH(wrong(g.input("z", f32, {4, 2})),
                    contains_text("the new value of the buffer 'seen' is f32[4,2], but the buffer is f32[2]"));
  CHECK_THROWS_WITH(([] {
                      struct Twice : nn::Module {
                        Twice() { add_buffer("a", Array(f32, {})), add_buffer("a", Array(f32, {})); }
                      };
                      Twice();
                    }()),
                    contains_text("has a part named 'a' already"));
}

TEST_CASE("normalizing adds no launch to a training step") {
  const size_t plain = calls_with(nn::Identity());
  CHECK(calls_with(nn::BatchNorm1d(32)) == plain);
  CHECK(calls_with(nn::LayerNorm({32})) == plain);
}

TEST_CASE("an empty batch is counted, and moves no statistics") {
  const std::vector<std::pair<std::optional<double>, Shape>> cases{{0.1, {0, 3, 2, 2}}, {0.1, {2, 3, 0, 2}}, {std::nullopt, {0, 3, 2, 2}}};
  for (const auto& [momentum, shape] : cases) {
    nn::BatchNorm2d bn(3, {.momentum = momentum});
    Graph g("empty");
    Tensor x = g.input("x", f32, shape);
    g.output("y", bn(x));
    Step step = compile(g, Target::cpu());
    step({{"x", std::vector<float>{}}});
    CHECK(numbers(bn.running_mean) == std::vector<double>{0, 0, 0});
    CHECK(numbers(bn.running_var) == std::vector<double>{1, 1, 1});
    CHECK(numbers(bn.num_batches_tracked) == std::vector<double>{1});
  }
}

TEST_CASE("one value to normalize, and an eps that is not positive, are refused where PyTorch refuses them") {
  Graph g("refused");
  Tensor one = g.input("one", f32, {1, 3}), some = g.input("some", f32, {4, 3});
  CHECK_THROWS_WITH(nn::BatchNorm1d(3)(one), contains_text("more than one value per channel"));
  nn::BatchNorm1d untracked(3, {.track_running_stats = false});
  untracked.eval();
  CHECK_THROWS_WITH(untracked(one), contains_text("more than one value per channel"));
  for (const double eps : {0.0, -1.0})
    CHECK_THROWS_WITH(nn::BatchNorm1d(3, {.eps = eps})(some), contains_text("eps must be positive where the statistics are the batch's"));
  nn::BatchNorm1d negative(3, {.eps = -1}), zero(3, {.eps = 0});
  negative.eval(), zero.eval();
  CHECK_THROWS_WITH(negative(some), contains_text("eps must be 0 or positive, but is -1"));
  CHECK_NOTHROW(zero(some));
  CHECK_THROWS_WITH(nn::BatchNorm1d(3, {.eps = NAN}), contains_text("eps and momentum must be finite"));
  CHECK_THROWS_WITH(nn::BatchNorm1d(3, {.momentum = INFINITY}), contains_text("eps and momentum must be finite"));

  CHECK_THROWS_WITH(nn::GroupNorm(3, 3)(one), contains_text("more than one value to normalize"));
  CHECK_NOTHROW(nn::GroupNorm(3, 3)(some));
  CHECK_NOTHROW(nn::GroupNorm(1, 3)(one));
  CHECK_NOTHROW(nn::GroupNorm(3, 3)(g.input("none", f32, {0, 3})));
  CHECK_THROWS_WITH(nn::LayerNorm({3}, {.eps = -1})(some), contains_text("eps must be finite and not negative"));
  CHECK_THROWS_WITH(nn::GroupNorm(1, 3, {.eps = -1})(some), contains_text("eps must be finite and not negative"));
}
