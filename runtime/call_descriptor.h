#pragma once
// What a launch runs, as plain data: a name that says which of a backend's calls it is, and what that must know of it. The same
// stands in a program in memory and in a file.

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>

#include "weft/support/dtype.h"
#include "weft/support/shape.h"

namespace weft {

struct CallDescriptor {
  using Value = std::variant<int64_t, Dims, std::string>;

  std::string call;
  std::map<std::string, Value, std::less<>> fields = {};

  // Each throws weft::Error, naming call and field, where there is no such field or it is of another kind.
  int64_t integer(std::string_view name) const;
  /// An integer that is not negative.
  int64_t count(std::string_view name) const;
  bool flag(std::string_view name) const { return integer(name) != 0; }
  const Dims& list(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  DType dtype(std::string_view name) const;
  Shape shape(std::string_view name) const;

  bool operator==(const CallDescriptor&) const = default;

 private:
  template <class T>
  const T& field(std::string_view name, std::string_view kind) const;
};

/// Of elements with these extents. Throws weft::Error where that is more than any memory has.
int64_t bytes_of(DType dtype, Dims extents);

}  // namespace weft
