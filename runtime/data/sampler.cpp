#include "weft/runtime/data/sampler.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>

#include "weft/runtime/data/batcher.h"
#include "weft/support/error.h"
#include "weft/support/philox.h"

namespace weft {
namespace {

constexpr uint32_t weighted_site = 0xDA7AF000u, group_site = 0xDA7AF001u;  // apart from the shuffle's and the transforms'

/// Uniform in [0, 1), 53 bits, a function of these alone.
double uniform(uint64_t seed, uint32_t site, int64_t epoch, uint64_t number) {
  const auto bits = philox4x32({static_cast<uint32_t>(number), static_cast<uint32_t>(number >> 32), site, static_cast<uint32_t>(epoch)},
                               {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  return static_cast<double>((uint64_t{bits[1]} << 32 | bits[0]) >> 11) * 0x1p-53;
}

/// FNV-1a, so that a name tells one list of numbers from another.
template <class T>
uint64_t hash(const std::vector<T>& values) {
  uint64_t h = 0xcbf29ce484222325u;
  for (const T& value : values) {
    const auto bits = std::bit_cast<uint64_t>(value);
    for (int byte = 0; byte < 8; ++byte) h = (h ^ (bits >> (8 * byte) & 0xff)) * 0x100000001b3u;
  }
  return h;
}

void draw_with_replacement(const std::vector<double>& sums, std::span<int64_t> order, uint64_t seed, int64_t epoch) {
  for (size_t i = 0; i < order.size(); ++i) {
    const double at = uniform(seed, weighted_site, epoch, i) * sums.back();
    const auto found = std::upper_bound(sums.begin(), sums.end(), at);
    // Rounding may bring `at` to the very end; the last example with a weight is the first whose sum is the whole.
    order[i] = (found == sums.end() ? std::lower_bound(sums.begin(), sums.end(), sums.back()) : found) - sums.begin();
  }
}

/// Efraimidis and Spirakis, "Weighted random sampling with a reservoir" (2006): the largest u^(1/w), which are the smallest -log(u) / w,
/// from the smallest on are what drawing one after the other would give.
void draw_without_replacement(const std::vector<double>& weights, std::span<int64_t> order, uint64_t seed, int64_t epoch) {
  std::vector<std::pair<double, int64_t>> keys;
  for (size_t i = 0; i < weights.size(); ++i)
    if (weights[i] > 0) keys.emplace_back(-std::log1p(-uniform(seed, weighted_site, epoch, i)) / weights[i], static_cast<int64_t>(i));
  std::partial_sort(keys.begin(), keys.begin() + std::ssize(order), keys.end());
  for (size_t i = 0; i < order.size(); ++i) order[i] = keys[i].second;
}

void group(const std::vector<int64_t>& lengths, const GroupedOptions& o, std::span<int64_t> order, uint64_t seed, int64_t epoch) {
  if (o.shuffle) shuffle_order(order, seed, epoch);
  else std::iota(order.begin(), order.end(), int64_t{0});
  const int64_t size = std::ssize(order), step = o.batches > size / o.batch ? size : o.batch * o.batches;
  for (int64_t first = 0; first < size; first += step) {
    const auto longer = [&](int64_t a, int64_t b) { return lengths[static_cast<size_t>(a)] > lengths[static_cast<size_t>(b)]; };
    std::stable_sort(order.begin() + first, order.begin() + std::min(first + step, size), longer);
  }
  if (!o.shuffle) return;
  for (auto i = static_cast<uint64_t>(size / o.batch); i-- > 1;) {
    const auto j = std::min(i, static_cast<uint64_t>(uniform(seed, group_site, epoch, i) * static_cast<double>(i + 1)));
    const auto batch = [&](uint64_t number) { return order.begin() + static_cast<int64_t>(number) * o.batch; };
    if (i != j) std::swap_ranges(batch(i), batch(i) + o.batch, batch(j));
  }
}

}  // namespace

Sampler weighted_sampler(std::vector<double> weights, WeightedOptions options) {
  const auto size = std::ssize(weights);
  int64_t positive = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (!std::isfinite(weights[i]) || weights[i] < 0)
      throw Error(ErrorKind::numeric, "a weight is a finite number that is not negative, but weight {} is {}", i, weights[i])
          .of("weighted_sampler");
    positive += weights[i] > 0;
  }
  if (positive == 0) throw Error("of {} weights none is above 0", size).of("weighted_sampler");
  if (options.count < 0) throw Error(".count ({}) must not be negative", options.count).of("weighted_sampler");
  const int64_t count = options.count > 0 ? options.count : size;
  if (!options.replacement && count > positive)
    throw Error("without replacement an epoch cannot have {} examples, for {} have a weight above 0", count, positive)
        .of("weighted_sampler");
  Sampler result{.name = fmt::format("weighted by {:016x}{}", hash(weights), options.replacement ? "" : ", without replacement"),
                 .set_size = size,
                 .count = count};
  if (!options.replacement) {
    result.order = [weights = std::move(weights)](std::span<int64_t> order, uint64_t seed, int64_t epoch) {
      draw_without_replacement(weights, order, seed, epoch);
    };
    return result;
  }
  std::partial_sum(weights.begin(), weights.end(), weights.begin());
  if (!std::isfinite(weights.back())) throw Error(ErrorKind::numeric, "the sum of the weights is not finite").of("weighted_sampler");
  result.order = [sums = std::move(weights)](std::span<int64_t> order, uint64_t seed, int64_t epoch) {
    draw_with_replacement(sums, order, seed, epoch);
  };
  return result;
}

std::vector<double> class_balance(std::span<const int64_t> labels) {
  std::map<int64_t, double> counts;
  for (const int64_t label : labels) ++counts[label];
  std::vector<double> weights;
  for (const int64_t label : labels) weights.push_back(1 / counts[label]);
  return weights;
}

Sampler length_grouped_sampler(std::vector<int64_t> lengths, GroupedOptions options) {
  if (options.batch < 1 || options.batches < 1)
    throw Error(".batch ({}) and .batches ({}) must be positive", options.batch, options.batches).of("length_grouped_sampler");
  for (size_t i = 0; i < lengths.size(); ++i)
    if (lengths[i] < 0) throw Error("example {} has the length {}", i, lengths[i]).of("length_grouped_sampler");
  const auto size = std::ssize(lengths);
  Sampler result{.name = fmt::format("grouped by lengths {:016x} in {} batches of {}{}", hash(lengths), options.batches, options.batch,
                                     options.shuffle ? "" : ", not shuffled"),
                 .set_size = size,
                 .count = size};
  result.order = [lengths = std::move(lengths), options](std::span<int64_t> order, uint64_t seed, int64_t epoch) {
    group(lengths, options, order, seed, epoch);
  };
  return result;
}

}  // namespace weft
