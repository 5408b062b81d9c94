#include "weft/frontend/language/defaults.h"

#include <array>
#include <atomic>
#include <cmath>
#include <map>
#include <mutex>
#include <numbers>
#include <span>
#include <vector>

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

/// Those of the elements from `first` on.
void draw_uniform(uint64_t seed, uint32_t site, int64_t first, std::span<double> values) {
  std::array<uint32_t, 256> bits;
  for (size_t done = 0; done < values.size();) {
    const size_t count = std::min(values.size() - done, bits.size());
    random_bits(seed, site, initialization_step, static_cast<uint64_t>(first) + done, std::span(bits).first(count));
    for (size_t i = 0; i < count; ++i) values[done + i] = uniform_from_bits(bits[i]);
    done += count;
  }
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
  array.generate_chunks([=](int64_t first, std::span<double> chunk) {
    draw_uniform(seed, site, first, chunk);
    for (double& x : chunk) x = low + (high - low) * x;
  });
}

void fill_normal(Array& array, double mean, double std) {
  const FloatMode mode;
  const uint64_t seed = current_seed();
  const uint32_t site = tensors_drawn++;
  std::vector<double> angles;
  array.generate_chunks([&](int64_t first, std::span<double> chunk) {
    angles.resize(chunk.size());
    draw_uniform(seed, site, first, chunk);
    draw_uniform(seed, ~site, first, angles);  // no tensor is drawn at the site's complement
    // 1 - u lies in (0, 1].
    for (size_t i = 0; i < chunk.size(); ++i)
      chunk[i] = mean + std * std::sqrt(-2 * std::log(1 - chunk[i])) * std::cos(2 * std::numbers::pi * angles[i]);
  });
}

}  // namespace weft
