#pragma once
// What a step computed.

#include <memory>
#include <string_view>
#include <vector>

#include "weft/runtime/array.h"

namespace weft {

namespace detail {
struct StepCore;
}

/// One output of a step. Reads the program's memory, so it is valid until the next step of that program; every access
/// after that throws weft::Error.
class Result {
 public:
  Result(std::shared_ptr<const detail::StepCore> core, uint64_t step, int output)
      : core_(std::move(core)), step_(step), output_(output) {}

  DType dtype() const;
  const Shape& shape() const;
  /// The user's line that made it: "train.cpp:31".
  const std::string& where() const;

  /// The only element, as a double. Throws weft::Error when there are several.
  double item() const;
  /// The only element, exactly. Throws weft::Error unless T is exactly the element type.
  template <class T>
  T item() const {
    require_one();
    return view<T>()[0];
  }
  /// A copy of the elements, row-major.
  template <class T>
  std::vector<T> values() const {
    const auto all = view<T>();
    return {all.begin(), all.end()};
  }
  Array array() const;
  /// The elements where they are, until the next step.
  template <class T>
  std::span<const T> view() const {
    return {reinterpret_cast<const T*>(data(dtype_of<T>)), static_cast<size_t>(shape().numel())};
  }

 private:
  void require_one() const;
  const std::byte* data(DType wanted) const;
  const std::byte* data() const;

  std::shared_ptr<const detail::StepCore> core_;
  uint64_t step_;
  int output_;
};

/// All outputs of one call of a step, valid until the next call.
class Results {
 public:
  Results(std::shared_ptr<const detail::StepCore> core, uint64_t step) : core_(std::move(core)), step_(step) {}
  /// Throws weft::Error with the nearest names.
  Result operator[](std::string_view name) const;

 private:
  std::shared_ptr<const detail::StepCore> core_;
  uint64_t step_;
};

}  // namespace weft
