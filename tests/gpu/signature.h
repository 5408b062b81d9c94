#pragma once
// Function types as a C library's binary interface has them, so that weft's own prototypes can be compared with a real header's.

#include <type_traits>

namespace weft::test {

/// All handles are pointers, all enumerations ints.
template <class T>
struct Plain {
  using type = std::conditional_t<std::is_enum_v<T>, int, T>;
};
template <class T>
struct Plain<T*> {
  using inner = std::remove_cv_t<T>;
  using type = std::conditional_t<std::is_class_v<inner>, void*, typename Plain<inner>::type*>;
};
template <class T>
using PlainOf = typename Plain<std::remove_cv_t<T>>::type;

template <class F>
struct Signature;
template <class R, class... Args>
struct Signature<R (*)(Args...)> {
  using type = PlainOf<R> (*)(PlainOf<Args>...);
};
template <class F>
using SignatureOf = typename Signature<F>::type;

}  // namespace weft::test
