#include "weft/frontend/language/loss_labels.h"

#include "weft/frontend/language/composed.h"
#include "weft/frontend/language/custom_op.h"
#include "weft/frontend/language/loss_recorder.h"
#include "weft/frontend/language/ops.h"

namespace weft {

using detail::LossRecorder;
using ir::Expr;

Tensor SoftMargin::operator()(Arg input, Arg target, LossOptions options) const {
  LossRecorder r("soft_margin_loss", {&input, &target});
  const auto [x, t] = r.pair(input, target);
  return r.reduced(-(t * x).apply("logsigmoid"), options.reduction);
}

Tensor MultiLabelSoftMargin::operator()(Arg input, Arg target, MultiLabelSoftMarginOptions options) const {
  LossRecorder r("multilabel_soft_margin_loss", {&input, &target});
  const auto [x, t] = r.pair(input, target);
  const Shape& shape = x.value().shape();
  if (shape.rank() == 0 || shape[-1] == 0) r.fail("the inputs must be [N, C] or [C], with classes");
  Expr each = -(t * x.apply("logsigmoid") + (1.0 - t) * (-x).apply("logsigmoid"));
  if (options.weight) each = each * r.stretched(*options.weight, x.value().type(), "weight");
  const Expr mean{r.builder, r.builder("mean", {each}, {{"axes", Dims{shape.rank() - 1}}})};
  return r.reduced(mean, options.reduction);
}

namespace {

/// [N, C] each: how often a place's class counts (not behind a -1), and the class, 0 where it does not count.
Tensor margins(const Tensor& x, const Tensor& target) {
  const int64_t n = x.shape()[0], classes = x.shape()[1];
  const Tensor counts = cumsum(cast(target < 0, i64), 1) == 0, label = select(counts, target, 0);
  const Tensor of_target = take_along_axis(x, label, 1);
  // Along axis 1 the targets, along axis 2 all classes.
  const Tensor hits = reshape(label, {n, classes, 1}) == arange(classes) && reshape(counts, {n, classes, 1});
  const Tensor other = !any(hits, 1, true);
  const Tensor gap = relu(1.0 - (reshape(of_target, {n, classes, 1}) - reshape(x, {n, 1, classes})));
  const Tensor counted = reshape(counts, {n, classes, 1}) && other;
  return sum(select(counted, gap, zeros_like(gap)), {1, 2}) / static_cast<double>(classes);
}

}  // namespace

Tensor MultiLabelMargin::operator()(Arg input, Arg target, LossOptions options) const {
  detail::Composed c("multilabel_margin_loss", {&input, &target});
  const Tensor given = c.first();
  Tensor labels = c.index(target);
  const Shape& shape = given.shape();
  c.require(is_floating(given.dtype()) && labels.dtype() == i64 && labels.shape() == shape && (shape.rank() == 1 || shape.rank() == 2) &&
                shape[-1] > 0,
            "input must be floating, [N, C] or [C], and target integers of its shape");
  labels = where(labels == -1, -1, call("checked_index", {where(labels == -1, 0, labels)}, {{"below", shape[-1]}, {"what", "labels"}}));
  const auto as_rows = [&](const Tensor& x) { return shape.rank() == 1 ? unsqueeze(x, 0) : x; };
  Tensor each = margins(as_rows(detail::Composed::widened(given)), as_rows(labels));
  if (shape.rank() == 1) each = squeeze(each, 0);
  LossRecorder r("multilabel_margin_loss", {&input, &target});
  return cast(r.reduced(each.value(), options.reduction), given.dtype());
}

}  // namespace weft
