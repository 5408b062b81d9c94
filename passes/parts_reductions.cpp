// Long reductions to few numbers, in parts.

#include <algorithm>

#include "weft/ir/builder.h"
#include "weft/passes/parts.h"

namespace weft::passes {
namespace {

using ir::Op;
using ir::Value;

constexpr int64_t few_results = 4;                             // so many keep threads busy as they are
constexpr int64_t long_reduction = 1 << 17, least_part = 256;  // elements
constexpr int64_t least_parts = 16, wanted_parts = 64, most_parts = 4096;

bool is_long(const Op& op) {
  const int64_t results = op.result().shape().numel();
  return results > 0 && results < few_results && op.operand(0).shape().numel() >= long_reduction * results;
}

/// So many parts of a reduced axis, each so many neighbouring indices of it; the last indices may be left over.
struct Cut {
  int axis;
  int64_t parts, length;
};

/// Whole axes that nothing needs to be cut of come first, then those with a divisor that makes parts enough.
Cut cut_of(const Op& op) {
  const Shape& shape = op.operand(0).shape();
  const int64_t most = std::min(most_parts, shape.numel() / op.result().shape().numel() / least_part);
  const Dims& axes = op.dims("axes");
  const auto extent_of = [&](int64_t axis) { return shape[static_cast<int>(axis)]; };
  for (int64_t axis : axes)
    if (extent_of(axis) >= least_parts && extent_of(axis) <= most) return {static_cast<int>(axis), extent_of(axis), 1};
  for (int64_t axis : axes)
    for (int64_t parts = wanted_parts; parts <= std::min(most, extent_of(axis)); ++parts)
      if (extent_of(axis) % parts == 0) return {static_cast<int>(axis), parts, extent_of(axis) / parts};
  const int64_t longest = *std::max_element(axes.begin(), axes.end(), [&](int64_t a, int64_t b) { return extent_of(a) < extent_of(b); });
  const int64_t parts = std::min(wanted_parts, extent_of(longest));
  return {static_cast<int>(longest), parts, extent_of(longest) / parts};
}

class Cutter {
 public:
  explicit Cutter(Op& op) : op_(op), b_(op.graph(), &op, op.locations()), cut_(cut_of(op)), place_(cut_.axis) {
    for (int64_t axis : op.dims("axes"))
      if (axis < cut_.axis) --place_;
  }

  void run() {
    const DType dtype = op_.result().dtype();
    // Partial results of bf16 are f32.
    const Value x = b_.cast(op_.operand(0), computed_in(dtype));
    const int64_t extent = x.shape()[cut_.axis], whole = cut_.parts * cut_.length;
    Value parts = reduced_parts(section(x, 0, whole), cut_.parts, cut_.length);
    if (whole < extent) {
      const Value rest = reduced_parts(section(x, whole, extent), 1, extent - whole);
      parts = b_("concat", {parts, rest}, {{"axis", static_cast<int64_t>(place_)}});
    }
    const Value all = b_.reshape(reduce(parts, {place_}), op_.result().shape());
    op_.result().replace_all_uses_with(b_.cast(all, dtype));
    op_.graph().erase(op_);
  }

 private:
  Value reduce(Value x, const Dims& axes) { return b_(op_.name(), {x}, {{"axes", axes}}); }

  /// The indices begin .. end - 1 of the axis.
  Value section(Value x, int64_t begin, int64_t end) {
    const auto axis = static_cast<size_t>(cut_.axis);
    Dims low(x.shape().dims().size(), 0), high = x.shape().dims();
    if (begin == 0 && end == high[axis]) return x;
    low[axis] = begin, high[axis] = end;
    return b_("slice", {x}, {{"start", low}, {"end", high}});
  }

  /// Each part reduced: the parts are an axis among the kept ones.
  Value reduced_parts(Value x, int64_t parts, int64_t length) {
    Dims shape = x.shape().dims(), axes;
    shape[static_cast<size_t>(cut_.axis)] = parts;
    shape.insert(shape.begin() + cut_.axis + 1, length);
    for (int64_t axis : op_.dims("axes")) axes.push_back(axis < cut_.axis ? axis : axis + 1);
    if (length != 1) return reduce(b_.reshape(x, Shape(shape)), axes);
    std::erase(axes, cut_.axis + 1);
    for (int64_t& axis : axes) axis -= axis > cut_.axis;
    return reduce(x, axes);
  }

  Op& op_;
  ir::Builder b_;
  Cut cut_;
  int64_t place_;  // of the parts among the axes that are kept
};

}  // namespace

bool cut_long_reductions(ir::Graph& graph) {
  bool changed = false;
  for (Op* op : graph.op_list()) {
    if (op->def().kind != ir::Kind::reduction || !is_long(*op)) continue;
    Cutter(*op).run();
    changed = true;
  }
  return changed;
}

}  // namespace weft::passes
