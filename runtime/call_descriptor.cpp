#include "weft/runtime/call_descriptor.h"

#include <utility>

#include "weft/support/error.h"

namespace weft {

template <class T>
const T& CallDescriptor::field(std::string_view name, std::string_view kind) const {
  const auto found = fields.find(name);
  if (found == fields.end()) throw Error(ErrorKind::file, "the call '{}' says no '{}'", call, name);
  if (const T* value = std::get_if<T>(&found->second)) return *value;
  throw Error(ErrorKind::file, "'{}' of the call '{}' is no {}", name, call, kind);
}

int64_t CallDescriptor::integer(std::string_view name) const { return field<int64_t>(name, "integer"); }
const Dims& CallDescriptor::list(std::string_view name) const { return field<Dims>(name, "list"); }
const std::string& CallDescriptor::text(std::string_view name) const { return field<std::string>(name, "text"); }

int64_t CallDescriptor::count(std::string_view name) const {
  const int64_t value = integer(name);
  if (value < 0) throw Error(ErrorKind::file, "'{}' of the call '{}' is {}, which must not be negative", name, call, value);
  return value;
}

DType CallDescriptor::dtype(std::string_view name) const {
  if (const auto found = dtype_from_name(text(name))) return *found;
  throw Error(ErrorKind::file, "'{}' of the call '{}' is '{}', which is no element type", name, call, text(name));
}

Shape CallDescriptor::shape(std::string_view name) const {
  for (const int64_t extent : list(name))
    if (extent < 0) throw Error(ErrorKind::file, "'{}' of the call '{}' has an extent of {}", name, call, extent);
  return Shape(list(name));
}

int64_t bytes_of(DType dtype, Dims extents) {
  extents.push_back(static_cast<int64_t>(size_of(dtype)));
  return Shape(std::move(extents)).numel();
}

}  // namespace weft
