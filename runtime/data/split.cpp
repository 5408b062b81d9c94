#include "weft/runtime/data/split.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "weft/runtime/data/batcher.h"

namespace weft {
namespace {

Array rows(const Array& from, const std::vector<int64_t>& indices) {
  Dims dims = from.shape().dims();
  const size_t bytes = dims.at(0) == 0 ? 0 : from.bytes() / static_cast<size_t>(dims.at(0));
  dims.at(0) = std::ssize(indices);
  Array to(from.dtype(), Shape(std::move(dims)));
  for (size_t i = 0; i < indices.size(); ++i)
    std::memcpy(to.data() + i * bytes, from.data() + static_cast<size_t>(indices[i]) * bytes, bytes);
  return to;
}

}  // namespace

Dataset subset(const Dataset& data, const std::vector<int64_t>& indices) {
  data.check();
  for (const int64_t i : indices)
    if (i < 0 || i >= data.size()) throw Error("{} has no example {}: it has {}, counted from 0", data.title(), i, data.size());
  const auto part = [&](const Array& array) { return data.is_left_out(array) ? array : rows(array, indices); };
  Dataset result{.inputs = part(data.inputs), .targets = part(data.targets), .divisor = data.divisor};
  result.class_names = data.class_names;
  result.name = data.name;
  result.transforms = data.transforms;
  for (const auto& [name, array] : data.arrays) result.arrays.emplace_back(name, rows(array, indices));
  if (data.source) result.source = chosen(data.source, indices);
  result.mixup = data.mixup;
  return result;
}

Dataset slice(const Dataset& data, int64_t first, int64_t count) {
  if (first < 0 || count < 0 || first > data.size() - count)
    throw Error("{} has {} examples, so there are no {} from {} on", data.title(), data.size(), count, first);
  std::vector<int64_t> indices(static_cast<size_t>(count));
  std::iota(indices.begin(), indices.end(), first);
  return subset(data, indices);
}

Split split(const Dataset& data, const std::vector<int64_t>& validation) {
  Dataset part = subset(data, validation);
  std::vector<bool> taken(static_cast<size_t>(data.size()));
  for (const int64_t i : validation) {
    if (taken[static_cast<size_t>(i)]) throw Error("example {} of {} is chosen twice", i, data.title());
    taken[static_cast<size_t>(i)] = true;
  }
  std::vector<int64_t> others;
  for (int64_t i = 0; i < data.size(); ++i)
    if (!taken[static_cast<size_t>(i)]) others.push_back(i);
  return {subset(data, others), std::move(part)};
}

std::vector<Dataset> random_split(const Dataset& data, const std::vector<int64_t>& sizes, uint64_t seed) {
  int64_t sum = 0;
  for (const int64_t size : sizes) sum += size;
  if (sum != data.size() || std::any_of(sizes.begin(), sizes.end(), [](int64_t s) { return s < 0; }))
    throw Error("{} has {} examples and cannot be split into parts of {}", data.title(), data.size(), fmt::join(sizes, ", "));
  std::vector<int64_t> order(static_cast<size_t>(data.size()));
  shuffle_order(order, seed, int64_t{UINT32_MAX});  // no epoch's order
  std::vector<Dataset> parts;
  auto from = order.begin();
  for (const int64_t size : sizes) {
    parts.push_back(subset(data, {from, from + size}));
    from += size;
  }
  return parts;
}

}  // namespace weft
