// Reductions of the tensor language.

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft {
namespace {

using detail::Recorder;

Tensor reduce(Recorder& r, std::string_view op, ir::Value v, const Axes& axes, bool keep_dims) {
  const Dims over = r.axes(axes, v.shape().rank());
  if (over.empty()) return r.tensor(v);
  return r(op, {v}, {{"axes", over}, {"keep_dims", keep_dims}});
}

Tensor reduce(std::string_view op, const Arg& x, const Axes& axes, bool keep_dims) {
  Recorder r(op, {&x});
  return reduce(r, op, r.value(x), axes, keep_dims);
}

Tensor along(std::string_view op, const Arg& x, int64_t axis) {
  Recorder r(op, {&x});
  const ir::Value v = r.value(x);
  return r(op, {v}, {{"axis", r.axis(axis, v.shape().rank())}});
}

}  // namespace

Tensor sum(Arg x, Axes axes, bool keep_dims) {
  Recorder r("sum", {&x});
  const ir::Value v = r.value(x);
  return reduce(r, "sum", is_floating(v.dtype()) ? v : r.builder.cast(v, i64), axes, keep_dims);
}
Tensor mean(Arg x, Axes axes, bool keep_dims) { return reduce("mean", x, axes, keep_dims); }

Tensor var(Arg x, Axes axes, double correction, bool keep_dims) {
  Recorder r("var", {&x});
  const ir::Value v = r.value(x);
  return r("var", {v}, {{"axes", r.axes(axes, v.shape().rank())}, {"keep_dims", keep_dims}, {"correction", correction}});
}

Tensor max(Arg x, Axes axes, bool keep_dims) { return reduce("max", x, axes, keep_dims); }
Tensor min(Arg x, Axes axes, bool keep_dims) { return reduce("min", x, axes, keep_dims); }

Tensor argmax(Arg x, std::optional<int64_t> axis, bool keep_dims) {
  Recorder r("argmax", {&x});
  ir::Value v = r.value(x);
  if (!axis) v = r.builder.reshape(v, Shape{v.shape().numel()});
  return r("argmax", {v}, {{"axis", r.axis(axis.value_or(0), v.shape().rank())}, {"keep_dims", axis && keep_dims}});
}

Tensor softmax(Arg x, int64_t axis) { return along("softmax", x, axis); }
Tensor log_softmax(Arg x, int64_t axis) { return along("log_softmax", x, axis); }

}  // namespace weft
