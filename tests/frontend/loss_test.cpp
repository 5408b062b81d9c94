// Losses: what they refuse, and where they go. Values and gradients: layers_test.cpp.

#include "weft/tests/frontend/support.h"

using namespace weft;
using testing::line;

TEST_CASE("losses say what they require") {
  Graph g("losses");
  const Tensor x = g.input("x", f32, {3, 4}), t = g.input("t", f32, {4}), y = g.input("y", i64, {3});
  CHECK_THROWS_WITH(l1_loss(x, t),
                    contains_text("l1_loss: input and target must be floating and of one shape; given (f32[3,4], f32[4]), at " + line()));
  CHECK_THROWS_WITH(huber_loss(x, x, {.delta = 0}), contains_text("delta must be positive, but is 0"));
  CHECK_THROWS_WITH(smooth_l1_loss(x, x, {.beta = -1}), contains_text("beta must not be negative"));
  CHECK_THROWS_WITH(l1_loss(x, x, {.reduction = "average"}), contains_text("no reduction is called \"average\""));
  CHECK_THROWS_WITH(nll_loss(x, t), contains_text("target integers [3], one class index a sample"));
  CHECK_THROWS_WITH(cross_entropy(x, t), contains_text("probabilities must have the input's type and shape"));
  CHECK_THROWS_WITH(cross_entropy(x, x, {.ignore_index = 1}), contains_text("ignore_index is for class indices"));
  CHECK_THROWS_WITH(cross_entropy(x, y, {.label_smoothing = 1.5}), contains_text("label_smoothing must lie in [0, 1], but is 1.5"));
  CHECK_THROWS_WITH(cross_entropy(x, y, {.weight = Parameter("w", {1, 2})}),
                    contains_text("the weight must be [C], one number a class; given (f32[3,4], i64[3], f32[2])"));
  CHECK_THROWS_WITH(multi_margin_loss(x, y, {.p = 3}), contains_text("p must be 1 or 2"));
  CHECK_THROWS_WITH(binary_cross_entropy(x, x, {.weight = Parameter("w", {1, 2})}),
                    contains_text("the weight must broadcast to [3,4], but is [2]"));
  CHECK_THROWS_WITH(cosine_embedding_loss(x, x, x), contains_text("the inputs must be [N, D] and the target [N]"));
}

TEST_CASE("a class that does not exist gives nan however the loss is weighted") {
  const auto loss_of = [](int64_t bad, const auto& loss) {
    Graph g("nan");
    const Tensor x = testing::tensor({1, 2, 3, 4, 5, 6}, {2, 3}), y = testing::tensor({1, static_cast<double>(bad)}, {2}, i64);
    return testing::evaluate(g, loss(x, y))[0];
  };
  const Parameter weight("weight", {1.0, 2.0, 3.0});
  for (int64_t bad : {-1, 3, -100}) {
    CHECK(std::isnan(loss_of(bad, nn::CrossEntropyLoss({.weight = weight}))));
    CHECK(std::isnan(loss_of(bad, nn::CrossEntropyLoss({.ignore_index = -7, .label_smoothing = 0.1}))));
    CHECK(std::isnan(loss_of(bad, nn::MultiMarginLoss())));
  }
  CHECK_FALSE(std::isnan(loss_of(-100, nn::CrossEntropyLoss({.ignore_index = -100}))));
}

TEST_CASE("a plain cross entropy stays one op, and a criterion trains in a Trainer") {
  Graph g("plain");
  const Tensor loss = nn::CrossEntropyLoss()(g.input("x", f32, {3, 4}), g.input("y", i64, {3}));
  CHECK(loss.value().op()->is("cross_entropy"));

  const Dataset digits = generate_digits(128, 1);
  nn::Sequential net(nn::Flatten(), nn::Linear(digits.input_shape(1).numel(), 10));
  optim::SGD sgd({.lr = 0.1});
  const Parameter weight("weight", Shape{10}, std::vector<float>(10, 2.0f));
  const History history = Trainer(net, nn::CrossEntropyLoss({.weight = weight, .label_smoothing = 0.1}), sgd)
                              .fit(digits, {.epochs = 3, .batch = 32, .log = "none"});
  CHECK(history.last().train_loss < history.epochs[0].train_loss);
  CHECK(weight.values<float>() == std::vector<float>(10, 2.0f));
}
