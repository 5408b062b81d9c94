// Pictures, in colours and in gray, which must be of one size.

#include "weft/runtime/data/image.h"

namespace {

int64_t pixels(std::span<const std::byte> bytes, weft::ImageMode mode, int64_t channels) {
  try {
    return weft::decode_image(bytes, mode).shape().numel() / channels;
  } catch (const weft::Error&) {
    return -1;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::span bytes(reinterpret_cast<const std::byte*>(data), size);
  const int64_t colors = pixels(bytes, weft::ImageMode::rgb, 3), gray = pixels(bytes, weft::ImageMode::gray, 1);
  if (colors >= 0 && gray >= 0 && colors != gray) std::abort();
  return 0;
}
