#pragma once
// What the elements of an array are like.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weft/support/dtype.h"

namespace weft {

/// Of floating elements. Mean, deviation and range are those of the finite ones; nan where there is none.
struct ValueStatistics {
  int64_t count = 0;
  int64_t nans = 0, infinities = 0;  // of either sign
  int64_t zeros = 0, subnormals = 0;
  double mean = 0, deviation = 0;  // over all of them, not of a sample: divided by their number
  double smallest = 0, largest = 0;

  int64_t finite() const { return count - nans - infinities; }
};

/// `count` elements of a floating type, which is no other.
ValueStatistics statistics_of(DType dtype, const std::byte* data, int64_t count);

/// "from -1.5 to 2", "2 nan, from 0 to 1", "no elements".
std::string range_text(const ValueStatistics& s);

/// The first element that is nan or infinite; -1 if there is none.
int64_t first_not_finite(DType dtype, const std::byte* data, int64_t count);

/// So many of the finite elements lie in [edges[i], edges[i + 1]), the last one's upper edge included; edges in equal distances from
/// the smallest to the largest. Nothing where no element is finite.
struct ValueHistogram {
  std::vector<double> edges;
  std::vector<int64_t> counts;
  double sum = 0, squares = 0;  // of the elements and of their squares
};
ValueHistogram histogram_of(DType dtype, const std::byte* data, int64_t count, int buckets = 30);

}  // namespace weft
