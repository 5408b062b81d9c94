#pragma once
// Functions that a caller hands over.

#include <concepts>
#include <cstddef>

namespace weft {

/// Is it a null pointer to a function, an empty std::function or another empty handle? Calling it would say no more than
/// "bad function call", or crash.
template <class F>
bool is_null(const F& f) {
  if constexpr (std::constructible_from<F, std::nullptr_t> && requires {
                  { f == nullptr } -> std::convertible_to<bool>;
                })
    return f == nullptr;
  else return false;
}

}  // namespace weft
