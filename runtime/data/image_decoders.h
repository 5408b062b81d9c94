#pragma once
// Decoders of pictures, each of one format.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "weft/support/error.h"

namespace weft::detail {

/// A decoded picture, as it lies in files: a pixel's samples together.
struct Pixels {
  int64_t height = 0, width = 0, channels = 0;  // 1: gray, 3: red, green, blue
  std::vector<uint8_t> samples = {};
};

/// As much as Pillow decodes before it warns of a bomb.
constexpr uint64_t most_pixels = 178'956'970;

/// Where a decoder reads, and why it cannot go on.
struct ImageBytes {
  std::span<const std::byte> bytes;
  const std::string& name;

  [[noreturn]] void fail(uint64_t offset, const std::string& why) const {
    throw Error(ErrorKind::file, "{}", why).at(fmt::format("'{}', byte {}", name, offset));
  }
  void check_size(uint64_t width, uint64_t height, uint64_t offset) const {
    if (width * height > most_pixels)
      fail(offset, fmt::format("{} x {} pixels are more than the {} that are read", width, height, most_pixels));
  }
};

bool is_png(std::span<const std::byte> bytes);
Pixels decode_png(const ImageBytes& image);

bool is_jpeg(std::span<const std::byte> bytes);
/// `gray`: what the file has as brightness, without its colours.
Pixels decode_jpeg(const ImageBytes& image, bool gray);

}  // namespace weft::detail
