#pragma once
// Stored tensors as arrays, and when a result is close to one.

#include "weft/tests/close.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/ops/expected.h"

namespace weft::testing {

/// default_dtype() for a scope.
class DefaultDType {
 public:
  explicit DefaultDType(DType dtype) : before_(default_dtype()) { set_default_dtype(dtype); }
  ~DefaultDType() { set_default_dtype(before_); }
  DefaultDType(const DefaultDType&) = delete;

 private:
  DType before_;
};

/// A stored tensor, floating ones in `dtype`.
inline Array array_of(const json& stored, DType dtype) {
  const reference::Tensor t = tensor(stored);
  Array array(is_floating(t.type.dtype) ? dtype : t.type.dtype, t.type.shape);
  for (size_t i = 0; i < t.real.size(); ++i) array.set(static_cast<int64_t>(i), t.real[i]);
  for (size_t i = 0; i < t.integer.size(); ++i) array.set(static_cast<int64_t>(i), static_cast<double>(t.integer[i]));
  return array;
}

/// Fills a parameter with stored numbers of its shape.
inline void set_numbers(Parameter p, const json& stored) {
  const Array values = array_of(stored, p.dtype());
  REQUIRE(values.shape() == p.shape());
  for (int64_t i = 0; i < p.shape().numel(); ++i) p.array().set(i, values.at(i));
}

/// Checks the shape and max |a - b| <= tolerance max |b|; infinities and nan must be the same.
inline void check_close(const Array& got, const json& want, double tolerance) {
  const reference::Tensor t = tensor(want);
  REQUIRE(got.shape() == t.type.shape);
  std::vector<double> values, wanted = t.real;
  for (int64_t i = 0; i < got.shape().numel(); ++i) values.push_back(got.at(i));
  wanted.insert(wanted.end(), t.integer.begin(), t.integer.end());
  CHECK(test::relative_difference(values, wanted) <= tolerance);
}

}  // namespace weft::testing
