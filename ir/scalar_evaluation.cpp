#include "weft/ir/scalar_evaluation.h"

#include <cmath>

#include "weft/support/conversion.h"
#include "weft/support/error.h"

namespace weft::ir {
namespace {

template <class Out, class A, class F>
void map(Out* out, const A* a, size_t count, F f) {
  for (size_t i = 0; i < count; ++i) out[i] = f(a[i]);
}

template <class Out, class A, class F>
void map(Out* out, const A* a, const A* b, size_t count, F f) {
  for (size_t i = 0; i < count; ++i) out[i] = f(a[i], b[i]);
}

void real_function(Primitive primitive, const ScalarBlock& v) {
  const auto each = [&](auto f) { map(v.real, v.a.real, v.count, f); };
  switch (primitive) {
    case Primitive::negate: return each([](double x) { return -x; });
    case Primitive::absolute: return each([](double x) { return std::fabs(x); });
    case Primitive::exp: return each([](double x) { return std::exp(x); });
    case Primitive::expm1: return each([](double x) { return std::expm1(x); });
    case Primitive::log: return each([](double x) { return std::log(x); });
    case Primitive::log1p: return each([](double x) { return std::log1p(x); });
    case Primitive::sqrt: return each([](double x) { return std::sqrt(x); });
    case Primitive::sin: return each([](double x) { return std::sin(x); });
    case Primitive::cos: return each([](double x) { return std::cos(x); });
    case Primitive::tanh: return each([](double x) { return std::tanh(x); });
    case Primitive::erf: return each([](double x) { return std::erf(x); });
    case Primitive::atan: return each([](double x) { return std::atan(x); });
    case Primitive::asinh: return each([](double x) { return std::asinh(x); });
    case Primitive::floor: return each([](double x) { return std::floor(x); });
    case Primitive::ceil: return each([](double x) { return std::ceil(x); });
    case Primitive::round_even: return each([](double x) { return std::nearbyint(x); });
    default: throw InternalError(fmt::format("{} of a floating type", name_of(primitive)));
  }
}

void real_arithmetic(Primitive primitive, const ScalarBlock& v) {
  const auto each = [&](auto f) { map(v.real, v.a.real, v.b.real, v.count, f); };
  switch (primitive) {
    case Primitive::add: return each([](double x, double y) { return x + y; });
    case Primitive::subtract: return each([](double x, double y) { return x - y; });
    case Primitive::multiply: return each([](double x, double y) { return x * y; });
    case Primitive::divide: return each([](double x, double y) { return x / y; });
    case Primitive::pow: return each([](double x, double y) { return std::pow(x, y); });
    case Primitive::fma:
      for (size_t i = 0; i < v.count; ++i) v.real[i] = std::fma(v.a.real[i], v.b.real[i], v.c.real[i]);
      return;
    default: return real_function(primitive, v);
  }
}

uint64_t bits_of(int64_t x) { return static_cast<uint64_t>(x); }

int64_t quotient(int64_t x, int64_t y) {
  if (y == 0) return 0;
  return y == -1 ? static_cast<int64_t>(0 - bits_of(x)) : x / y;  // the smallest integer / -1 would trap
}

int64_t shifted_left(int64_t x, int64_t by, DType dtype) {
  return by < 0 || by >= static_cast<int64_t>(8 * size_of(dtype)) ? 0 : static_cast<int64_t>(bits_of(x) << by);
}

int64_t shifted_right(int64_t x, int64_t by, DType dtype) {
  const auto width = static_cast<int64_t>(8 * size_of(dtype));
  if (by < 0 || by >= width) return 0;
  return static_cast<int64_t>((bits_of(x) & (~uint64_t{0} >> (64 - width))) >> by);
}

/// Computed modulo 2^64, which leaves the lower bits right, then wrapped to the type.
void integer_arithmetic(Primitive primitive, DType dtype, const ScalarBlock& v) {
  const auto one = [&](auto f) {
    map(v.integer, v.a.integer, v.count, [&](int64_t x) { return wrapped(dtype, static_cast<int64_t>(f(x))); });
  };
  const auto two = [&](auto f) {
    map(v.integer, v.a.integer, v.b.integer, v.count, [&](int64_t x, int64_t y) { return wrapped(dtype, static_cast<int64_t>(f(x, y))); });
  };
  switch (primitive) {
    case Primitive::negate: return one([](int64_t x) { return 0 - bits_of(x); });
    case Primitive::absolute: return one([](int64_t x) { return x < 0 ? 0 - bits_of(x) : bits_of(x); });
    case Primitive::bit_not: return one([](int64_t x) { return ~x; });
    case Primitive::add: return two([](int64_t x, int64_t y) { return bits_of(x) + bits_of(y); });
    case Primitive::subtract: return two([](int64_t x, int64_t y) { return bits_of(x) - bits_of(y); });
    case Primitive::multiply: return two([](int64_t x, int64_t y) { return bits_of(x) * bits_of(y); });
    case Primitive::divide: return two(quotient);
    case Primitive::bit_and: return two([](int64_t x, int64_t y) { return x & y; });
    case Primitive::bit_or: return two([](int64_t x, int64_t y) { return x | y; });
    case Primitive::bit_xor: return two([](int64_t x, int64_t y) { return x ^ y; });
    case Primitive::shift_left: return two([&](int64_t x, int64_t y) { return shifted_left(x, y, dtype); });
    case Primitive::shift_right: return two([&](int64_t x, int64_t y) { return shifted_right(x, y, dtype); });
    default: throw InternalError(fmt::format("{} of {}", name_of(primitive), name_of(dtype)));
  }
}

template <class T>
void comparison(Primitive primitive, const T* a, const T* b, const ScalarBlock& v) {
  const auto each = [&](auto f) { map(v.integer, a, b, v.count, f); };
  switch (primitive) {
    case Primitive::equal: return each([](T x, T y) { return x == y; });
    case Primitive::not_equal: return each([](T x, T y) { return x != y; });
    case Primitive::less: return each([](T x, T y) { return x < y; });
    default: return each([](T x, T y) { return x <= y; });
  }
}

template <class T>
void choose(const ScalarBlock& v, const T* yes, const T* no, T* out) {
  for (size_t i = 0; i < v.count; ++i) out[i] = v.a.integer[i] ? yes[i] : no[i];
}

void convert(DType from, DType to, const ScalarBlock& v) {
  if (is_floating(from) && is_floating(to)) {
    // Widening changes nothing, not even a value that was never rounded to the narrow type.
    const DType type = size_of(to) < size_of(from) ? to : f64;
    map(v.real, v.a.real, v.count, [&](double x) { return rounded(type, x); });
  } else if (is_floating(from)) {
    map(v.integer, v.a.real, v.count, [&](double x) { return truncated(to, x); });
  } else if (is_floating(to)) {
    // From i64 in one rounding, not by way of double.
    map(v.real, v.a.integer, v.count, [&](int64_t x) { return to == f64 ? static_cast<double>(x) : rounded(to, static_cast<float>(x)); });
  } else {
    map(v.integer, v.a.integer, v.count, [&](int64_t x) { return to == boolean ? x != 0 : wrapped(to, x); });
  }
}

}  // namespace

void evaluate(const ScalarNode& node, DType operand, const ScalarBlock& v) {
  switch (node.primitive) {
    case Primitive::equal:
    case Primitive::not_equal:
    case Primitive::less:
    case Primitive::less_equal:
      if (is_floating(operand)) return comparison(node.primitive, v.a.real, v.b.real, v);
      return comparison(node.primitive, v.a.integer, v.b.integer, v);
    case Primitive::select:
      if (is_floating(node.dtype)) return choose(v, v.b.real, v.c.real, v.real);
      return choose(v, v.b.integer, v.c.integer, v.integer);
    case Primitive::cast: return convert(operand, node.dtype, v);
    default:
      if (is_floating(node.dtype)) return real_arithmetic(node.primitive, v);
      return integer_arithmetic(node.primitive, node.dtype, v);
  }
}

}  // namespace weft::ir
