#include "weft/frontend/nn/norm.h"

#include <cmath>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft::nn {
namespace {

std::optional<Arg> given(const Parameter& parameter) { return parameter.defined() ? std::optional<Arg>(parameter) : std::nullopt; }

}  // namespace

BatchNorm::BatchNorm(const char* name, int lowest, int highest, int64_t features, BatchNormOptions options, std::source_location at)
    : name_(name), lowest_(lowest), highest_(highest), features_(features), options_(options) {
  const detail::Making make{name, at};
  make.require(std::isfinite(options.eps) && std::isfinite(options.momentum.value_or(0)),
               fmt::format("eps and momentum must be finite, but are {} and {}", options.eps, options.momentum.value_or(0)));
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

Tensor BatchNorm::forward(Tensor x) {
  const Arg arg(x);
  const weft::detail::Recorder r(name_, {&arg});
  const int rank = x.shape().rank();
  if (rank < lowest_ || rank > highest_ || x.shape()[1] != features_)
    r.fail(fmt::format("x must be [N, {}{}]", features_, lowest_ == 2 ? "] or [N, C, L" : lowest_ == 4 ? ", H, W" : ", D, H, W"));
  Dims over, column(static_cast<size_t>(rank - 1), 1);
  for (int axis = 0; axis < rank; ++axis)
    if (axis != 1) over.push_back(axis);
  column[0] = features_;
  const bool tracked = running_mean.defined(), of_batch = training() || !tracked;
  if (options_.eps < 0 || (of_batch && options_.eps == 0))
    r.fail(fmt::format("eps must be {}, but is {}", of_batch ? "positive where the statistics are the batch's" : "0 or positive",
                       options_.eps));
  // f16 and bf16 are computed in f32 and rounded once.
  const DType dtype = weight.defined() ? weft::detail::promote(x.dtype(), weight.dtype()) : x.dtype();
  x = is_narrow(x.dtype()) ? cast(x, f32) : x;
  Tensor y;
  if (of_batch) {
    if (features_ > 0 && x.shape().numel() == features_)
      r.fail(
          "for the batch's statistics there must be more than one value per channel; a last batch of one example can be left out "
          "(.drop_last)");
    y = standardize(x, Axes(over), options_.eps);
    if (training() && tracked) track(x, Axes(over));
  } else {
    const Tensor scale = rsqrt(current(running_var, x) + options_.eps);
    y = (x - reshape(current(running_mean, x), column)) * reshape(scale, column);
  }
  if (weight.defined()) y = y * reshape(weight, column) + reshape(bias, column);
  return cast(y, dtype);
}

void BatchNorm::track(const Tensor& x, const Axes& over) const {
  const Tensor count = current(num_batches_tracked, x) + 1;
  update(num_batches_tracked, count);
  if (x.shape().numel() == 0) return;  // it has no statistics
  // With their axes kept, the batch's statistics are those of `standardize`, and common subexpressions.
  const auto move = [&](const Parameter& running, const Tensor& batch) {
    const Tensor old = current(running, x), seen = cast(reshape(batch, {features_}), running.dtype());
    if (options_.momentum) return update(running, old * (1 - *options_.momentum) + seen * *options_.momentum);
    const Tensor share = cast(1.0 / cast(count, f64), running.dtype());
    update(running, old * (1.0 - share) + seen * share);
  };
  move(running_mean, mean(x, over, true));
  move(running_var, var(x, over, 1, true));
}

LayerNorm::LayerNorm(Dims shape, LayerNormOptions options, std::source_location at) : shape_(std::move(shape)), eps_(options.eps) {
  if (!options.elementwise_affine) return;
  const detail::Making make{"nn::LayerNorm", at};
  weight = add("weight", make.constant("weight", shape_, 1, options.dtype));
  if (options.bias) bias = add("bias", make.constant("bias", shape_, 0, options.dtype));
}

Tensor LayerNorm::forward(Tensor x) { return layer_norm(x, shape_, given(weight), given(bias), eps_); }

RMSNorm::RMSNorm(Dims shape, RMSNormOptions options, std::source_location at) : shape_(std::move(shape)), eps_(options.eps) {
  if (options.elementwise_affine) weight = add("weight", detail::Making{"nn::RMSNorm", at}.constant("weight", shape_, 1, options.dtype));
}

Tensor RMSNorm::forward(Tensor x) { return rms_norm(x, shape_, given(weight), eps_); }

GroupNorm::GroupNorm(int64_t groups, int64_t channels, GroupNormOptions options, std::source_location at)
    : groups_(groups), channels_(channels), eps_(options.eps) {
  const detail::Making make{"nn::GroupNorm", at};
  make.require(groups >= 1 && channels % groups == 0,
               fmt::format("the number of groups must divide the number of channels: {} channels, {} groups", channels, groups));
  if (!options.affine) return;
  weight = add("weight", make.constant("weight", {channels}, 1, options.dtype));
  bias = add("bias", make.constant("bias", {channels}, 0, options.dtype));
}

Tensor GroupNorm::forward(Tensor x) {
  const Arg arg(x);
  if (x.shape().rank() < 2 || x.shape()[1] != channels_)
    weft::detail::Recorder("nn::GroupNorm", {&arg}).fail(fmt::format("x must be [N, {}, ...]", channels_));
  return group_norm(x, groups_, given(weight), given(bias), eps_);
}

}  // namespace weft::nn
