#include "weft/tests/fake_cuda/elements.h"

#include <bit>
#include <cmath>
#include <cstring>

namespace weft::test::fake_cuda {
namespace {

ptx::Region& region_of(Device& device, uint64_t address, uint64_t bytes) {
  uint32_t hint = 0;
  return device.memory.find(address, static_cast<unsigned>(bytes), hint);
}

double from_bits(Element element, const std::byte* from) {
  if (element == Element::f64) {
    double value = 0;
    std::memcpy(&value, from, sizeof value);
    return value;
  }
  uint32_t bits = 0;
  if (element == Element::f32) std::memcpy(&bits, from, 4);
  else std::memcpy(reinterpret_cast<std::byte*>(&bits) + 2, from, 2);
  return static_cast<double>(std::bit_cast<float>(bits));
}

/// `value` with so many bits of an f32's mantissa gone; `half` is added before they are cut off.
float shortened(float value, int bits, uint32_t half) {
  if (!std::isfinite(value)) return value;
  const uint32_t mask = (uint32_t{1} << bits) - 1;
  return std::bit_cast<float>((std::bit_cast<uint32_t>(value) + half) & ~mask);
}

}  // namespace

size_t bytes_of(Element element) { return element == Element::f64 ? 8 : element == Element::f32 ? 4 : 2; }

double rounded(Element element, double value) {
  if (element == Element::f64) return value;
  const auto single = static_cast<float>(value);
  if (element == Element::f32) return static_cast<double>(single);
  const uint32_t odd = std::bit_cast<uint32_t>(single) >> 16 & 1;
  return static_cast<double>(shortened(single, 16, 0x7fff + odd));
}

double rounded_to_tf32(double value) { return static_cast<double>(shortened(static_cast<float>(value), 13, 0x1000)); }

std::vector<double> read_elements(Device& device, uint64_t address, Element element, uint64_t count) {
  const size_t size = bytes_of(element);
  const ptx::Region& region = region_of(device, address, count * size);
  const uint64_t start = address - region.base();
  for (uint64_t i = start; i < start + count * size; ++i)
    if (!region.is_written(i))
      throw ptx::Problem{ptx::Check::unwritten_memory,
                         "a library reads byte " + std::to_string(i) + " of " + region.name() + ", and nobody has written it"};
  std::vector<double> values(count);
  for (uint64_t i = 0; i < count; ++i) values[i] = from_bits(element, region.contents().data() + start + i * size);
  return values;
}

void write_elements(Device& device, uint64_t address, Element element, const std::vector<double>& values) {
  const size_t size = bytes_of(element);
  std::vector<std::byte> bytes(values.size() * size);
  for (size_t i = 0; i < values.size(); ++i) {
    const double value = rounded(element, values[i]);
    const uint32_t bits = std::bit_cast<uint32_t>(static_cast<float>(value));
    if (element == Element::f64) std::memcpy(bytes.data() + i * size, &value, size);
    else if (element == Element::f32) std::memcpy(bytes.data() + i * size, &bits, size);
    else std::memcpy(bytes.data() + i * size, reinterpret_cast<const std::byte*>(&bits) + 2, size);
  }
  ptx::Region& region = region_of(device, address, bytes.size());
  region.fill(address - region.base(), bytes);
}

void spoil(Device& device, uint64_t address, uint64_t bytes) {
  if (bytes == 0) return;
  ptx::Region& region = region_of(device, address, bytes);
  region.fill(address - region.base(), std::vector<std::byte>(bytes, std::byte{0xff}));
}

}  // namespace weft::test::fake_cuda
