#include "weft/frontend/language/hyper.h"

#include "weft/support/error.h"

namespace weft {

Hyper::Hyper(std::string name, double value, Range range) : shared_(std::make_shared<Shared>(std::move(name), range, value)) {
  *this = value;
}

bool Hyper::allows(double value) const {
  const Range& r = shared_->range;
  return (r.above_low ? value > r.low : value >= r.low) && (r.below_high ? value < r.high : value <= r.high);
}

Hyper& Hyper::operator=(double value) {
  const Range& r = shared_->range;
  if (!allows(value))
    throw Error("{} must lie in {}{}, {}{}, not be {}", name(), r.above_low ? "(" : "[", r.low, r.high, r.below_high ? ")" : "]", value);
  shared_->value = value;
  return *this;
}

}  // namespace weft
