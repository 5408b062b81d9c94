#pragma once
// What an input's elements must be for a program to run on them.

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "weft/runtime/view.h"

namespace weft {

/// Indices from `low` to below `high`, and some others, which a loss ignores say. `ascending`: the first is 0, and none is smaller than
/// the one before.
struct IndexBound {
  int64_t low = 0, high = 0;
  std::vector<int64_t> besides = {};
  bool ascending = false;
  std::string what = "indices";  // they are, for messages: "lengths", "labels"

  bool allows(int64_t index) const;
  /// "indices below 3 (or -100)", "indices below 3 that ascend from 0".
  std::string text() const;
  bool operator==(const IndexBound&) const = default;
};

/// Numbers from `low` to `high`.
struct ValueRange {
  double low, high;
  bool operator==(const ValueRange&) const = default;
};

/// What a number may be: low <= number <= high, or low < number, or number < high.
struct NumberRange {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool above_low = false, below_high = false;

  /// Not nan.
  bool allows(double number) const;
  /// "(0, 1]".
  std::string text() const;
  bool operator==(const NumberRange&) const = default;
};

/// The first of the integers that is not allowed, if there is one, and its place.
struct OutsideIndex {
  size_t element;
  int64_t index;
};
std::optional<OutsideIndex> find_outside(const View& indices, const IndexBound& bound);
/// The place of the first floating number that is not allowed, if there is one; nan never is.
std::optional<size_t> find_outside(const View& values, const ValueRange& range);

}  // namespace weft
