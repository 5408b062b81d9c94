#pragma once
// Ops that only move elements. Names, defaults and semantics follow torch.<name>; negative axes count from the end.
//
// Every function throws weft::Error naming the op, what it requires, the operands' types and the user's line.

#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "weft/frontend/language/tensor.h"

namespace weft {

Tensor reshape(Arg x, Dims shape);  // one extent may be -1
Tensor view(Arg x, Dims shape);     // the same: nothing tells a view from a copy here
/// Axes start .. end joined into one; the default leaves the batch axis, as nn.Flatten.
Tensor flatten(Arg x, int64_t start = 1, int64_t end = -1);
/// One axis taken apart into several; one extent may be -1.
Tensor unflatten(Arg x, int64_t axis, Dims shape);
Tensor transpose(Arg x, int64_t axis0 = -2, int64_t axis1 = -1);
Tensor permute(Arg x, Dims axes);
/// Axes moved to where `destination` says, one each; the others keep their order.
Tensor movedim(Arg x, Axes source, Axes destination);
/// With a new axis of extent 1, which is then that of this number.
Tensor unsqueeze(Arg x, int64_t axis);
/// Without those of the axes (all, when none are given) that have extent 1.
Tensor squeeze(Arg x, Axes axes = {});
Tensor broadcast_to(Arg x, Dims shape);
Tensor expand(Arg x, Dims shape);  // broadcast_to, in which -1 keeps an axis's extent
/// x put together counts[d] times along each axis, the last of which are x's (numpy.tile).
Tensor repeat(Arg x, Dims counts);
/// Each element, or each slice along the axis, so many times one after the other; without an axis, of x flattened.
Tensor repeat_interleave(Arg x, int64_t repeats, std::optional<int64_t> axis = {});
/// x with the order along the axes reversed.
Tensor flip(Arg x, Axes axes);
/// Elements moved by the shifts along the axes, those beyond the end to the start; without axes, along x flattened.
Tensor roll(Arg x, Axes shifts, Axes axes = {});
/// The last two axes' elements up to a diagonal (0: the main one, above it positive), or from it on; 0 elsewhere.
Tensor tril(Arg x, int64_t diagonal = 0);
Tensor triu(Arg x, int64_t diagonal = 0);
/// The diagonal over two axes as the last axis.
Tensor diagonal(Arg x, int64_t offset = 0, int64_t axis0 = 0, int64_t axis1 = 1);
/// x[start:end:step] along one axis, as Python slices: negative ends count from the end, beyond is cut off. step >= 1.
Tensor slice(Arg x, int64_t axis, int64_t start, int64_t end = std::numeric_limits<int64_t>::max(), int64_t step = 1);
/// One after the other along `axis` (torch.cat); at least one operand.
Tensor concat(const std::vector<Tensor>& xs, int64_t axis = 0, std::source_location at = std::source_location::current());
/// Tensors of one shape side by side along a new axis.
Tensor stack(const std::vector<Tensor>& xs, int64_t axis = 0, std::source_location at = std::source_location::current());
/// What split() cuts an axis into: parts of one size, the last of which may be smaller, or parts of these sizes.
struct PartSizes {
  Dims sizes;
  bool one_for_all = false;
  PartSizes(int64_t size) : sizes{size}, one_for_all(true) {}
  PartSizes(std::initializer_list<int64_t> each) : sizes(each) {}
  PartSizes(Dims each) : sizes(std::move(each)) {}
};
std::vector<Tensor> split(Arg x, PartSizes sizes, int64_t axis = 0);
/// At most so many parts of one size, but for the last.
std::vector<Tensor> chunk(Arg x, int64_t chunks, int64_t axis = 0);
/// All slices along an axis, without it.
std::vector<Tensor> unbind(Arg x, int64_t axis = 0);
/// Vectors stretched to a grid, one axis each, in their order ("ij") or with the first two exchanged ("xy").
std::vector<Tensor> meshgrid(const std::vector<Tensor>& xs, std::string indexing = "ij",
                             std::source_location at = std::source_location::current());
/// `low` elements of `value` before and `high` after x, per axis; where negative, so many elements less.
Tensor pad(Arg x, Dims low, Dims high, double value = 0);
/// What comes before and after x is x itself: "reflect", mirrored at the first and the last element (fewer than x has), "replicate",
/// these two again and again, or "circular", x's other end (as many as are left at most). "constant": the above with zeros.
Tensor pad(Arg x, Dims low, Dims high, std::string mode);

}  // namespace weft
