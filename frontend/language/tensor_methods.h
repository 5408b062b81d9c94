#pragma once
// Which functions of the tensor language are methods of Tensor, too: x.exp() is exp(x), x.argmax(1) is argmax(x, 1). What they do stands
// with the functions (frontend/language/ops_elementwise.h, ops_reduction.h, ops_product.h); the lists are of names alone.

/// Every elementwise function of one tensor: x.exp().
#define WEFT_METHODS_OF_ONE(METHOD) \
  METHOD(logical_not)               \
  METHOD(bitwise_not)               \
  METHOD(exp)                       \
  METHOD(expm1)                     \
  METHOD(log)                       \
  METHOD(log1p)                     \
  METHOD(log2)                      \
  METHOD(log10)                     \
  METHOD(exp2)                      \
  METHOD(reciprocal)                \
  METHOD(sqrt)                      \
  METHOD(rsqrt)                     \
  METHOD(sin)                       \
  METHOD(cos)                       \
  METHOD(tan)                       \
  METHOD(asin)                      \
  METHOD(acos)                      \
  METHOD(atan)                      \
  METHOD(sinh)                      \
  METHOD(cosh)                      \
  METHOD(tanh)                      \
  METHOD(asinh)                     \
  METHOD(acosh)                     \
  METHOD(atanh)                     \
  METHOD(erf)                       \
  METHOD(erfc)                      \
  METHOD(erfinv)                    \
  METHOD(lgamma)                    \
  METHOD(digamma)                   \
  METHOD(sigmoid)                   \
  METHOD(abs)                       \
  METHOD(sign)                      \
  METHOD(floor)                     \
  METHOD(ceil)                      \
  METHOD(round)                     \
  METHOD(trunc)                     \
  METHOD(square)                    \
  METHOD(frac)                      \
  METHOD(relu)                      \
  METHOD(isnan)                     \
  METHOD(isinf)                     \
  METHOD(isfinite)                  \
  METHOD(detach)

/// Functions of two operands: x.pow(2), a.matmul(b).
#define WEFT_METHODS_OF_TWO(METHOD) \
  METHOD(pow)                       \
  METHOD(maximum)                   \
  METHOD(minimum)                   \
  METHOD(fmod)                      \
  METHOD(remainder)                 \
  METHOD(atan2)                     \
  METHOD(logical_and)               \
  METHOD(logical_or)                \
  METHOD(logical_xor)               \
  METHOD(matmul)                    \
  METHOD(mm)                        \
  METHOD(bmm)                       \
  METHOD(mv)                        \
  METHOD(dot)                       \
  METHOD(outer)

/// Reductions over axes, all unless given: x.sum(), x.mean({0, -1}, true).
#define WEFT_METHODS_OVER_AXES(METHOD) \
  METHOD(sum)                          \
  METHOD(mean)                         \
  METHOD(prod)                         \
  METHOD(any)                          \
  METHOD(all)                          \
  METHOD(count_nonzero)                \
  METHOD(max)                          \
  METHOD(min)

/// Of one axis: x.softmax(-1).
#define WEFT_METHODS_ALONG_AXIS(METHOD) \
  METHOD(softmax)                       \
  METHOD(log_softmax)                   \
  METHOD(cumsum)                        \
  METHOD(cumprod)
