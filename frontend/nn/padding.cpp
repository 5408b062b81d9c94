#include "weft/frontend/nn/padding.h"

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft::nn {

Tensor detail::spatially_padded(const Tensor& x, const Dims& low, const Dims& high, const std::string& mode, double value) {
  const auto all_axes = [&](const Dims& spatial) {
    Dims all(x.shape().dims().size() - spatial.size(), 0);
    all.insert(all.end(), spatial.begin(), spatial.end());
    return all;
  };
  return mode == "constant" ? pad(x, all_axes(low), all_axes(high), value) : pad(x, all_axes(low), all_axes(high), mode);
}

Pad::Pad(const char* name, int spatial, std::string mode, PadAmounts padding, double value, std::source_location at)
    : name_(name), spatial_(spatial), mode_(std::move(mode)), value_(value) {
  const auto count = static_cast<size_t>(2 * spatial);
  if (padding.each.size() == 1) padding.each.resize(count, padding.each[0]);
  const detail::Making make{name, at};
  make.require(padding.each.size() == count,
               fmt::format("the padding needs one number, or {}: two per spatial axis; it has {}", count, padding.each.size()));
  for (size_t axis = static_cast<size_t>(spatial); axis-- > 0;)
    low_.push_back(padding.each[2 * axis]), high_.push_back(padding.each[2 * axis + 1]);
}

Tensor Pad::forward(Tensor x) {
  const Arg operand(x);
  const int64_t before = x.dim() - spatial_;
  if (before < 1 || before > 2)
    weft::detail::Recorder(name_, {&operand})
        .fail(fmt::format("x must be [n, channels, {0} spatial axes] or [channels, {0} spatial axes]", spatial_));
  return detail::spatially_padded(x, low_, high_, mode_, value_);
}

}  // namespace weft::nn
