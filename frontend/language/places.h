#pragma once
// What stands between the brackets of x[...]: torch's indexing with integers, slices, None and an ellipsis.
//
//   x[0], x[-1]                                // x[0], x[-1]
//   x[{Slice(1, 3), 0, All}]                   // x[1:3, 0, :]
//   x[{Ellipsis, Slice(None, None, 2)}]        // x[..., ::2]
//   x[{All, None}]                             // x[:, None]
//
// Tensors of indices are index_get(x, {i, j}) (frontend/language/ops_index.h).

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <source_location>
#include <variant>
#include <vector>

namespace weft {

/// A new axis of extent 1; as a bound of a Slice, none.
struct NewAxis {
  operator std::optional<int64_t>() const { return {}; }
};
inline constexpr NewAxis None;

/// As many whole axes as the other places leave.
struct RestOfAxes {};
inline constexpr RestOfAxes Ellipsis;

/// start:stop:step of Python: negative bounds count from the end, beyond is cut off. Slice(1) is 1:, as in torch's C++.
struct Slice {
  std::optional<int64_t> start, stop;
  int64_t step;

  constexpr explicit Slice(std::optional<int64_t> start = {}, std::optional<int64_t> stop = {}, int64_t step = 1)
      : start(start), stop(stop), step(step) {}
};
/// A whole axis.
inline constexpr Slice All;

/// One place: an index, from the end when negative, whose axis goes; a slice; a new axis; the axes between.
class IndexPlace {
 public:
  template <std::integral T>
  IndexPlace(T index) : what(static_cast<int64_t>(index)) {}
  IndexPlace(Slice slice) : what(slice) {}
  IndexPlace(NewAxis none) : what(none) {}
  IndexPlace(RestOfAxes rest) : what(rest) {}

  std::variant<int64_t, Slice, NewAxis, RestOfAxes> what;
};

/// The places from the first axis on, and the line where they were written.
struct IndexPlaces {
  std::vector<IndexPlace> all;
  std::source_location at;

  template <std::convertible_to<IndexPlace> T>
  IndexPlaces(T one, std::source_location where = std::source_location::current()) : all{IndexPlace(one)}, at(where) {}
  IndexPlaces(std::initializer_list<IndexPlace> each, std::source_location where = std::source_location::current())
      : all(each), at(where) {}
};

}  // namespace weft
