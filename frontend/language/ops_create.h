#pragma once
// Tensors without operands, recorded in the graph of the module being called, else in the innermost living graph; and tensors like another.
//
// Every function throws weft::Error naming the op, what it requires, the operands' types and the user's line.

#include <optional>

#include "weft/frontend/language/defaults.h"
#include "weft/frontend/language/tensor.h"

namespace weft {

/// The value is a number; of integers exactly what it says.
Tensor full(Shape shape, Arg value, DType dtype = default_dtype(), std::source_location at = std::source_location::current());
Tensor zeros(Shape shape, DType dtype = default_dtype(), std::source_location at = std::source_location::current());
Tensor ones(Shape shape, DType dtype = default_dtype(), std::source_location at = std::source_location::current());
// Of x's shape, and of its element type unless another is given.
Tensor full_like(Arg x, Arg value, std::optional<DType> dtype = {});
Tensor zeros_like(Arg x, std::optional<DType> dtype = {});
Tensor ones_like(Arg x, std::optional<DType> dtype = {});
Tensor rand_like(Arg x, std::optional<DType> dtype = {});   // random_uniform
Tensor randn_like(Arg x, std::optional<DType> dtype = {});  // random_normal
/// Ones on the diagonal of n rows and, unless given, as many columns.
Tensor eye(int64_t n, std::optional<int64_t> columns = {}, DType dtype = default_dtype(),
           std::source_location at = std::source_location::current());
/// `steps` numbers from start to end, both among them, at equal distances; of integers the whole parts.
Tensor linspace(double start, double end, int64_t steps, DType dtype = default_dtype(),
                std::source_location at = std::source_location::current());
/// The index along `axis`, i64.
Tensor iota(Shape shape, int64_t axis = 0, std::source_location at = std::source_location::current());
/// 0, 1, ..., n - 1; i64.
Tensor arange(int64_t n, std::source_location at = std::source_location::current());
/// start, start + step, ... up to but without end, all numbers: i64 when all are integers, else default_dtype(), unless given.
Tensor arange(Arg start, Arg end, Arg step = 1, std::optional<DType> dtype = {});
/// Elements that are known now; they become part of the program.
Tensor constant(const Array& values, std::source_location at = std::source_location::current());
/// Uniform in [0, 1), standard normal and always finite: other numbers at every step and for every call, a function of the step's
/// seed. Uniforms are multiples of 2^-24, of f16 of 2^-11, of bf16 of 2^-8, which is what it holds exactly.
Tensor random_uniform(Shape shape, DType dtype = default_dtype(), std::source_location at = std::source_location::current());
Tensor random_normal(Shape shape, DType dtype = default_dtype(), std::source_location at = std::source_location::current());
/// Integers from low up to but without high, each as likely: at most 2^31 of them.
Tensor randint(int64_t low, int64_t high, Shape shape, DType dtype = i64, std::source_location at = std::source_location::current());
/// 1 with the probability that x holds there, else 0; floating. What is fed as x must lie in [0, 1].
Tensor bernoulli(Arg x);
/// 0 to n - 1 in an order of which each is as likely.
Tensor randperm(int64_t n, DType dtype = i64, std::source_location at = std::source_location::current());
/// Categories drawn by their weights, which are not negative, not all 0 and need not add up to 1: of weights [m] as many as num_samples,
/// of [n, m] so many for each row; i64. Without replacement none is drawn twice, so that there are m at most; those of weight 0 come last.
/// What weights hold is not checked, as it is in torch.
Tensor multinomial(Arg input, int64_t num_samples, bool replacement = false);

}  // namespace weft
