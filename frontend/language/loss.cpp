#include "weft/frontend/language/loss.h"

#include <numeric>

#include "weft/frontend/language/loss_recorder.h"

namespace weft {

using detail::LossRecorder;
using ir::Expr;
using ir::Value;

Expr detail::LossRecorder::stretched(const Arg& arg, const ir::Type& to, const char* what) {
  const Value v = value(arg, to.dtype);
  Shape both;
  if (!broadcast_shapes(v.shape(), to.shape, both) || both != to.shape)
    fail(fmt::format("the {} must broadcast to {}, but is {}", what, to_string(to.shape), to_string(v.shape())));
  return expr(builder.broadcast(v, to.shape));
}

Expr detail::LossRecorder::total(Value v) {
  Dims axes(v.shape().dims().size());
  std::iota(axes.begin(), axes.end(), 0);
  return expr(builder.sum(v, axes));
}

Tensor detail::LossRecorder::reduced(Value each, const std::string& reduction) {
  if (reduction == "none") return tensor(each);
  if (reduction == "sum") return tensor(total(each));
  if (reduction != "mean") fail("no reduction is called \"" + reduction + "\"");
  Dims axes(each.shape().dims().size());
  std::iota(axes.begin(), axes.end(), 0);
  return (*this)("mean", {each}, {{"axes", axes}});
}

std::pair<Expr, Expr> detail::LossRecorder::pair(const Arg& input, const Arg& target) {
  const DType dtype = common_dtype();
  if (!is_floating(dtype)) fail("input and target must be floating and of one shape");
  const Value x = widened(value(input, dtype)), t = widened(value(target, dtype));
  if (x.shape() != t.shape()) fail("input and target must be floating and of one shape");
  return {expr(x), expr(t)};
}

Tensor MseLoss::operator()(Arg input, Arg target, LossOptions options) const {
  LossRecorder r("mse_loss", {&input, &target});
  const auto [x, t] = r.pair(input, target);
  return r("mse_loss", {x, t}, {{"reduction", options.reduction}});
}

Tensor L1Loss::operator()(Arg input, Arg target, LossOptions options) const {
  LossRecorder r("l1_loss", {&input, &target});
  const auto [x, t] = r.pair(input, target);
  return r.reduced((x - t).apply("abs"), options.reduction);
}

Tensor SmoothL1Loss::operator()(Arg input, Arg target, SmoothL1Options options) const {
  LossRecorder r("smooth_l1_loss", {&input, &target});
  const auto [x, t] = r.pair(input, target);
  const double beta = options.beta;
  if (!(beta >= 0)) r.fail(fmt::format("beta must not be negative, but is {}", beta));
  const Expr d = (x - t).apply("abs");
  return r.reduced(beta == 0 ? d : select(d < beta, d * d * (0.5 / beta), d - 0.5 * beta), options.reduction);
}

Tensor HuberLoss::operator()(Arg input, Arg target, HuberOptions options) const {
  LossRecorder r("huber_loss", {&input, &target});
  const auto [x, t] = r.pair(input, target);
  const double delta = options.delta;
  if (!(delta > 0)) r.fail(fmt::format("delta must be positive, but is {}", delta));
  const Expr d = (x - t).apply("abs");
  return r.reduced(select(d < delta, d * d * 0.5, (d - 0.5 * delta) * delta), options.reduction);
}

Tensor Bce::operator()(Arg input, Arg target, BceOptions options) const {
  LossRecorder r("binary_cross_entropy", {&input, &target});
  const auto [x, t] = r.pair(input, target);
  Expr each = x.apply("binary_cross_entropy", t);
  if (options.weight) each = each * r.stretched(*options.weight, x.value().type(), "weight");
  return r.reduced(each, options.reduction);
}

Tensor BceWithLogits::operator()(Arg input, Arg target, BceWithLogitsOptions options) const {
  LossRecorder r("binary_cross_entropy_with_logits", {&input, &target});
  const auto [x, t] = r.pair(input, target);
  Expr log_p = x.apply("logsigmoid");
  if (options.pos_weight) {
    const Expr positive = r.stretched(*options.pos_weight, x.value().type(), "pos_weight");
    log_p = log_p * ((positive - 1.0) * t + 1.0);
  }
  Expr each = (1.0 - t) * x - log_p;
  if (options.weight) each = each * r.stretched(*options.weight, x.value().type(), "weight");
  return r.reduced(each, options.reduction);
}

Tensor KlDiv::operator()(Arg input, Arg target, KlDivOptions options) const {
  LossRecorder r("kl_div", {&input, &target});
  const auto [x, t] = r.pair(input, target);
  const Expr each = options.log_target ? t.apply("exp") * (t - x) : select(t == 0.0, t.like(0), t * t.apply("log")) - t * x;
  if (options.reduction != "batchmean") return r.reduced(each, options.reduction);
  const Shape& shape = x.value().shape();
  if (shape.rank() == 0) r.fail("\"batchmean\" needs a batch axis");
  return r.tensor(r.total(each) / static_cast<double>(shape[0]));
}

Tensor CosineEmbedding::operator()(Arg input1, Arg input2, Arg target, CosineEmbeddingOptions options) const {
  constexpr double epsilon = 1e-12;  // PyTorch's: a vector of zeros has a cosine of 0
  LossRecorder pair_of("cosine_embedding_loss", {&input1, &input2});
  const auto [a, b] = pair_of.pair(input1, input2);
  LossRecorder r("cosine_embedding_loss", {&input1, &input2, &target});
  const int rank = a.value().shape().rank();
  const Value t = r.value(target, a.value().dtype());
  Dims each_shape = a.value().shape().dims();
  if (!each_shape.empty()) each_shape.pop_back();
  if (rank < 1 || rank > 2 || t.shape() != Shape(each_shape)) r.fail("the inputs must be [N, D] and the target [N], or [D] and []");
  const auto along = [&](Expr v) { return r.expr(r.builder.sum(v, {rank - 1})); };
  const Expr lengths = ((along(a * a) + epsilon) * (along(b * b) + epsilon)).apply("sqrt");
  const Expr cosine = along(a * b) / lengths, y = r.expr(t), zero = y.like(0);
  const Expr apart = (cosine - options.margin).apply("relu");
  return pair_of.reduced(select(y == 1.0, 1.0 - cosine, zero) + select(y == -1.0, apart, zero), options.reduction);
}

}  // namespace weft
