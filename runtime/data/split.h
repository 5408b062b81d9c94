#pragma once
// Parts of a data set: for training, validation, a quick look. Each is a copy that keeps the divisor, the class names, the
// transforms and the name; what comes from a source is read by it as before. A stream has no parts.

#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "weft/runtime/data/dataset.h"

namespace weft {

/// The examples at these indices, in this order; one may come twice. Throws weft::Error naming an index outside the set.
Dataset subset(const Dataset& data, const std::vector<int64_t>& indices);

/// The `count` examples from `first` on. Throws weft::Error unless 0 <= first and first + count <= data.size().
Dataset slice(const Dataset& data, int64_t first, int64_t count);

struct Split {
  Dataset train, validation;
};

/// For validation the examples given, in this order; for training the others, in the set's. Throws weft::Error naming an
/// index that is outside the set or given twice.
///
///   const auto [train, validation] = split(readings, {3, 4});
Split split(const Dataset& data, const std::vector<int64_t>& validation);

/// torch.utils.data.random_split: every example lands in exactly one part, by a permutation that is a function of the seed
/// alone. Throws weft::Error unless the sizes are not negative and add up to data.size().
///
///   const auto [train, test] = random_split<2>(data, {9000, 1000}, 1);
std::vector<Dataset> random_split(const Dataset& data, const std::vector<int64_t>& sizes, uint64_t seed);
template <size_t N>
std::array<Dataset, N> random_split(const Dataset& data, const std::array<int64_t, N>& sizes, uint64_t seed) {
  std::vector<Dataset> parts = random_split(data, std::vector<int64_t>(sizes.begin(), sizes.end()), seed);
  std::array<Dataset, N> result;
  std::move(parts.begin(), parts.end(), result.begin());
  return result;
}

}  // namespace weft
