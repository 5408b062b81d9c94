#pragma once
// Bags of tokens, each about one of ten topics: what lesson 6 trains a table on.

#include <random>

#include "weft/weft.h"

namespace bags {

constexpr int64_t vocabulary = 200'000, topics = 10, size = 16;

/// `count` bags: inputs i64 [count, size], targets i64 [count]. A token belongs to the topic that its number leaves when divided
/// by their count; half of a bag's tokens belong to its topic. The larger its number, the rarer is a token.
inline weft::Dataset generate(int64_t count, uint64_t seed) {
  std::mt19937_64 random(seed);  // the same numbers on every machine
  std::vector<int64_t> tokens, labels;
  for (int64_t i = 0; i < count; ++i) {
    labels.push_back(static_cast<int64_t>(random() % topics));
    for (int64_t j = 0; j < size; ++j) {
      const double u = static_cast<double>(random() >> 11) * 0x1p-53;  // in [0, 1)
      const auto token = static_cast<int64_t>(vocabulary * u * u * u * u);
      tokens.push_back(j < size / 2 ? token - token % topics + labels.back() : token);
    }
  }
  return {.inputs = weft::Array::of({count, size}, tokens), .targets = weft::Array::of({count}, labels), .name = "bags"};
}

}  // namespace bags
