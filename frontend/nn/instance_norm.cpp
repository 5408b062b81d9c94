#include "weft/frontend/nn/instance_norm.h"

#include <cmath>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft::nn {

InstanceNorm::InstanceNorm(const char* name, int spatial, int64_t features, InstanceNormOptions options, std::source_location at)
    : name_(name), spatial_(spatial), features_(features), options_(options) {
  const detail::Making make{name, at};
  make.require(std::isfinite(options.eps) && options.eps > 0 && std::isfinite(options.momentum),
               fmt::format("eps must be positive and momentum finite, but they are {} and {}", options.eps, options.momentum));
  if (options.affine) {
    weight = add("weight", make.constant("weight", {features}, 1, options.dtype));
    bias = add("bias", make.constant("bias", {features}, 0, options.dtype));
  }
  if (options.track_running_stats) {
    running_mean = add_buffer("running_mean", make.filled({features}, 0, options.dtype));
    running_var = add_buffer("running_var", make.filled({features}, 1, options.dtype));
    num_batches_tracked = add_buffer("num_batches_tracked", Array(i64, {}));
  }
}

Tensor InstanceNorm::forward(Tensor x) {
  const Arg operand(x);
  const weft::detail::Recorder r(name_, {&operand});
  const bool single = x.dim() == spatial_ + 1;
  if ((!single && x.dim() != spatial_ + 2) || !is_floating(x.dtype()) || x.size(single ? 0 : 1) != features_)
    r.fail(fmt::format("x must be floating, [n, {0}, {1} spatial axes] or [{0}, {1} spatial axes]", features_, spatial_));
  const bool of_x = training() || !running_mean.defined();
  if (of_x && x.shape().numel() == features_ * (single ? 1 : x.size(0)) && x.shape().numel() > 0)
    r.fail("there must be more than one element per channel, where the statistics are x's");
  if (!single) return normalized(x);
  return squeeze(normalized(unsqueeze(x, 0)), 0);
}

Tensor InstanceNorm::normalized(const Tensor& given) {
  Dims over, column(static_cast<size_t>(spatial_) + 1, 1);
  for (int axis = 2; axis < given.dim(); ++axis) over.push_back(axis);
  column[0] = features_;
  // f16 and bf16 are computed in f32 and rounded once.
  const Tensor x = is_narrow(given.dtype()) ? cast(given, f32) : given;
  Tensor y;
  if (training() || !running_mean.defined()) {
    y = standardize(x, Axes(over), options_.eps);
    if (training() && running_mean.defined()) track(x, Axes(over));
  } else {
    const Tensor scale = rsqrt(current(running_var, x) + options_.eps);
    y = (x - reshape(current(running_mean, x), column)) * reshape(scale, column);
  }
  if (weight.defined()) y = y * reshape(weight, column) + reshape(bias, column);
  return cast(y, weight.defined() ? weft::detail::promote(given.dtype(), weight.dtype()) : given.dtype());
}

void InstanceNorm::track(const Tensor& x, const Axes& over) const {
  if (x.shape().numel() == 0) return;  // it has no statistics
  const auto move = [&](const Parameter& running, const Tensor& each) {
    const Tensor seen = cast(reshape(mean(each, 0), {features_}), running.dtype());
    update(running, current(running, x) * (1 - options_.momentum) + seen * options_.momentum);
  };
  move(running_mean, mean(x, over, true));
  move(running_var, var(x, over, 1, true));
}

Tensor LocalResponseNorm::forward(Tensor x) { return local_response_norm(x, size_, options_.alpha, options_.beta, options_.k); }

}  // namespace weft::nn
