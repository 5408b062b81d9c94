#pragma once
// Random choices that are the same on every machine.

#include <utility>
#include <vector>

#include "weft/support/philox.h"

namespace weft::test {

class Dice {
 public:
  explicit Dice(uint64_t seed) : seed_(seed) {}

  /// A number below `count`, which must not be 0.
  size_t operator()(size_t count) { return random_bits(seed_, 0, 0, draws_++) % count; }
  bool chance(size_t percent) { return (*this)(100) < percent; }

  template <class T>
  const T& pick(const std::vector<T>& all) {
    return all[(*this)(all.size())];
  }

  template <class T>
  void shuffle(std::vector<T>& all) {
    for (size_t i = all.size(); i > 1; --i) std::swap(all[i - 1], all[(*this)(i)]);
  }

 private:
  uint64_t seed_;
  uint64_t draws_ = 0;
};

}  // namespace weft::test
