#pragma once
// The tensor language. Names, defaults and semantics follow torch.<name>; element types promote as torch.result_type
// does, shapes broadcast from the right. Operands may be tensors, parameters and numbers; a number takes the element
// type of the others, or default_dtype() when it is floating and they are not.
//
// Every function throws weft::Error naming the op, what it requires, the operands' types and the user's line.

#include <limits>
#include <optional>
#include <vector>

#include "weft/frontend/language/defaults.h"
#include "weft/frontend/language/tensor.h"

namespace weft {

// --- Elementwise -----------------------------------------------------------------------------------------------------

Tensor operator+(Arg a, Arg b);
Tensor operator-(Arg a, Arg b);
Tensor operator*(Arg a, Arg b);
Tensor operator/(Arg a, Arg b);  // of integers: true division, in default_dtype()
Tensor operator-(Arg x);
Tensor operator==(Arg a, Arg b);  // comparisons give bool; with nan only != is true
Tensor operator!=(Arg a, Arg b);
Tensor operator<(Arg a, Arg b);
Tensor operator<=(Arg a, Arg b);
Tensor operator>(Arg a, Arg b);
Tensor operator>=(Arg a, Arg b);
Tensor operator&&(Arg a, Arg b);  // logical; numbers count as true when not 0
Tensor operator||(Arg a, Arg b);
Tensor operator!(Arg x);
Tensor operator!(detail::TensorHandle x);
Tensor operator&&(detail::TensorHandle a, detail::TensorHandle b);
Tensor operator||(detail::TensorHandle a, detail::TensorHandle b);

Tensor pow(Arg base, Arg exponent);  // integers to an integer number that is not negative stay integers, else floating
Tensor maximum(Arg a, Arg b);        // nan if either is
Tensor minimum(Arg a, Arg b);
/// a where the condition (bool) holds, else b: torch.where. What the branch not taken holds, nan included, is not seen in the result.
/// Its gradient is 0 there, which goes on to what the branch is computed from, and 0 times an infinite or undefined slope is nan, as in
/// PyTorch: of select(x > 0, sqrt(x), 0), at x = 0 for example. So choose the operand too: select(x > 0, sqrt(select(x > 0, x, 1)), 0).
Tensor select(Arg condition, Arg a, Arg b);
Tensor cast(Arg x, DType dtype);

// Of integers, these compute in default_dtype().
Tensor exp(Arg x);
Tensor expm1(Arg x);
Tensor log(Arg x);
Tensor log1p(Arg x);
Tensor sqrt(Arg x);
Tensor rsqrt(Arg x);
Tensor sin(Arg x);
Tensor cos(Arg x);
Tensor tanh(Arg x);
Tensor erf(Arg x);
Tensor sigmoid(Arg x);
/// `approximate` is "none" (by erf) or "tanh".
Tensor gelu(Arg x, std::string approximate = "none");

// Of integers, these stay integers.
Tensor abs(Arg x);
Tensor sign(Arg x);
Tensor floor(Arg x);
Tensor ceil(Arg x);
Tensor round(Arg x);  // halves to even
Tensor square(Arg x);
Tensor relu(Arg x);  // further activations: frontend/nn/activations.h

/// x between the bounds, which are numbers; `max` wins. nan stays nan, and the derivative at a bound is 0. Integers between integer
/// bounds stay what they are; a floating bound makes them default_dtype().
Tensor clamp(Arg x, std::optional<Arg> min, std::optional<Arg> max = {});
/// x, through which no gradient flows.
Tensor detach(Arg x);

/// Zero with probability p, else x / (1 - p); x itself when p is 0 or not `training`. For a rate that can change without
/// recompiling: nn::Dropout.
Tensor dropout(Arg x, double p = 0.5, bool training = true);

// --- Reductions ------------------------------------------------------------------------------------------------------

Tensor sum(Arg x, Axes axes = {}, bool keep_dims = false);   // of bool, u8 and i32: i64
Tensor mean(Arg x, Axes axes = {}, bool keep_dims = false);  // floating
/// The sum of (x - mean)^2 over max(count - correction, 0); floating. The correction 1 gives an unbiased estimate.
Tensor var(Arg x, Axes axes = {}, double correction = 1, bool keep_dims = false);
Tensor max(Arg x, Axes axes = {}, bool keep_dims = false);  // torch.amax
Tensor min(Arg x, Axes axes = {}, bool keep_dims = false);  // torch.amin
/// i64 index of the largest element, the first of several; without an axis, into x flattened.
Tensor argmax(Arg x, std::optional<int64_t> axis = {}, bool keep_dims = false);
Tensor softmax(Arg x, int64_t axis);
Tensor log_softmax(Arg x, int64_t axis);

// --- Normalization; weights and biases are left out where not given -----------------------------------------------------

/// d / sqrt(mean(d^2) + eps) with d = x - mean(x), or x itself without `center`: the means over `axes` (all when none are
/// given). With `center`, this is mean 0 and variance 1.
Tensor standardize(Arg x, Axes axes = {}, double eps = 1e-5, bool center = true);
/// Standardized over the last axes, which must be `shape`; then times weight plus bias, of that shape.
Tensor layer_norm(Arg x, Dims shape, std::optional<Arg> weight = {}, std::optional<Arg> bias = {}, double eps = 1e-5);
/// x / sqrt(mean(x^2) + eps) over the last axes, times weight. Without eps: the type's distance from 1 to the next number.
Tensor rms_norm(Arg x, Dims shape, std::optional<Arg> weight = {}, std::optional<double> eps = {});
/// x [N, C, ...] standardized over each of `groups` equal parts of a sample's channels; weight and bias are [C]. Refused, as in
/// PyTorch, where N is 1 and a group has one value.
Tensor group_norm(Arg x, int64_t groups, std::optional<Arg> weight = {}, std::optional<Arg> bias = {}, double eps = 1e-5);

// --- Products --------------------------------------------------------------------------------------------------------

/// torch.matmul: vectors, matrices and batches of them; leading axes broadcast. Element types must be equal.
Tensor matmul(Arg a, Arg b);
/// x [..., in], weight [out, in], bias [out]: x weight^T + bias (torch.nn.functional.linear).
Tensor linear(Arg x, Arg weight, Arg bias);
Tensor linear(Arg x, Arg weight);

// --- Shape and order -------------------------------------------------------------------------------------------------

Tensor reshape(Arg x, Dims shape);  // one extent may be -1
/// Axes start .. end joined into one; the default leaves the batch axis, as nn.Flatten.
Tensor flatten(Arg x, int64_t start = 1, int64_t end = -1);
Tensor transpose(Arg x, int64_t axis0 = -2, int64_t axis1 = -1);
Tensor permute(Arg x, Dims axes);
Tensor broadcast_to(Arg x, Dims shape);
/// x[start:end:step] along one axis, as Python slices: negative ends count from the end, beyond is cut off. step >= 1.
Tensor slice(Arg x, int64_t axis, int64_t start, int64_t end = std::numeric_limits<int64_t>::max(), int64_t step = 1);
/// One after the other along `axis` (torch.cat); at least one operand.
Tensor concat(const std::vector<Tensor>& xs, int64_t axis = 0, std::source_location at = std::source_location::current());
/// `low` elements of `value` before and `high` after x, per axis.
Tensor pad(Arg x, Dims low, Dims high, double value = 0);

// --- Indices: i64, 0 <= index < extent. The step checks those that are fed: as they are, moved by a number (y - 1), or but for a
// number that select() leaves out. One that is computed and out of range gives nan where it picks (0 of integers), adds nothing
// where it scatters and has no 1 in one_hot; CompileOptions::check_finite makes it an error. --------------------------------

/// Slices of x along `axis` for an index of any shape, which replaces the axis (numpy.take; for token embeddings). It is
/// not torch.gather, which picks single elements.
Tensor gather(Arg x, Arg index, int64_t axis = 0);
/// weight[index] (torch.nn.functional.embedding): index [...] i64, weight [rows, d], result [..., d]. No gradient reaches the
/// row padding_idx, if given; negative, it counts from the end. `sparse`: the weight's gradient is row-sparse, as optim::SparseAdam
/// wants it; other optimizers make it dense.
Tensor embedding(Arg index, Arg weight, std::optional<int64_t> padding_idx = {}, bool sparse = false);
/// torch.index_select: the index has one axis.
Tensor index_select(Arg x, int64_t axis, Arg index);
/// x with `updates` added to its slices at index (torch.index_add): the reverse of gather.
Tensor scatter_add(Arg x, Arg index, Arg updates, int64_t axis = 0);
/// A new last axis of `classes` zeros, with a one at the index.
Tensor one_hot(Arg index, int64_t classes, DType dtype = i64);

// --- Without operands: recorded in the graph of the module being called, else in the innermost living graph ----------

Tensor full(Shape shape, double value, DType dtype = default_dtype(), std::source_location at = std::source_location::current());
Tensor zeros(Shape shape, DType dtype = default_dtype(), std::source_location at = std::source_location::current());
Tensor ones(Shape shape, DType dtype = default_dtype(), std::source_location at = std::source_location::current());
/// The index along `axis`, i64.
Tensor iota(Shape shape, int64_t axis = 0, std::source_location at = std::source_location::current());
/// 0, 1, ..., n - 1; i64.
Tensor arange(int64_t n, std::source_location at = std::source_location::current());
/// Elements that are known now; they become part of the program.
Tensor constant(const Array& values, std::source_location at = std::source_location::current());
/// Uniform in [0, 1), standard normal and always finite: other numbers at every step and for every call, a function of the step's
/// seed. Uniforms are multiples of 2^-24, of bf16 multiples of 2^-8, which is what it holds exactly.
Tensor random_uniform(Shape shape, DType dtype = default_dtype(), std::source_location at = std::source_location::current());
Tensor random_normal(Shape shape, DType dtype = default_dtype(), std::source_location at = std::source_location::current());

}  // namespace weft
