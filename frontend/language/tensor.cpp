#include "weft/frontend/language/tensor.h"

#include <ostream>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft {

ir::Value Tensor::value() const {
  if (!node) throw Error("nothing was assigned to this Tensor");
  return node;
}

Tensor Tensor::reshape(Dims shape, std::source_location at) const { return weft::reshape(Arg(*this, at), std::move(shape)); }
Tensor Tensor::view(Dims shape, std::source_location at) const { return weft::view(Arg(*this, at), std::move(shape)); }
Tensor Tensor::flatten(int64_t start, int64_t end, std::source_location at) const { return weft::flatten(Arg(*this, at), start, end); }
Tensor Tensor::unsqueeze(int64_t axis, std::source_location at) const { return weft::unsqueeze(Arg(*this, at), axis); }
Tensor Tensor::squeeze(Axes axes, std::source_location at) const { return weft::squeeze(Arg(*this, at), std::move(axes)); }
Tensor Tensor::expand(Dims shape, std::source_location at) const { return weft::expand(Arg(*this, at), std::move(shape)); }
Tensor Tensor::permute(Dims axes, std::source_location at) const { return weft::permute(Arg(*this, at), std::move(axes)); }
Tensor Tensor::transpose(int64_t axis0, int64_t axis1, std::source_location at) const {
  return weft::transpose(Arg(*this, at), axis0, axis1);
}
Tensor Tensor::unflatten(int64_t axis, Dims shape, std::source_location at) const {
  return weft::unflatten(Arg(*this, at), axis, std::move(shape));
}
Tensor Tensor::repeat(Dims counts, std::source_location at) const { return weft::repeat(Arg(*this, at), std::move(counts)); }
Tensor Tensor::flip(Axes axes, std::source_location at) const { return weft::flip(Arg(*this, at), std::move(axes)); }
std::vector<Tensor> Tensor::split(PartSizes sizes, int64_t axis, std::source_location at) const {
  return weft::split(Arg(*this, at), std::move(sizes), axis);
}
std::vector<Tensor> Tensor::chunk(int64_t chunks, int64_t axis, std::source_location at) const {
  return weft::chunk(Arg(*this, at), chunks, axis);
}
std::vector<Tensor> Tensor::unbind(int64_t axis, std::source_location at) const { return weft::unbind(Arg(*this, at), axis); }

#define WEFT_METHOD(name) \
  Tensor Tensor::name(std::source_location at) const { return weft::name(Arg(*this, at)); }
WEFT_METHODS_OF_ONE(WEFT_METHOD)
#undef WEFT_METHOD
#define WEFT_METHOD(name) \
  Tensor Tensor::name(const Arg& y) const { return weft::name(Arg(*this, y.where()), y); }
WEFT_METHODS_OF_TWO(WEFT_METHOD)
#undef WEFT_METHOD
#define WEFT_METHOD(name)                                                         \
  Tensor Tensor::name(Axes axes, bool keep_dims, std::source_location at) const { \
    return weft::name(Arg(*this, at), std::move(axes), keep_dims);                \
  }
WEFT_METHODS_OVER_AXES(WEFT_METHOD)
#undef WEFT_METHOD
#define WEFT_METHOD(name) \
  Tensor Tensor::name(int64_t axis, std::source_location at) const { return weft::name(Arg(*this, at), axis); }
WEFT_METHODS_ALONG_AXIS(WEFT_METHOD)
#undef WEFT_METHOD

Tensor Tensor::argmax(std::optional<int64_t> axis, bool keep_dims, std::source_location at) const {
  return weft::argmax(Arg(*this, at), axis, keep_dims);
}
Tensor Tensor::argmin(std::optional<int64_t> axis, bool keep_dims, std::source_location at) const {
  return weft::argmin(Arg(*this, at), axis, keep_dims);
}
Tensor Tensor::var(Axes axes, double correction, bool keep_dims, std::source_location at) const {
  return weft::var(Arg(*this, at), std::move(axes), correction, keep_dims);
}
Tensor Tensor::stddev(Axes axes, double correction, bool keep_dims, std::source_location at) const {
  return weft::stddev(Arg(*this, at), std::move(axes), correction, keep_dims);
}
Tensor Tensor::norm(double p, Axes axes, bool keep_dims, std::source_location at) const {
  return weft::norm(Arg(*this, at), p, std::move(axes), keep_dims);
}
Tensor Tensor::logsumexp(Axes axes, bool keep_dims, std::source_location at) const {
  return weft::logsumexp(Arg(*this, at), std::move(axes), keep_dims);
}
Tensor Tensor::masked_fill(const Arg& mask, const Arg& value) const { return weft::masked_fill(Arg(*this, mask.where()), mask, value); }
Tensor Tensor::clamp(const Arg& min) const { return weft::clamp(Arg(*this, min.where()), min); }
Tensor Tensor::clamp(const Arg& min, const Arg& max) const { return weft::clamp(Arg(*this, min.where()), min, max); }
Tensor Tensor::clamp(ClampBounds bounds, std::source_location at) const { return weft::clamp(Arg(*this, at), std::move(bounds)); }
Tensor Tensor::to(DType dtype, std::source_location at) const { return weft::cast(Arg(*this, at), dtype); }

int64_t Tensor::size(int64_t axis, std::source_location at) const {
  const Arg x(*this, at);
  const detail::Recorder r("size", {&x});
  return shape()[static_cast<int>(r.axis(axis, shape().rank()))];
}

Tensor& Tensor::operator+=(const Arg& y) & { return *this = Arg(*this, y.where()) + y; }
Tensor& Tensor::operator-=(const Arg& y) & { return *this = Arg(*this, y.where()) - y; }
Tensor& Tensor::operator*=(const Arg& y) & { return *this = Arg(*this, y.where()) * y; }
Tensor& Tensor::operator/=(const Arg& y) & { return *this = Arg(*this, y.where()) / y; }

std::string to_string(const Tensor& tensor) {
  if (!tensor.node) return "Tensor(nothing assigned)";
  const ir::Value v = tensor.node;
  const ir::Locations& lines = v.is_input() ? v.graph()->inputs()[static_cast<size_t>(v.index())].locations : v.op()->locations();
  return fmt::format(
      "Tensor({}, {} at {}; no value while recording: graph.output(\"name\", tensor), then read "
      "step(...)[\"name\"])",
      to_string(v.type()), v.is_input() ? "input '" + v.name() + "'" : std::string(v.op()->name()), to_string(lines));
}

std::ostream& operator<<(std::ostream& out, const Tensor& tensor) { return out << to_string(tensor); }

}  // namespace weft
