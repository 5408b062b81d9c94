#include "weft/frontend/language/defaults.h"

#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <numbers>

#include "weft/runtime/float_mode.h"
#include "weft/support/error.h"
#include "weft/support/philox.h"

namespace weft {
namespace {

std::atomic<DType> dtype_of_parameters = f32;
std::atomic<uint64_t> seed_of_everything = 0;
std::atomic<uint32_t> tensors_drawn = 0;

/// The step that initialization draws at; programs count theirs from 0 and never get there.
constexpr uint32_t initialization_step = 0xffffffff;

double uniform(uint64_t seed, uint32_t site, int64_t element) {
  return uniform_from_bits(random_bits(seed, site, initialization_step, static_cast<uint64_t>(element)));
}

/// How many streams of each name there are.
struct Streams {
  std::mutex mutex;
  std::map<std::string, uint64_t, std::less<>> made;
};

Streams& streams() {
  static Streams all;
  return all;
}

}  // namespace

uint64_t detail::stream_of(const std::string& name, uint64_t number) {
  uint64_t hash = 0xcbf29ce484222325;  // FNV-1a
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return stream_key(hash, number);
}

uint64_t detail::next_stream(const std::string& name) {
  const std::lock_guard lock(streams().mutex);
  return stream_of(name, streams().made[name]++);
}

void set_default_dtype(DType dtype) {
  if (!is_floating(dtype)) throw Error("{} is no floating type", name_of(dtype)).of("set_default_dtype");
  dtype_of_parameters = dtype;
}

DType default_dtype() { return dtype_of_parameters; }

void manual_seed(uint64_t seed) {
  seed_of_everything = seed;
  tensors_drawn = 0;
  const std::lock_guard lock(streams().mutex);
  streams().made.clear();
}

uint64_t current_seed() { return seed_of_everything; }

void fill_uniform(Array& array, double low, double high) {
  const FloatMode mode;
  const uint64_t seed = current_seed();
  const uint32_t site = tensors_drawn++;
  array.generate([=](int64_t i) { return low + (high - low) * uniform(seed, site, i); });
}

void fill_normal(Array& array, double mean, double std) {
  const FloatMode mode;
  const uint64_t seed = current_seed();
  const uint32_t site = tensors_drawn++;
  array.generate([=](int64_t i) {
    // 1 - u lies in (0, 1]; no tensor is drawn at the site's complement.
    const double u = uniform(seed, site, i), v = uniform(seed, ~site, i);
    return mean + std * std::sqrt(-2 * std::log(1 - u)) * std::cos(2 * std::numbers::pi * v);
  });
}

}  // namespace weft
