#pragma once
// Which learning rate to begin with: the range test of Smith 2017 ("Cyclical learning rates"), as PyTorch Lightning's lr_find
// does it.

#include <vector>

namespace weft {

/// The rates tried, exponentially from min_lr to max_lr, and the loss at each: an average of the losses so far that forgets
/// 2 % a step, corrected for its start.
struct LrSearch {
  std::vector<double> rates, losses;

  /// The rate at which the loss falls fastest, of those between the first ten and the one with the smallest loss (Lightning
  /// looks beyond, where what has diverged may come back). Throws weft::Error when there are fewer than two of these.
  double suggestion() const;
};

}  // namespace weft
