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

Tensor detail::micro_batches(const Arg& x, const Arg& y, int64_t parts, const PartLoss& loss) {
  Recorder r("micro_batches", {&x, &y});
  const ir::Value all_x = r.value(x), all_y = r.value(y);
  if (all_x.shape().rank() == 0 || all_y.shape().rank() == 0 || all_x.shape()[0] != all_y.shape()[0])
    r.fail("the operands must have an axis 0 of equal length");
  if (parts < 1) r.fail("a batch has at least one part");
  const int64_t total = all_x.shape()[0], count = std::max<int64_t>(1, std::min(parts, total));
  if (count == 1) return r.tensor(checked(r, loss(r.tensor(all_x), r.tensor(all_y), true)));
  std::vector<ir::Value> losses;
  std::vector<int64_t> sizes;
  for (int64_t i = 0, begin = 0; i < count; ++i) {
    sizes.push_back(total / count + (i < total % count));
    const int64_t end = begin + sizes.back();
    losses.push_back(checked(r, loss(rows(r, all_x, begin, end), rows(r, all_y, begin, end), true)));
    begin = end;
  }
  // What the whole batch would do to buffers has been done by its parts.
  const std::vector<ir::Output> outputs = r.recording().graph().outputs();
  const ir::Value whole = checked(r, loss(r.tensor(all_x), r.tensor(all_y), false));
  r.recording().graph().set_outputs(outputs);
  return r.tensor(joined_loss(r, whole, losses, sizes));
}

Tensor micro_batches(Arg x, Arg y, int64_t parts, const std::function<Tensor(const Tensor&, const Tensor&)>& loss) {
  if (!loss) Recorder("micro_batches", {&x, &y}).fail("the loss is a null function");
  return detail::micro_batches(x, y, parts, [&](const Tensor& some_x, const Tensor& some_y, bool) { return loss(some_x, some_y); });
}

}  // namespace weft
