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
Tensor Tensor::sum(Axes axes, bool keep_dims, std::source_location at) const {
  return weft::sum(Arg(*this, at), std::move(axes), keep_dims);
}
Tensor Tensor::mean(Axes axes, bool keep_dims, std::source_location at) const {
  return weft::mean(Arg(*this, at), std::move(axes), keep_dims);
}

int64_t Tensor::size(int64_t axis, std::source_location at) const {
  const Arg x(*this, at);
  const detail::Recorder r("size", {&x});
  return shape()[static_cast<int>(r.axis(axis, shape().rank()))];
}

Tensor& Tensor::operator+=(const Arg& y) { return *this = Arg(*this, y.where()) + y; }
Tensor& Tensor::operator-=(const Arg& y) { return *this = Arg(*this, y.where()) - y; }
Tensor& Tensor::operator*=(const Arg& y) { return *this = Arg(*this, y.where()) * y; }
Tensor& Tensor::operator/=(const Arg& y) { return *this = Arg(*this, y.where()) / y; }

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
