#include "weft/frontend/language/micro_batches.h"

#include <algorithm>
#include <vector>

#include "weft/frontend/language/joined_loss.h"
#include "weft/frontend/language/recorder.h"

namespace weft {
namespace {

using detail::Recorder;

/// Rows begin .. end - 1 of axis 0.
Tensor rows(Recorder& r, ir::Value v, int64_t begin, int64_t end) {
  Dims low(static_cast<size_t>(v.shape().rank()), 0), high = v.shape().dims();
  low[0] = begin, high[0] = end;
  return r.tensor(r.builder("slice", {v}, {{"start", low}, {"end", high}}));
}

ir::Value checked(const Recorder& r, const Tensor& loss) {
  if (!is_floating(loss.dtype()) || loss.shape().rank() != 0)
    throw Error("the loss must be a floating scalar, not {}", to_string(loss.value().type()))
        .at(to_string(loss.value().is_input() ? ir::Locations{r.where()} : loss.value().op()->locations()))
        .hint("reduce it first (mean or sum)");
  return loss.value();
}

}  // namespace

Tensor detail::micro_batches(const Tensors& batch, int64_t parts, const PartLoss& loss, std::source_location at) {
  std::vector<Arg> operands;
  for (const auto& [name, tensor] : batch.all()) operands.emplace_back(tensor, at);
  std::vector<const Arg*> pointers;
  for (const Arg& operand : operands) pointers.push_back(&operand);
  Recorder r("micro_batches", pointers, at);
  if (operands.empty()) r.fail("a batch has at least one tensor");
  const auto has_rows = [&](const Arg& operand) {
    const Shape &shape = operand.tensor()->shape(), &first = operands[0].tensor()->shape();
    return shape.rank() > 0 && first.rank() > 0 && shape[0] == first[0];
  };
  if (!std::all_of(operands.begin(), operands.end(), has_rows)) r.fail("the operands must have an axis 0 of equal length");
  if (parts < 1) r.fail("a batch has at least one part");
  const int64_t total = operands[0].tensor()->shape()[0], count = std::max<int64_t>(1, std::min(parts, total));
  if (count == 1) return r.tensor(checked(r, loss(batch, true)));
  std::vector<ir::Value> losses;
  std::vector<int64_t> sizes;
  for (int64_t i = 0, begin = 0; i < count; ++i) {
    sizes.push_back(total / count + (i < total % count));
    std::vector<std::pair<std::string, Tensor>> part;
    for (const auto& [name, tensor] : batch.all()) part.emplace_back(name, rows(r, tensor.value(), begin, begin + sizes.back()));
    losses.push_back(checked(r, loss(part, true)));
    begin += sizes.back();
  }
  // What the whole batch would do to buffers has been done by its parts.
  const std::vector<ir::Output> outputs = r.recording().graph().outputs();
  const ir::Value whole = checked(r, loss(batch, false));
  r.recording().graph().set_outputs(outputs);
  return r.tensor(joined_loss(r, whole, losses, sizes));
}

Tensor micro_batches(const Tensors& batch, int64_t parts, const std::function<Tensor(const Tensors&)>& loss, std::source_location at) {
  if (!loss) Recorder("micro_batches", at).fail("the loss is a null function");
  return detail::micro_batches(batch, parts, [&](const Tensors& part, bool) { return loss(part); }, at);
}

Tensor micro_batches(Arg x, Arg y, int64_t parts, const std::function<Tensor(const Tensor&, const Tensor&)>& loss) {
  Recorder r("micro_batches", {&x, &y});
  if (!loss) r.fail("the loss is a null function");
  const Tensors batch({{"x", r.tensor(r.value(x))}, {"y", r.tensor(r.value(y))}});
  return detail::micro_batches(batch, parts, [&](const Tensors& part, bool) { return loss(part["x"], part["y"]); }, x.where());
}

}  // namespace weft
