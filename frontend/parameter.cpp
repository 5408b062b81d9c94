#include "weft/frontend/parameter.h"

#include <cstring>
#include <utility>

#include "weft/frontend/defaults.h"

namespace weft {

std::string detail::path_of(const std::weak_ptr<const Owner>& owner) {
  const auto held = owner.lock();
  if (!held) return "";
  return path_of(held->owner) + (held->name.empty() ? "" : held->name + ".");
}

Parameter::Parameter(std::string name, Array values)
    : storage_(std::make_shared<detail::ParameterStorage>(std::move(name), std::move(values))) {
  if (storage_->name.empty()) throw Error("a parameter needs a name");
}

Parameter::Parameter(std::string name, std::initializer_list<double> values)
    : Parameter(std::move(name), Array(default_dtype(), Shape{static_cast<int64_t>(values.size())})) {
  for (int64_t i = 0; double value : values) array().set(i++, value);
}

Parameter::Parameter(std::string name, double value) : Parameter(std::move(name), Array(default_dtype(), Shape{})) {
  array().set(0, value);
}

std::string Parameter::name() const {
  return storage_ ? detail::path_of(storage_->owner) + storage_->name : "(no parameter)";
}

const Array& Parameter::array() const {
  if (!storage_) throw Error("this Parameter handle names no parameter (a layer made with .bias = false has no bias)");
  return storage_->values;
}

Array& Parameter::array() { return const_cast<Array&>(std::as_const(*this).array()); }

void Parameter::set(DType dtype, const std::byte* data, size_t count) {
  Array& values = array();
  if (dtype != values.dtype() || static_cast<int64_t>(count) != values.shape().numel())
    throw Error("parameter '{}' is {}{} and takes {} {} values; given {} {} values", name(), name_of(values.dtype()),
                to_string(values.shape()), values.shape().numel(), name_of(values.dtype()), count, name_of(dtype));
  std::memcpy(values.data(), data, values.bytes());
}

}  // namespace weft
