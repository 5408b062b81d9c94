#include "weft/frontend/language/loss_ranking.h"

#include <cmath>

#include "weft/frontend/language/loss_recorder.h"
#include "weft/frontend/language/norm_of.h"

namespace weft {
namespace {

using detail::LossRecorder;
using ir::Expr;

/// All operands in their common floating type, the narrow ones as f32, and shape.
std::vector<Expr> stretched_together(LossRecorder& r, std::initializer_list<const Arg*> operands) {
  const DType dtype = r.common_dtype();
  if (!is_floating(dtype)) r.fail("the operands must be floating");
  const Shape shape = r.common_shape();
  std::vector<Expr> all;
  for (const Arg* arg : operands) all.push_back(r.expr(r.widened(r.value(*arg, dtype, shape))));
  return all;
}

}  // namespace

Tensor TripletMargin::operator()(Arg anchor, Arg positive, Arg negative, TripletMarginOptions o) const {
  LossRecorder r("triplet_margin_loss", {&anchor, &positive, &negative});
  const std::vector<Expr> x = stretched_together(r, {&anchor, &positive, &negative});
  if (!(o.margin > 0)) r.fail(fmt::format("the margin must be positive, but is {}", o.margin));
  if (!std::isfinite(o.eps)) r.fail(fmt::format("eps must be finite, but is {}", o.eps));
  const int64_t last = x[0].value().shape().rank() - 1;
  if (last < 0) r.fail("the operands must be [N, D] or [D]");
  const auto distance = [&](Expr a, Expr b) { return r.expr(detail::norm(r, a - b + o.eps, o.p, {last}, false)); };
  Expr away = distance(x[0], x[2]);
  if (o.swap) away = away.apply("minimum", distance(x[1], x[2]));
  return r.reduced((distance(x[0], x[1]) - away + o.margin).apply("relu"), o.reduction);
}

Tensor MarginRanking::operator()(Arg input1, Arg input2, Arg target, MarginRankingOptions o) const {
  LossRecorder r("margin_ranking_loss", {&input1, &input2, &target});
  const std::vector<Expr> x = stretched_together(r, {&input1, &input2, &target});
  return r.reduced((-x[2] * (x[0] - x[1]) + o.margin).apply("relu"), o.reduction);
}

Tensor HingeEmbedding::operator()(Arg input, Arg target, HingeEmbeddingOptions o) const {
  LossRecorder r("hinge_embedding_loss", {&input, &target});
  const std::vector<Expr> x = stretched_together(r, {&input, &target});
  const Expr zero = x[0].like(0), apart = (o.margin - x[0]).apply("relu");
  // As PyTorch's sum of both: a target that is neither counts as both.
  return r.reduced(select(x[1] == 1.0, zero, apart) + select(x[1] == -1.0, zero, x[0]), o.reduction);
}

}  // namespace weft
