#include "weft/frontend/language/hyper.h"

#include "weft/frontend/language/cloning.h"
#include "weft/support/error.h"

namespace weft {

Hyper::Hyper(std::string name, double value, Range range) : shared_(std::make_shared<Shared>(std::move(name), range, value)) {
  *this = value;
}

Hyper::Hyper(const Hyper& other) : shared_(other.shared_) {
  if (auto* cloning = detail::Cloning::current())
    shared_ = cloning->twin(other.shared_, [&] { return std::make_shared<Shared>(*other.shared_); });
}

Hyper& Hyper::operator=(double value) {
  if (!allows(value)) throw Error("{} must lie in {}, not be {}", name(), range().text(), value);
  shared_->value = value;
  return *this;
}

}  // namespace weft
