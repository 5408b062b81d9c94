#include "weft/frontend/language/hyper.h"

#include "weft/support/error.h"

namespace weft {

Hyper::Hyper(std::string name, double value, Range range) : shared_(std::make_shared<Shared>(std::move(name), range, value)) {
  *this = value;
}

Hyper& Hyper::operator=(double value) {
  if (!allows(value)) throw Error("{} must lie in {}, not be {}", name(), range().text(), value);
  shared_->value = value;
  return *this;
}

}  // namespace weft
