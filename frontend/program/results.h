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

/// One output of a step. Reads the program's memory, so it is valid until the next step of that program, whatever becomes of
/// what was fed, of parameters and of other programs; every access after that throws weft::Error. An update's new value is
/// copied out of the parameter when it is first read, or before set_values(), another step or the like writes the parameter;
/// only writes through a pointer into it that was taken before the step go unseen.
class Result {
 public:
  Result(std::shared_ptr<const detail::StepCore> core, uint64_t step, int output);
  // Moving copies, so that there is no handle of nothing.
  Result(const Result&) = default;
  Result& operator=(const Result&) = default;

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
  /// The elements where they are, until the next step: a view that is kept longer reads what later steps left there, or, once
  /// the step and its results are gone, memory that is nobody's. It may be fed to any step, this one too.
  template <class T>
  std::span<const T> view() const {
    return {reinterpret_cast<const T*>(data(dtype_of<T>)), static_cast<size_t>(shape().numel())};
  }

 private:
  void require_one() const;
  const std::byte* data(DType wanted) const;
  const std::byte* data() const;

  std::shared_ptr<const detail::StepCore> core_;
  std::shared_ptr<const void> held_;  // see detail::LentResults
  uint64_t step_;
  int output_;
};

/// All outputs of one call of a step, valid until the next call.
class Results {
 public:
  Results(std::shared_ptr<const detail::StepCore> core, uint64_t step);
  // Moving copies, so that there is no handle of nothing.
  Results(const Results&) = default;
  Results& operator=(const Results&) = default;
  /// Throws weft::Error with the nearest names.
  Result operator[](std::string_view name) const;

 private:
  std::shared_ptr<const detail::StepCore> core_;
  std::shared_ptr<const void> held_;
  uint64_t step_;
};

}  // namespace weft
