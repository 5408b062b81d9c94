#include "weft/frontend/language/ops_order.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "weft/frontend/language/composed.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/ir/ops/along_axis.h"

namespace weft {
namespace {

using detail::Composed;
using detail::Recorder;
using ir::Value;

/// An operand with the axis to go along: a scalar counts as one element of an axis.
struct Rows {
  Value v;
  int64_t axis, extent;
  bool is_scalar;

  Rows(Recorder& r, const Arg& x, int64_t given) : v(r.value(x)), is_scalar(v.shape().rank() == 0) {
    if (is_scalar) v = r.builder.reshape(v, Shape{1});
    axis = r.axis(given, v.shape().rank());
    extent = v.shape()[static_cast<int>(axis)];
  }
};

struct Found {
  Value values, indices;
};

Found ordered(Recorder& r, const Rows& rows, bool descending, int64_t start = 0, int64_t count = -1) {
  const ir::Op& op =
      r.builder.create("sort", {rows.v}, {{"axis", rows.axis}, {"descending", descending}, {"start", start}, {"count", count}});
  return {op.result(0), op.result(1)};
}

ValuesAndIndices handed_out(Recorder& r, const Rows& rows, const Found& found, bool without_axis = false) {
  const auto tensor = [&](Value v) {
    Dims shape = v.shape().dims();
    if (without_axis || (rows.is_scalar && shape == Dims{1})) shape.erase(shape.begin() + rows.axis);
    return r.tensor(r.builder.reshape(v, Shape(shape)));
  };
  return {tensor(found.values), tensor(found.indices)};
}

void require_number(Recorder& r, Value v) {
  if (v.dtype() == boolean) r.fail("x must be a number, but is bool; cast it");
}

/// What stands in the middle of each row, or its first nan.
Found middle(Recorder& r, const Rows& rows) {
  const Found found = ordered(r, rows, false, (rows.extent - 1) / 2, 1);
  if (!is_floating(rows.v.dtype())) return found;
  const auto along = [&](const char* op, const char* axes, ir::Attribute axis) {
    return r.builder(op, {rows.v}, {{axes, std::move(axis)}, {"keep_dims", true}});
  };
  const Value has_nan = r.builder("is_nan", {along("max", "axes", Dims{rows.axis})});
  const Value index = r.builder("select", {has_nan, along("argmax", "axis", rows.axis), found.indices});
  const Value places = ir::places_along_axis(r.builder, index, rows.v.shape(), static_cast<int>(rows.axis));
  return {r.builder.reshape(r.builder("gather", {ir::flattened(r.builder, rows.v), places}), index.shape()), index};
}

/// The quantiles of one tensor along an axis.
class Quantiles {
 public:
  Quantiles(const Composed& c, const Tensor& x, int64_t axis, const std::string& interpolation)
      : c_(c), axis_(axis), interpolation_(interpolation), last_(x.size(axis) - 1), sorted_(sort(x, axis).values),
        has_nan_(isnan(at(last_))) {}

  Tensor operator()(double q) const {
    c_.require(q >= 0 && q <= 1, fmt::format("q must be in [0, 1], not {}", q));
    const double place = q * static_cast<double>(last_);
    return masked_fill(between(place), has_nan_, std::numeric_limits<double>::quiet_NaN());
  }

 private:
  Tensor at(double place) const {
    const auto i = static_cast<int64_t>(place);
    return slice(sorted_, axis_, i, i + 1);
  }
  Tensor between(double place) const {
    const double below = std::floor(place), above = std::ceil(place);
    if (interpolation_ == "lower") return at(below);
    if (interpolation_ == "higher") return at(above);
    if (interpolation_ == "nearest") return at(std::nearbyint(place));
    if (below == above) return at(below);
    return lerp(at(below), at(above), interpolation_ == "midpoint" ? 0.5 : place - below);
  }

  const Composed& c_;
  int64_t axis_;
  const std::string& interpolation_;
  int64_t last_;
  Tensor sorted_, has_nan_;
};

/// Each with the axis as one of extent 1, or without it.
std::vector<Tensor> quantiles(const Arg& x, const std::vector<double>& q, std::optional<int64_t> axis, bool keep_dims,
                              const std::string& interpolation) {
  Composed c("quantile", {&x});
  const Tensor& given = c.first();
  c.require(is_floating(given.dtype()), "x must be floating");
  const std::vector<std::string> known{"linear", "lower", "higher", "midpoint", "nearest"};
  c.require(std::find(known.begin(), known.end(), interpolation) != known.end(),
            fmt::format("interpolation must be \"linear\", \"lower\", \"higher\", \"midpoint\" or \"nearest\", not \"{}\"", interpolation));
  const bool joined = !axis || given.dim() == 0;
  const int64_t along = c.recorder().axis(axis.value_or(0), std::max<int>(1, static_cast<int>(given.dim())));
  const Tensor rows = Composed::widened(joined ? given.reshape({given.shape().numel()}) : given);
  c.require(rows.size(joined ? 0 : along) > 0, "of no elements there is no quantile");
  Dims shape = given.shape().dims();
  if (joined) shape = keep_dims ? Dims(shape.size(), 1) : Dims();
  else if (keep_dims) shape[static_cast<size_t>(along)] = 1;
  else shape.erase(shape.begin() + along);
  const Quantiles quantile(c, rows, joined ? 0 : along, interpolation);
  std::vector<Tensor> all;
  for (const double each : q) all.push_back(cast(quantile(each).reshape(shape), given.dtype()));
  return all;
}

}  // namespace

ValuesAndIndices sort(Arg x, int64_t axis, bool descending) {
  Recorder r("sort", {&x});
  const Rows rows(r, x, axis);
  return handed_out(r, rows, ordered(r, rows, descending));
}

Tensor argsort(Arg x, int64_t axis, bool descending) {
  Recorder r("argsort", {&x});
  const Rows rows(r, x, axis);
  return handed_out(r, rows, ordered(r, rows, descending)).indices;
}

Tensor msort(Arg x) {
  Recorder r("msort", {&x});
  const Rows rows(r, x, 0);
  return handed_out(r, rows, ordered(r, rows, false)).values;
}

ValuesAndIndices topk(Arg x, int64_t k, int64_t axis, bool largest) {
  Recorder r("topk", {&x});
  const Rows rows(r, x, axis);
  if (k < 0 || k > rows.extent) r.fail(fmt::format("k must be 0 to {}, the extent of axis {}, not {}", rows.extent, rows.axis, k));
  return handed_out(r, rows, ordered(r, rows, largest, 0, k));
}

ValuesAndIndices kthvalue(Arg x, int64_t k, int64_t axis, bool keep_dims) {
  Recorder r("kthvalue", {&x});
  const Rows rows(r, x, axis);
  if (k < 1 || k > rows.extent) r.fail(fmt::format("k must be 1 to {}, the extent of axis {}, not {}", rows.extent, rows.axis, k));
  return handed_out(r, rows, ordered(r, rows, false, k - 1, 1), !keep_dims);
}

Tensor median(Arg x) {
  Recorder r("median", {&x});
  const Value v = r.value(x);
  require_number(r, v);
  return r("median", {v});
}

ValuesAndIndices median(Arg x, int64_t axis, bool keep_dims) {
  Recorder r("median", {&x});
  const Rows rows(r, x, axis);
  require_number(r, rows.v);
  if (rows.extent == 0) r.fail("an empty axis has no median");
  return handed_out(r, rows, middle(r, rows), !keep_dims);
}

Tensor quantile(Arg x, double q, std::optional<int64_t> axis, bool keep_dims, const std::string& interpolation) {
  return quantiles(x, {q}, axis, keep_dims, interpolation)[0];
}

Tensor quantile(Arg x, const std::vector<double>& q, std::optional<int64_t> axis, bool keep_dims, const std::string& interpolation) {
  const std::vector<Tensor> all = quantiles(x, q, axis, keep_dims, interpolation);
  Composed c("quantile", {&x});
  c.require(!all.empty(), "q must name at least one number");
  return stack(all, 0, x.where());
}

}  // namespace weft
