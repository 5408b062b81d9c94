// Ops of the tensor language that only move elements, and those that place them by index.

#include <algorithm>
#include <numeric>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scope.h"

namespace weft {

using detail::Recorder;
using ir::Value;

Tensor reshape(Arg x, Dims shape) {
  Recorder r("reshape", {&x});
  const Value v = r.value(x);
  const auto unknown = std::find(shape.begin(), shape.end(), -1);
  if (std::count_if(shape.begin(), shape.end(), [](int64_t extent) { return extent < 0; }) > (unknown != shape.end()))
    r.fail("the shape " + to_string(shape) + " has a negative extent; one of them may be -1");
  if (unknown != shape.end()) {
    int64_t known = 1;
    for (auto at = shape.begin(); at != shape.end(); ++at) known *= at == unknown ? 1 : *at;
    if (known <= 0 || v.shape().numel() % known != 0)
      r.fail("no extent in place of -1 makes the shape " + to_string(shape) + " hold all elements");
    *unknown = v.shape().numel() / known;
  }
  return r("reshape", {v}, {{"shape", shape}});
}

Tensor flatten(Arg x, int64_t start, int64_t end) {
  Recorder r("flatten", {&x});
  const Value v = r.value(x);
  const auto first = r.axis(start, v.shape().rank()), last = r.axis(end, v.shape().rank());
  if (first > last) r.fail(fmt::format("axis {} comes after axis {}", first, last));
  Dims shape(v.shape().begin(), v.shape().begin() + first);
  shape.push_back(std::accumulate(v.shape().begin() + first, v.shape().begin() + last + 1, int64_t{1}, std::multiplies<>()));
  shape.insert(shape.end(), v.shape().begin() + last + 1, v.shape().end());
  return r.tensor(r.builder.reshape(v, Shape(shape)));
}

Tensor transpose(Arg x, int64_t axis0, int64_t axis1) {
  Recorder r("transpose", {&x});
  const Value v = r.value(x);
  Dims permutation(v.shape().dims().size());
  std::iota(permutation.begin(), permutation.end(), 0);
  const int rank = v.shape().rank();
  std::swap(permutation[static_cast<size_t>(r.axis(axis0, rank))], permutation[static_cast<size_t>(r.axis(axis1, rank))]);
  return r("transpose", {v}, {{"permutation", permutation}});
}

Tensor permute(Arg x, Dims axes) {
  Recorder r("permute", {&x});
  const Value v = r.value(x);
  for (int64_t& axis : axes) axis = r.axis(axis, v.shape().rank());
  return r("transpose", {v}, {{"permutation", axes}});
}

Tensor broadcast_to(Arg x, Dims shape) {
  Recorder r("broadcast_to", {&x});
  return r("broadcast", {r.value(x)}, {{"shape", shape}});
}

Tensor slice(Arg x, int64_t axis, int64_t start, int64_t end, int64_t step) {
  Recorder r("slice", {&x});
  const Value v = r.value(x);
  const auto along = static_cast<size_t>(r.axis(axis, v.shape().rank()));
  const int64_t extent = v.shape().dims()[along];
  const auto place = [&](int64_t at) { return std::clamp<int64_t>(at < 0 ? at + extent : at, 0, extent); };
  Dims starts(v.shape().dims().size(), 0), ends = v.shape().dims(), steps(starts.size(), 1);
  starts[along] = place(start);
  ends[along] = std::max(place(end), starts[along]);
  steps[along] = step;
  return r("slice", {v}, {{"start", starts}, {"end", ends}, {"step", step == 1 ? Dims{} : steps}});
}

Tensor concat(const std::vector<Tensor>& xs, int64_t axis, std::source_location at) {
  if (xs.empty()) throw Error("needs at least one operand").of("concat").at(detail::line_text(at));
  const Arg first(xs[0], at);
  Recorder r("concat", {&first});
  std::vector<Value> values;
  for (const Tensor& x : xs) {
    const Arg other(x, at);
    values.push_back(Recorder("concat", {&first, &other}).value(other));
  }
  return r("concat", values, {{"axis", r.axis(axis, values[0].shape().rank())}});
}

Tensor pad(Arg x, Dims low, Dims high, double value) {
  Recorder r("pad", {&x});
  return r("pad", {r.value(x)}, {{"low", low}, {"high", high}, {"value", value}});
}

Tensor gather(Arg x, Arg index, int64_t axis) {
  Recorder r("gather", {&x, &index});
  const Value v = r.value(x), i = r.value(index);
  return r("gather", {v, i}, {{"axis", r.axis(axis, v.shape().rank())}});
}

Tensor embedding(Arg index, Arg weight, std::optional<int64_t> padding_idx, bool sparse) {
  Recorder r("embedding", {&index, &weight});
  const Value i = r.value(index), w = r.value(weight);
  if (w.shape().rank() != 2) r.fail("the weight must be [rows, d]");
  const Value rows = r.builder("gather", {w, i}, {{"axis", int64_t{0}}, {"sparse", sparse}});
  if (!padding_idx) return r.tensor(rows);
  const int64_t padding = *padding_idx < 0 ? *padding_idx + w.shape()[0] : *padding_idx;
  if (padding < 0 || padding >= w.shape()[0]) r.fail(fmt::format("padding_idx {} is no row", *padding_idx));
  Dims column = i.shape().dims();
  column.push_back(1);
  const ir::Expr at{r.builder, r.builder.broadcast(r.builder.reshape(i, Shape(column)), rows.shape())};
  return r("select", {at == static_cast<double>(padding), r.builder("detach", {rows}), rows});
}

Tensor index_select(Arg x, int64_t axis, Arg index) {
  Recorder r("index_select", {&x, &index});
  const Value v = r.value(x), i = r.value(index);
  if (i.shape().rank() != 1) r.fail("the index must have one axis");
  return r("gather", {v, i}, {{"axis", r.axis(axis, v.shape().rank())}});
}

Tensor scatter_add(Arg x, Arg index, Arg updates, int64_t axis) {
  Recorder r("scatter_add", {&x, &index, &updates});
  const Value v = r.value(x), i = r.value(index), u = r.value(updates, v.dtype());
  return r("scatter_add", {v, i, u}, {{"axis", r.axis(axis, v.shape().rank())}});
}

Tensor one_hot(Arg index, int64_t classes, DType dtype) {
  Recorder r("one_hot", {&index});
  if (classes < 1) r.fail(fmt::format("needs at least one class, not {}", classes));
  return r("one_hot", {r.value(index)}, {{"classes", classes}, {"dtype", dtype}});
}

}  // namespace weft
