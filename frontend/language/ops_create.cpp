// Ops of the tensor language that take no operands.

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft {
namespace {

using detail::Recorder;

Tensor random(std::string_view op, const Shape& shape, DType dtype, std::source_location at) {
  Recorder r(op, at);
  return r(op, {r.recording().key(r.where())}, {{"shape", shape.dims()}, {"site", r.recording().next_site()}, {"dtype", dtype}});
}

}  // namespace

Tensor full(Shape shape, double value, DType dtype, std::source_location at) {
  Recorder r("full", at);
  return r.tensor(r.builder.splat({dtype, std::move(shape)}, value));
}
Tensor zeros(Shape shape, DType dtype, std::source_location at) { return full(std::move(shape), 0, dtype, at); }
Tensor ones(Shape shape, DType dtype, std::source_location at) { return full(std::move(shape), 1, dtype, at); }

Tensor iota(Shape shape, int64_t axis, std::source_location at) {
  Recorder r("iota", at);
  return r("iota", {}, {{"shape", shape.dims()}, {"axis", r.axis(axis, shape.rank())}});
}
Tensor arange(int64_t n, std::source_location at) { return iota(Shape{n}, 0, at); }

Tensor constant(const Array& values, std::source_location at) {
  Recorder r("constant", at);
  const std::vector<std::byte> bytes(values.data(), values.data() + values.bytes());
  return r("constant", {}, {{"value", ir::Dense({values.dtype(), values.shape()}, bytes)}});
}

Tensor random_uniform(Shape shape, DType dtype, std::source_location at) { return random("random_uniform", shape, dtype, at); }
Tensor random_normal(Shape shape, DType dtype, std::source_location at) { return random("random_normal", shape, dtype, at); }

}  // namespace weft
