#pragma once
// Which of a data set's examples an epoch has, and in which order: torch.utils.data.Sampler.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace weft {

struct Sampler {
  std::string name;      // for messages, and what a resumed training must have too: says all that the order depends on
  int64_t set_size = 0;  // examples of the set that it is for
  int64_t count = 0;     // examples of an epoch
  /// Fills `order`, `count` numbers of examples, as a function of (seed, epoch) alone.
  std::function<void(std::span<int64_t> order, uint64_t seed, int64_t epoch)> order;

  explicit operator bool() const { return order != nullptr; }
};

struct WeightedOptions {
  int64_t count = 0;        // examples of an epoch; 0: as many as there are weights
  bool replacement = true;  // may an example come twice in an epoch?
};

/// torch.utils.data.WeightedRandomSampler: an example comes with a probability that its weight has among all. Throws weft::Error unless
/// weights are finite, not negative and not all 0, and without replacement for more examples than have a weight above 0.
///
///   Batcher batcher(data, {.batch = 64, .sampler = weighted_sampler(class_balance(labels))});
Sampler weighted_sampler(std::vector<double> weights, WeightedOptions options = {});

/// A weight for each example with which all classes come equally often: 1 / how many examples have its label.
std::vector<double> class_balance(std::span<const int64_t> labels);

struct GroupedOptions {
  int64_t batch = 64;    // the batcher's
  int64_t batches = 50;  // so many are drawn together, and sorted among themselves
  bool shuffle = true;   // a new order in each epoch; otherwise the set's, sorted in groups all the same
};

/// Buckets by length: batches of examples that are about equally long, so that little is padded. Examples are shuffled and cut into
/// groups of .batch * .batches, each group is sorted from its longest example down, and its batches come in a random order; a smaller
/// last batch stays the last. Throws weft::Error for a negative length and for options below 1.
Sampler length_grouped_sampler(std::vector<int64_t> lengths, GroupedOptions options = {});

}  // namespace weft
