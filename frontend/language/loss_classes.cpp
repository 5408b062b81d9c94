// Losses of scores for classes.

#include "weft/frontend/language/loss_recorder.h"
#include "weft/ir/class_axis.h"

namespace weft {
namespace {

using detail::LossRecorder;
using detail::pointer;
using ir::class_axis;
using ir::Expr;
using ir::Value;

/// The class weights, which must be [C], in the input's type.
Value weights(LossRecorder& r, const Arg& weight, Value input) {
  const Value w = r.value(weight, input.dtype());
  if (w.shape() != Shape{input.shape()[static_cast<int>(class_axis(input.shape()))]}) r.fail("the weight must be [C], one number a class");
  return w;
}

/// A number for each class, stretched over the input.
Expr over_classes(LossRecorder& r, Value per_class, Value input) {
  Dims column(input.shape().dims().size(), 1);
  column[static_cast<size_t>(class_axis(input.shape()))] = per_class.shape()[0];
  return r.expr(r.builder.broadcast(r.builder.reshape(per_class, Shape(column)), input.shape()));
}

/// A number for each sample, stretched over its classes.
Expr over_samples(LossRecorder& r, Value per_sample, Value input) {
  Dims column = input.shape().dims();
  column[static_cast<size_t>(class_axis(input.shape()))] = 1;
  return r.expr(r.builder.broadcast(r.builder.reshape(per_sample, Shape(column)), input.shape()));
}

void require_classes(LossRecorder& r, Value input, Value target) {
  Dims each = input.shape().dims();
  if (!each.empty()) each.erase(each.begin() + class_axis(input.shape()));
  if (input.shape().rank() == 0 || !is_floating(input.dtype()) || target.type() != ir::Type{i64, Shape(each)})
    r.fail("input must be floating, [N, C, ...] or [C], and target integers " + weft::to_string(each) + ", one class index a sample");
}

/// Where the target is one that is ignored, if one is; says what the loss decides.
std::optional<Expr> decide(LossRecorder& r, Value scores, Value target, const std::optional<int64_t>& ignore_index = {}) {
  std::optional<Expr> ignored;
  if (ignore_index) {
    const Value index = r.builder("constant", {}, {{"value", ir::Dense::splat_integer(target.type(), *ignore_index)}});
    ignored = r.expr(target) == r.expr(index);
  }
  r.recording().classifications.push_back({scores, target, ignored ? ignored->value() : Value(), class_axis(scores.shape())});
  return ignored;
}

/// The loss of log-probabilities under class indices, with whatever is asked for beside the plain one.
Tensor weighted(LossRecorder& r, Value log_p, Value target, std::optional<Expr> ignored, const CrossEntropyOptions& o) {
  const Expr given = r.expr(target);
  std::optional<Expr> weight, counts;
  if (o.weight) weight = r.expr(weights(r, *o.weight, log_p));
  const Expr index = ignored ? select(*ignored, given.like(0), given) : given;
  Expr each = r.expr(r.builder("nll_loss", {log_p, index}, {{"reduction", std::string("none")}}));
  if (weight) {
    counts = r.expr(r.builder("gather", {*weight, index}));
    each = each * *counts;
  }
  if (o.label_smoothing > 0) {
    const int64_t axis = class_axis(log_p.shape());
    const double share = o.label_smoothing / static_cast<double>(log_p.shape()[static_cast<int>(axis)]);
    const Expr all = weight ? r.expr(log_p) * over_classes(r, *weight, log_p) : r.expr(log_p);
    each = each * (1 - o.label_smoothing) - r.expr(r.builder.sum(all, {axis})) * share;
  }
  if (ignored) {
    counts = select(*ignored, each.like(0), counts.value_or(each.like(1)));
    each = select(*ignored, each.like(0), each);
  }
  if (o.reduction != "mean" || !counts) return r.reduced(each, o.reduction);
  return r.tensor(r.total(each) / r.total(*counts));
}

Tensor of_probabilities(LossRecorder& r, Value input, Value target, const CrossEntropyOptions& o) {
  if (input.type() != target.type()) r.fail("probabilities must have the input's type and shape");
  if (o.ignore_index) r.fail("ignore_index is for class indices, not for probabilities");
  const int64_t axis = class_axis(input.shape());
  const Expr log_p = r.expr(r.builder("log_softmax", {input}, {{"axis", axis}}));
  Expr t = r.expr(target);
  if (o.label_smoothing > 0)
    t = t * (1 - o.label_smoothing) + o.label_smoothing / static_cast<double>(input.shape()[static_cast<int>(axis)]);
  Expr terms = log_p * t;
  if (o.weight) terms = terms * over_classes(r, weights(r, *o.weight, input), input);
  return r.reduced(-r.expr(r.builder.sum(terms, {axis})), o.reduction);
}

}  // namespace

Tensor NllLoss::operator()(Arg input, Arg target, NllOptions options) const {
  LossRecorder r("nll_loss", {&input, &target, pointer(options.weight)});
  const Value x = r.scores(input), t = r.index(target);
  require_classes(r, x, t);
  const std::optional<Expr> ignored = decide(r, x, t, options.ignore_index);
  if (!options.weight && !ignored) return r("nll_loss", {x, t}, {{"reduction", options.reduction}});
  return weighted(r, x, t, ignored, {.weight = options.weight, .ignore_index = options.ignore_index, .reduction = options.reduction});
}

Tensor CrossEntropy::operator()(Arg input, Arg target, CrossEntropyOptions options) const {
  LossRecorder r("cross_entropy", {&input, &target, pointer(options.weight)});
  if (!(options.label_smoothing >= 0 && options.label_smoothing <= 1))
    r.fail(fmt::format("label_smoothing must lie in [0, 1], but is {}", options.label_smoothing));
  const Value x = r.scores(input), t = is_floating(r.value(target).dtype()) ? r.scores(target) : r.index(target);
  if (is_floating(t.dtype()) && x.shape().rank() > 0) return of_probabilities(r, x, t, options);
  require_classes(r, x, t);
  const std::optional<Expr> ignored = decide(r, x, t, options.ignore_index);
  if (!options.weight && !ignored && options.label_smoothing == 0) return r("cross_entropy", {x, t}, {{"reduction", options.reduction}});
  return weighted(r, r.builder("log_softmax", {x}, {{"axis", class_axis(x.shape())}}), t, ignored, options);
}

Tensor MultiMarginLoss::operator()(Arg input, Arg target, MultiMarginOptions options) const {
  LossRecorder r("multi_margin_loss", {&input, &target, pointer(options.weight)});
  if (options.p != 1 && options.p != 2) r.fail(fmt::format("p must be 1 or 2, but is {}", options.p));
  const Value scores = r.scores(input), t = r.index(target);
  require_classes(r, scores, t);
  if (scores.shape().rank() > 2) r.fail("input must be [N, C] or [C]");
  const int64_t axis = class_axis(scores.shape());
  const double classes = static_cast<double>(scores.shape()[static_cast<int>(axis)]);
  const Value counted = r.builder("iota", {}, {{"shape", scores.shape().dims()}, {"axis", axis}});
  const Expr x = r.expr(scores), right = over_samples(r, t, scores) == r.expr(counted);
  decide(r, scores, t);
  // The score of the target is nan for a class that does not exist, which must not pass as one without a rival.
  const Expr picked = -r.expr(r.builder("nll_loss", {scores, t}, {{"reduction", std::string("none")}}));
  Expr excess = (x - over_samples(r, picked, scores) + options.margin).apply("relu");
  if (options.p == 2) excess = excess * excess;
  Expr each = r.expr(r.builder.sum(select(right, x.like(0), excess), {axis})) / classes;
  if (options.weight) each = each * r.expr(r.builder("gather", {weights(r, *options.weight, scores), t}));
  return r.reduced(each, options.reduction);
}

}  // namespace weft
