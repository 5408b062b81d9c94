#pragma once
// How an op that only moves elements (broadcast, transpose, slice, pad, ...) finds its operand's element: affine
// functions of the result's index. Fusion, the code generator and the reference all read this one description.

#include <algorithm>
#include <array>
#include <vector>

#include "weft/support/shape.h"

namespace weft::ir {

/// a + b * c modulo 2^64: the offset of an element that exists comes out right, whatever overflows on the way (the step along an
/// axis of one element may be any number).
inline int64_t wrapping_multiply_add(int64_t a, int64_t b, int64_t c) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b) * static_cast<uint64_t>(c));
}

/// One number an axis, 0 until it is set. Maps come and go by the thousand while nests are looked for, so those of few axes
/// need no memory of their own.
class Coefficients {
 public:
  Coefficients() = default;
  explicit Coefficients(size_t count) { resize(count); }

  size_t size() const { return count_; }
  bool empty() const { return count_ == 0; }
  int64_t* begin() { return count_ <= few_.size() ? few_.data() : many_.data(); }
  int64_t* end() { return begin() + count_; }
  const int64_t* begin() const { return count_ <= few_.size() ? few_.data() : many_.data(); }
  const int64_t* end() const { return begin() + count_; }
  int64_t& operator[](size_t axis) { return begin()[axis]; }
  int64_t operator[](size_t axis) const { return begin()[axis]; }
  int64_t back() const { return begin()[count_ - 1]; }

  void resize(size_t count) {
    if (count > few_.size()) {
      if (count_ <= few_.size()) many_.assign(few_.begin(), few_.begin() + static_cast<std::ptrdiff_t>(count_));
      many_.resize(count, 0);
    } else {
      if (count_ > few_.size()) std::copy_n(many_.begin(), count, few_.begin());
      std::fill(few_.begin() + static_cast<std::ptrdiff_t>(count), few_.end(), 0);
    }
    count_ = count;
  }

  bool operator==(const Coefficients& other) const { return std::equal(begin(), end(), other.begin(), other.end()); }

 private:
  size_t count_ = 0;
  std::array<int64_t, 6> few_{};
  std::vector<int64_t> many_;
};

/// offset + sum of coefficients[d] * index[d].
struct Affine {
  Coefficients coefficients;
  int64_t offset = 0;

  static Affine zero(int rank) { return {Coefficients(static_cast<size_t>(rank)), 0}; }
  static Affine axis(int rank, int axis) {
    Affine a = zero(rank);
    a.coefficients[static_cast<size_t>(axis)] = 1;
    return a;
  }
  int64_t at(const Dims& index) const {
    int64_t value = offset;
    for (size_t d = 0; d < index.size(); ++d) value = wrapping_multiply_add(value, coefficients[d], index[d]);
    return value;
  }
  bool operator==(const Affine&) const = default;
};

/// One affine function per dimension of what is read.
using IndexMap = std::vector<Affine>;

IndexMap identity_map(int rank);
/// `inner` gives the index of a value from the index of its reader; `outer` gives the reader's from the loops.
IndexMap compose(const IndexMap& inner, const IndexMap& outer);

/// One operand's part of a movement. When `guarded`, the index may fall outside the operand; the result then comes
/// from a later operand, or is the op's fill value.
struct Access {
  IndexMap map;
  bool guarded = false;
};

}  // namespace weft::ir
