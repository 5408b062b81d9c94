// Places in what is sorted.

#include <bit>

#include "weft/frontend/language/ops_order.h"
#include "weft/frontend/language/recorder.h"
#include "weft/ir/ops/along_axis.h"

namespace weft {
namespace {

using detail::Recorder;
using ir::Expr;
using ir::Value;

/// A sequence of no more elements is compared with each value, as a sum that fuses; in a longer one places are found by halving.
constexpr int64_t most_compared = 128;

/// Does an element of the sequence stand before the place of a value? Nan is the largest number.
Expr stands_before(Expr element, Expr value, bool right) {
  const Expr smaller = right ? element <= value : element < value;
  if (!is_floating(value.value().dtype())) return smaller;
  const Expr beside_nan = value.apply("is_nan");
  return smaller.apply("or", right ? beside_nan : beside_nan.apply("and", element == element));
}

class Search {
 public:
  Search(Recorder& r, Value sequence, Value values, bool right) : r_(r), sequence_(sequence), values_(values), right_(right) {}

  Value places() const {
    if (extent() == 0) return r_.builder.splat({i64, values_.shape()}, 0);
    return extent() <= most_compared ? by_counting() : by_halving();
  }

 private:
  int64_t extent() const { return sequence_.shape()[-1]; }

  Value by_counting() const {
    Dims wide = values_.shape().dims(), column = wide, row = sequence_.shape().dims();
    wide.push_back(extent()), column.push_back(1);
    if (row.size() > 1) row.insert(row.end() - 1, 1);
    const Expr elements{r_.builder, r_.builder.broadcast(r_.builder.reshape(sequence_, Shape(row)), Shape(wide))};
    const Expr values{r_.builder, r_.builder.broadcast(r_.builder.reshape(values_, Shape(column)), Shape(wide))};
    return r_.builder.sum(r_.builder.cast(stands_before(elements, values, right_), i64), {static_cast<int64_t>(wide.size()) - 1});
  }

  /// The place moves on by falling powers of two while what stands before it there does so too.
  Value by_halving() const {
    const Expr values{r_.builder, values_};
    Expr place{r_.builder, r_.builder.splat({i64, values_.shape()}, 0)};
    for (auto step = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(extent()))); step > 0; step /= 2) {
      const Expr further = place + static_cast<double>(step), inside = further <= static_cast<double>(extent());
      const Expr element = elements_at(select(inside, further - 1.0, place.like(0)));
      place = select(inside.apply("and", stands_before(element, values, right_)), further, place);
    }
    return place;
  }

  Expr elements_at(Value index) const {
    if (sequence_.shape().rank() == 1) return {r_.builder, r_.builder("gather", {sequence_, index})};
    const Value places = ir::places_along_axis(r_.builder, index, sequence_.shape(), sequence_.shape().rank() - 1);
    return {r_.builder, r_.builder.reshape(r_.builder("gather", {ir::flattened(r_.builder, sequence_), places}), index.shape())};
  }

  Recorder& r_;
  Value sequence_, values_;
  bool right_;
};

}  // namespace

Tensor searchsorted(Arg sorted_sequence, Arg values, bool right) {
  Recorder r("searchsorted", {&sorted_sequence, &values});
  const DType dtype = r.common_dtype();
  const Value sequence = r.value(sorted_sequence, dtype), v = r.value(values, dtype);
  const Shape &in = sequence.shape(), &of = v.shape();
  if (in.rank() == 0) r.fail("the sequence must have an axis");
  const auto leading = [](const Shape& shape) { return Dims(shape.begin(), shape.end() - 1); };
  if (in.rank() > 1 && (of.rank() != in.rank() || leading(in) != leading(of)))
    r.fail("the sequence must have one axis, or all axes but the last one must be those of the values");
  return r.tensor(Search(r, sequence, v, right).places());
}

Tensor bucketize(Arg x, Arg boundaries, bool right) {
  Recorder r("bucketize", {&x, &boundaries});
  const DType dtype = r.common_dtype();
  const Value v = r.value(x, dtype), sequence = r.value(boundaries, dtype);
  if (sequence.shape().rank() != 1) r.fail("the boundaries must have one axis");
  return r.tensor(Search(r, sequence, v, right).places());
}

}  // namespace weft
