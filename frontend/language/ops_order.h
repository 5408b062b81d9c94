#pragma once
// Ops that order elements, and that look places up in what is ordered. Names, defaults and semantics follow torch.<name>. Nan is the
// largest number, and equal elements keep their order, also where the largest come first (torch: stable=True). The gradient of a value
// goes to the element that it is.
//
// The CPU sorts rows on its threads. A target without a call for it counts how many elements of its row stand before each: the square of
// a row's extent in comparisons.
//
// Every function throws weft::Error naming the op, what it requires, the operands' types and the user's line.

#include <optional>
#include <string>
#include <vector>

#include "weft/frontend/language/ops_reduction.h"

namespace weft {

/// The elements along the axis in order, and their indices in x (i64).
ValuesAndIndices sort(Arg x, int64_t axis = -1, bool descending = false);
Tensor argsort(Arg x, int64_t axis = -1, bool descending = false);  // sort(x, axis, descending).indices
Tensor msort(Arg x);                                                // sort(x, 0).values
/// The k largest elements along the axis, or the smallest, in order.
ValuesAndIndices topk(Arg x, int64_t k, int64_t axis = -1, bool largest = true);
/// The element before which, in ascending order, there are k - 1 others.
ValuesAndIndices kthvalue(Arg x, int64_t k, int64_t axis = -1, bool keep_dims = false);
/// The element in the middle, of an even number the lower one; nan if one is nan. Of all elements the gradient is shared evenly among those
/// that are equal to it; along an axis it goes to the element at the index.
Tensor median(Arg x);
ValuesAndIndices median(Arg x, int64_t axis, bool keep_dims = false);
/// The number at q times the last place of the order, for q in [0, 1], of all elements or along an axis; nan if one is nan. Between two
/// places `interpolation` takes what is on the line through both ("linear"), "lower", "higher", "midpoint" or "nearest" (halves to even).
Tensor quantile(Arg x, double q, std::optional<int64_t> axis = {}, bool keep_dims = false, const std::string& interpolation = "linear");
/// Of several q, along a new first axis.
Tensor quantile(Arg x, const std::vector<double>& q, std::optional<int64_t> axis = {}, bool keep_dims = false,
                const std::string& interpolation = "linear");

/// How many elements of the sequence, which ascends along its last axis, are less than each value, or, with `right`, not greater: where
/// the value may be inserted. i64. The sequence has one axis, or all but its last one are those of the values too. (Of a sequence that
/// does not ascend the result is some number in this range.)
Tensor searchsorted(Arg sorted_sequence, Arg values, bool right = false);
Tensor bucketize(Arg x, Arg boundaries, bool right = false);  // searchsorted(boundaries, x, right), of boundaries with one axis

}  // namespace weft
