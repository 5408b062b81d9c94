#include "weft/runtime/data/image.h"

#include <cstring>

#include "weft/runtime/data/image_decoders.h"
#include "weft/support/input_file.h"

namespace weft {
namespace {

/// As Pillow does it.
uint8_t brightness(const uint8_t* rgb) { return static_cast<uint8_t>((rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16); }

/// From samples of a pixel together to planes, with the channels that are wanted.
Array planes(const detail::Pixels& p, ImageMode mode) {
  const int64_t wanted = mode == ImageMode::rgb ? 3 : 1;
  Array result(u8, {wanted, p.height, p.width});
  const auto count = static_cast<size_t>(p.height * p.width), channels = static_cast<size_t>(p.channels);
  uint8_t* const to = result.values<uint8_t>().data();
  const uint8_t* const from = p.samples.data();
  for (size_t c = 0; c < static_cast<size_t>(wanted); ++c)
    for (size_t i = 0; i < count; ++i)
      to[c * count + i] = channels == 1 ? from[i] : wanted == 3 ? from[3 * i + c] : brightness(from + 3 * i);
  return result;
}

}  // namespace

Array decode_image(std::span<const std::byte> bytes, ImageMode mode, const std::string& name) {
  const detail::ImageBytes image{bytes, name};
  if (detail::is_png(bytes)) return planes(detail::decode_png(image), mode);
  if (detail::is_jpeg(bytes)) return planes(detail::decode_jpeg(image, mode == ImageMode::gray), mode);
  image.fail(0, bytes.empty() ? "the file is empty" : "it is neither PNG nor JPEG");
}

Array read_image(const std::string& path, ImageMode mode) {
  const InputFile file(path);
  std::vector<std::byte> bytes(file.size());
  file.read(0, bytes.data(), bytes.size());
  return decode_image(bytes, mode, path);
}

}  // namespace weft
