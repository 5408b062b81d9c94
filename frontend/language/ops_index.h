#pragma once
// Ops with indices: integers of any type, 0 <= index < extent. The step checks those that are fed: as they are, moved by a number (y - 1), or but for a
// number that select() leaves out. One that is computed and out of range gives nan where it picks (0 of integers), adds nothing
// where it scatters and has no 1 in one_hot; CompileOptions::check_finite makes it an error.
//
// Every function throws weft::Error naming the op, what it requires, the operands' types and the user's line.

#include <optional>
#include <string>
#include <vector>

#include "weft/frontend/language/tensor.h"

namespace weft {

/// Slices of x along `axis` for an index of any shape, which replaces the axis (numpy.take; for token embeddings). It is
/// not torch.gather, which picks single elements.
Tensor gather(Arg x, Arg index, int64_t axis = 0);
/// weight[index] (torch.nn.functional.embedding): index [...], weight [rows, d], result [..., d]. No gradient reaches the
/// row padding_idx, if given; negative, it counts from the end. `sparse`: the weight's gradient is row-sparse, as optim::SparseAdam
/// wants it; other optimizers make it dense.
Tensor embedding(Arg index, Arg weight, std::optional<int64_t> padding_idx = {}, bool sparse = false);
/// torch.index_select: the index has one axis.
Tensor index_select(Arg x, int64_t axis, Arg index);
/// x with `updates` added to its slices at index (torch.index_add): the reverse of gather.
Tensor scatter_add(Arg x, Arg index, Arg updates, int64_t axis = 0);
/// A new last axis of `classes` zeros, with a one at the index.
Tensor one_hot(Arg index, int64_t classes, DType dtype = i64);
/// The element of x at each index along the axis, and at the index's own place along the others: torch.gather, numpy.take_along_axis.
/// The index has x's rank, and along the other axes at most its extents.
Tensor take_along_axis(Arg x, Arg index, int64_t axis);
/// x with the updates in place of its elements there: torch.scatter. A place that the index names twice gets the sum of both updates,
/// where torch leaves open which one it gets.
Tensor scatter_along_axis(Arg x, Arg index, Arg updates, int64_t axis);
/// x with the updates added there (torch.scatter_add); they have the index's shape.
Tensor scatter_add_along_axis(Arg x, Arg index, Arg updates, int64_t axis);
/// Each element of x with the updates that name it, together by `reduce`: "sum", "prod", "mean" (of integers rounded down), "amax" or
/// "amin" (torch.scatter_reduce). Without `include_self` x counts only where nothing names it. The gradient of amax and amin is shared
/// evenly among those that are equal to it. All but sum and mean sort the updates.
Tensor scatter_reduce(Arg x, Arg index, Arg updates, int64_t axis, const std::string& reduce, bool include_self = true);
/// x[i, j, ...] of tensors of indices, which broadcast to one shape: that takes the place of the first axes, as many as there are indices.
Tensor index_get(Arg x, const std::vector<Arg>& indices);
/// x with the values in place of what index_get(x, indices) is (torch.index_put); they broadcast to its shape. With `accumulate` they are added
/// to it. A place that is named twice gets the sum of both values.
Tensor index_put(Arg x, const std::vector<Arg>& indices, Arg values, bool accumulate = false);

}  // namespace weft
