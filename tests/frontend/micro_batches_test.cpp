// A batch in parts: loss and gradient are the whole batch's, whatever the loss divides by.

#include <sstream>

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::line;
using weft::testing::require_close;

namespace {

/// A loss of scores [n, 3] and labels [n], in which -100 may be ignored.
using Loss = Tensor (*)(Tensor, Tensor);

struct Outcome {
  double loss;
  std::vector<double> gradient;
};

const std::vector<float> inputs{1, 2, 3, 4, -1, 0, 2, 1, 0.5f, -0.25f, -2, 1.5f, 0.75f, 0.125f};

/// Of the linear model [2] -> [3] on seven samples.
Outcome in_parts(const Loss& loss, int64_t parts, const std::vector<int64_t>& labels) {
  Parameter w("w", Shape{3, 2}, std::vector<float>{.1f, -.2f, .3f, .4f, -.5f, .6f});
  Graph g("g");
  const auto n = static_cast<int64_t>(labels.size());
  Tensor x = g.input("x", f32, {n, 2}), y = g.input("y", i64, {n});
  Tensor whole = micro_batches(x, y, parts, [&](const Tensor& some_x, const Tensor& some_y) { return loss(linear(some_x, w), some_y); });
  g.output("loss", whole);
  g.output("dw", gradients<1>(whole, {w})[0]);
  Step s = compile(g, Target::cpu());
  Results r = s({{"x", std::vector<float>(inputs.begin(), inputs.begin() + 2 * n)}, {"y", labels}});
  const std::vector<float> dw = r["dw"].values<float>();
  return {r["loss"].item(), {dw.begin(), dw.end()}};
}

Tensor class_weights() { return testing::tensor({1, 5, 10}, {3}); }
Tensor probabilities(const Tensor& scores) { return softmax(scores, 1); }
Tensor one_hot_of(const Tensor& y) { return one_hot(select(y == -100, 0, y), 3, f32); }
Tensor counts(const Tensor& y) { return cast(y != -100, f32); }

/// Every loss of the library, by every reduction and option that divides by something, and some that users write.
const std::vector<std::pair<const char*, Loss>> losses{
    {"ignore_index", [](Tensor s, Tensor y) { return cross_entropy(s, y, {.ignore_index = -100}); }},
    {"nll", [](Tensor s, Tensor y) { return nll_loss(log_softmax(s, 1), y, {.ignore_index = -100}); }},
    {"nll sum", [](Tensor s, Tensor y) { return nll_loss(log_softmax(s, 1), y, {.ignore_index = -100, .reduction = "sum"}); }},
    {"class weights", [](Tensor s, Tensor y) { return cross_entropy(s, y, {.weight = class_weights(), .ignore_index = -100}); }},
    {"smoothed",
     [](Tensor s, Tensor y) { return cross_entropy(s, y, {.weight = class_weights(), .ignore_index = -100, .label_smoothing = 0.1}); }},
    {"sum", [](Tensor s, Tensor y) { return cross_entropy(s, y, {.ignore_index = -100, .reduction = "sum"}); }},
    {"weighted sum",
     [](Tensor s, Tensor y) { return cross_entropy(s, y, {.weight = class_weights(), .ignore_index = -100, .reduction = "sum"}); }},
    {"probabilities", [](Tensor s, Tensor y) { return cross_entropy(s, one_hot_of(y)); }},
    {"multi margin", [](Tensor s, Tensor y) { return multi_margin_loss(s, select(y == -100, 0, y), {.weight = class_weights()}); }},
    {"mse", [](Tensor s, Tensor y) { return mse_loss(s, one_hot_of(y)); }},
    {"mse sum", [](Tensor s, Tensor y) { return mse_loss(s, one_hot_of(y), {.reduction = "sum"}); }},
    {"l1", [](Tensor s, Tensor y) { return l1_loss(s, one_hot_of(y)); }},
    {"huber sum", [](Tensor s, Tensor y) { return huber_loss(s, one_hot_of(y), {.reduction = "sum"}); }},
    {"smooth l1", [](Tensor s, Tensor y) { return smooth_l1_loss(s, one_hot_of(y)); }},
    {"bce", [](Tensor s, Tensor y) { return binary_cross_entropy(probabilities(s), one_hot_of(y)); }},
    {"bce logits", [](Tensor s, Tensor y) { return binary_cross_entropy_with_logits(s, one_hot_of(y), {.reduction = "sum"}); }},
    {"batchmean", [](Tensor s, Tensor y) { return kl_div(log_softmax(s, 1), one_hot_of(y), {.reduction = "batchmean"}); }},
    {"cosine", [](Tensor s, Tensor y) { return cosine_embedding_loss(s, one_hot_of(y), cast(select(y == -100, -1, 1), f32)); }},
    {"masked",
     [](Tensor s, Tensor y) {
       const Tensor each = cross_entropy(s, select(y == -100, 0, y), {.reduction = "none"});
       return sum(each * counts(y)) / sum(counts(y));
     }},
    {"count of rows",
     [](Tensor s, Tensor y) {
       return cross_entropy(s, y, {.ignore_index = -100, .reduction = "sum"}) / static_cast<double>(s.shape()[0]);
     }},
    {"count of elements", [](Tensor s, Tensor) { return sum(square(s)) * (1.0 / static_cast<double>(s.shape().numel())); }},
    {"a factor that is no count", [](Tensor s, Tensor) { return sum(square(s)) * 0.5; }},
    {"root of a mean", [](Tensor s, Tensor y) { return pow(mse_loss(s, one_hot_of(y)) + 1e-6, 0.5); }},
    {"mean by class", [](Tensor s, Tensor) { return sum(square(mean(s, 0))); }},
    {"largest", [](Tensor s, Tensor) { return max(s) - min(s); }},
    {"dice",
     [](Tensor s, Tensor y) {
       const Tensor p = probabilities(s), t = one_hot_of(y);
       return 1 - (2 * sum(p * t) + 1) / (sum(p) + sum(t) + 1);
     }},
    {"several",
     [](Tensor s, Tensor y) {
       return cross_entropy(s, y, {.ignore_index = -100}) + 0.3 * mse_loss(s, one_hot_of(y)) -
              0.1 * sum(s) / static_cast<double>(s.shape()[0]);
     }},
};

}  // namespace

TEST_CASE("loss and gradient of a batch in parts are the whole batch's") {
  const std::vector<int64_t> labels{0, -100, 1, 2, 2, -100, 0};
  for (const auto& [name, loss] : losses) {
    const Outcome whole = in_parts(loss, 1, labels);
    REQUIRE(std::isfinite(whole.loss));
    for (const int64_t parts : {2, 3, 7, 9}) {
      INFO(name << " in " << parts << " parts");
      const Outcome got = in_parts(loss, parts, labels);
      CHECK(got.loss == Approx(whole.loss).epsilon(1e-5));
      require_close(got.gradient, whole.gradient, 1e-5);
    }
  }
}

TEST_CASE("parts of ignored targets alone count nothing, as in PyTorch") {
  // torch.nn.functional.cross_entropy(x @ w.T, y, ignore_index=-100) and its gradient.
  for (const int64_t parts : {1, 2, 4}) {
    const Outcome got = in_parts(losses[0].second, parts, {0, -100, 1, 2});
    CHECK(got.loss == Approx(1.80732).epsilon(1e-5));
    const Outcome none = in_parts(losses[0].second, parts, {-100, -100, -100, -100});
    CHECK(std::isnan(none.loss));
    CHECK(none.gradient == std::vector<double>(6, 0));
  }
}

TEST_CASE("a loss that no sums, means and extremes over rows make is refused, with its line") {
  Parameter w("w", Array(f32, {3, 2}));
  Graph g("g");
  Tensor x = g.input("x", f32, {6, 2}), y = g.input("y", i64, {6});
  std::string at;
  const auto parts_of = [&](auto loss) {
    return micro_batches(x, y, 2, [&](const Tensor& some_x, const Tensor&) { return loss(linear(some_x, w)); });
  };
  const auto check = [&](auto loss, const char* what) {
    try {
      parts_of(loss);
      FAIL("must throw: " << what);
    } catch (const Error& e) {
      CHECK_THAT(e.what(),
                 contains_text("micro_batches: ") && contains_text(what) && contains_text("at " + at) && contains_text("take one part"));
    }
  };
  check([&](Tensor s) { return at = line(), sum(slice(s, 0, 0, 1)); }, "picks rows");
  check([&](Tensor s) { return at = line(), mean(matmul(s, transpose(s))); }, "pairs the batch's rows");
  check([&](Tensor s) { return at = line(), sum(var(s, 0)); }, "compares rows");
  CHECK_NOTHROW(parts_of([&](Tensor s) { return sum(var(s, 1)); }));
}

TEST_CASE("the whole batch's call computes nothing and moves no buffer") {
  nn::BatchNorm1d bn(2, {.momentum = 1.0});
  std::vector<int64_t> rows;
  Graph g("g");
  Tensor x = g.input("x", f32, {4, 2}), y = g.input("y", f32, {4, 2});
  Tensor loss = micro_batches(x, y, 2, [&](const Tensor& some_x, const Tensor& some_y) {
    rows.push_back(some_x.shape()[0]);
    return mse_loss(bn(some_x), some_y);
  });
  CHECK(rows == std::vector<int64_t>{2, 2, 4});
  optim::SGD sgd({.lr = 0});
  g.output("loss", loss);
  Step step = compile(training_step(g, loss, bn.parameters(), sgd), Target::cpu());
  step({{"x", std::vector<float>{1, 10, 2, 20, 3, 30, 6, 60}}, {"y", std::vector<float>(8, 0)}});
  CHECK(bn.num_batches_tracked.array().at(0) == 2);
  CHECK(bn.running_mean.array().at(0) == Approx(4.5));  // of the last part
  std::istringstream lines(step.ir("simplify"));
  for (std::string text; std::getline(lines, text);)
    CHECK_FALSE((text.find(" = ") != std::string::npos && text.find(": f32[4,2]") != std::string::npos));
}
