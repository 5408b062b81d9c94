#pragma once
// Philox 4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a counter-based
// generator. Every random number in weft is a pure function of (seed, site, step, element), so it is the same
// on every backend, for any number of threads and whether stored or recomputed.

#include <array>
#include <cstdint>
#include <span>

namespace weft {

/// What its rounds multiply two words of the counter by, and what is added to the key after each.
constexpr int philox_rounds = 10;
constexpr uint32_t philox_factors[] = {0xD2511F53u, 0xCD9E8D57u}, philox_key_steps[] = {0x9E3779B9u, 0xBB67AE85u};

constexpr std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < philox_rounds; ++round) {
    const uint64_t p0 = uint64_t{philox_factors[0]} * counter[0];
    const uint64_t p1 = uint64_t{philox_factors[1]} * counter[2];
    counter = {static_cast<uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(p1),
               static_cast<uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(p0)};
    key[0] += philox_key_steps[0];
    key[1] += philox_key_steps[1];
  }
  return counter;
}

/// 32 random bits for one element: the first word of the block whose counter is (element, site, step) and whose
/// key is the seed.
constexpr uint32_t random_bits(uint64_t seed, uint32_t site, uint32_t step, uint64_t element) {
  return philox4x32({static_cast<uint32_t>(element), static_cast<uint32_t>(element >> 32), site, step},
                    {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)})[0];
}

/// Those of the elements from `first` on, several at once.
void random_bits(uint64_t seed, uint32_t site, uint32_t step, uint64_t first, std::span<uint32_t> bits);

/// The seed of a stream of random numbers, of those that a seed gives. Programs count their steps from 0 and never come to the one
/// that it is drawn at.
constexpr uint64_t stream_key(uint64_t stream, uint64_t seed) {
  const auto bits = philox4x32({static_cast<uint32_t>(stream), static_cast<uint32_t>(stream >> 32), 0, 0xfffffffe},
                               {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  return uint64_t{bits[1]} << 32 | bits[0];
}

/// Uniform in [0, 1): the upper 24 bits, exact in f32.
constexpr double uniform_from_bits(uint32_t bits) { return (bits >> 8) * 0x1p-24; }

}  // namespace weft
