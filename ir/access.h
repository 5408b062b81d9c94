#pragma once
// How an op that only moves elements (broadcast, transpose, slice, pad, ...) finds its operand's element: affine
// functions of the result's index. Fusion, the code generator and the reference all read this one description.

#include <vector>

#include "weft/support/shape.h"

namespace weft::ir {

/// a + b * c modulo 2^64: the offset of an element that exists comes out right, whatever overflows on the way (the step along an
/// axis of one element may be any number).
inline int64_t wrapping_multiply_add(int64_t a, int64_t b, int64_t c) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b) * static_cast<uint64_t>(c));
}

/// offset + sum of coefficients[d] * index[d].
struct Affine {
  std::vector<int64_t> coefficients;
  int64_t offset = 0;

  static Affine zero(int rank) { return {std::vector<int64_t>(static_cast<size_t>(rank), 0), 0}; }
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
