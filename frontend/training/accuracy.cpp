#include "weft/frontend/training/accuracy.h"

#include <algorithm>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recording.h"
#include "weft/ir/class_axis.h"
#include "weft/ir/op_def.h"

namespace weft::detail {
namespace {

/// Is `v` made of `source` by moving its elements alone?
bool stems_from(ir::Value v, ir::Value source) {
  while (v != source) {
    if (v.is_input() || v.op()->operands().size() != 1) return false;
    const ir::Kind kind = v.op()->def().kind;
    if (kind != ir::Kind::view && kind != ir::Kind::movement) return false;
    v = v.op()->operand(0);
  }
  return true;
}

}  // namespace

std::optional<Metric> accuracy_of_losses(size_t first, const Tensors& batch) {
  const std::shared_ptr<Recording>& recording = batch.all().front().second.recording;
  const auto tensor = [&](ir::Value v) { return Tensor(recording, v); };
  for (size_t i = first; i < recording->classifications.size(); ++i) {
    const Classification c = recording->classifications[i];
    const auto is_source = [&](const auto& named) { return stems_from(c.target, named.second.value()); };
    if (std::none_of(batch.all().begin(), batch.all().end(), is_source)) continue;
    const Tensor right = argmax(tensor(c.scores), c.axis) == tensor(c.target);
    return c.ignored ? Metric::mean(right, !tensor(c.ignored)) : Metric(right);
  }
  return {};
}

std::optional<Metric> accuracy_of_prediction(const Tensor& prediction, const Tensor& target) {
  if (target.dtype() != i64 || prediction.shape().rank() < 2 || !is_floating(prediction.dtype())) return {};
  for (const int64_t axis : {ir::class_axis(prediction.shape()), int64_t{prediction.shape().rank()} - 1}) {
    Dims each = prediction.shape().dims();
    const int64_t classes = each[static_cast<size_t>(axis)];
    each.erase(each.begin() + axis);
    if (classes > 0 && Shape(each) == target.shape())
      return Metric::mean(argmax(prediction, axis) == target, target >= 0 && target < classes);
  }
  return {};
}

}  // namespace weft::detail
