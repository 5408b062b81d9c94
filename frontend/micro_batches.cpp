#include "weft/frontend/micro_batches.h"

#include <algorithm>
#include <vector>

#include "weft/frontend/recorder.h"

namespace weft {
namespace {

/// Rows begin .. end - 1 of axis 0.
Tensor rows(detail::Recorder& r, ir::Value v, int64_t begin, int64_t end) {
  Dims low(static_cast<size_t>(v.shape().rank()), 0), high = v.shape().dims();
  low[0] = begin, high[0] = end;
  return r.tensor(r.builder("slice", {v}, {{"start", low}, {"end", high}}));
}

}  // namespace

Tensor micro_batches(Arg x, Arg y, int64_t parts, const std::function<Tensor(const Tensor&, const Tensor&)>& loss) {
  detail::Recorder r("micro_batches", {&x, &y});
  const ir::Value all_x = r.value(x), all_y = r.value(y);
  if (all_x.shape().rank() == 0 || all_y.shape().rank() == 0 || all_x.shape()[0] != all_y.shape()[0])
    r.fail("the operands must have an axis 0 of equal length");
  if (parts < 1) r.fail("a batch has at least one part");
  const int64_t total = all_x.shape()[0], count = std::max<int64_t>(1, std::min(parts, total));
  ir::Value sum;
  for (int64_t i = 0, begin = 0; i < count; ++i) {
    const int64_t size = total / count + (i < total % count);
    const Tensor part = count == 1 ? loss(r.tensor(all_x), r.tensor(all_y))
                                   : loss(rows(r, all_x, begin, begin + size), rows(r, all_y, begin, begin + size));
    if (!is_floating(part.dtype()) || part.shape().rank() != 0)
      throw Error("the loss must be a floating scalar, not {}, at {}; reduce it first (mean or sum)", to_string(part.value().type()),
                  to_string(part.value().is_input() ? ir::Locations{r.where()} : part.value().op()->locations()));
    begin += size;
    if (count == 1) return part;
    const double weight = static_cast<double>(size) / static_cast<double>(total);
    const ir::Value weighted = r.builder("mul", {part.value(), r.builder.splat(part.value().type(), weight)});
    sum = sum ? r.builder("add", {sum, weighted}) : weighted;
  }
  return r.tensor(sum);
}

}  // namespace weft
