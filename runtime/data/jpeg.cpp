// JPEG, through libjpeg. Its errors come by longjmp, as those of png.cpp do.

#include <cstdio>
// jpeglib.h needs what <cstdio> declares.
#include <jpeglib.h>

#include <jerror.h>

#include <algorithm>
#include <csetjmp>

#include "weft/runtime/data/image_decoders.h"

namespace weft::detail {
namespace {

/// A block of 8 x 8 takes a bit at least, and this allows for more.
constexpr uint64_t most_pixels_of_a_byte = 1024;

struct Reading {
  jpeg_decompress_struct jpeg = {};
  jpeg_error_mgr errors = {};
  std::jmp_buf back;
  char why[JMSG_LENGTH_MAX] = "";
};

Reading& of(j_common_ptr jpeg) { return *static_cast<Reading*>(jpeg->client_data); }

void give_up(j_common_ptr jpeg) {
  Reading& r = of(jpeg);
  r.errors.format_message(jpeg, r.why);
  std::longjmp(r.back, 1);
}

/// A warning is about data that were lost and made up, but for those of harmless bytes and headers: it ends the reading.
void hear(j_common_ptr jpeg, int level) {
  const int code = jpeg->err->msg_code;
  if (level < 0 && code != JWRN_EXTRANEOUS_DATA && code != JWRN_ADOBE_XFORM && code != JWRN_JFIF_MAJOR && code != JWRN_BOGUS_ICC)
    give_up(jpeg);
}

void be_silent(j_common_ptr) {}

bool read_header(Reading& r, const ImageBytes& image) {
  if (setjmp(r.back)) return false;
  jpeg_mem_src(&r.jpeg, reinterpret_cast<const unsigned char*>(image.bytes.data()), image.bytes.size());
  jpeg_read_header(&r.jpeg, TRUE);
  return true;
}

bool start(Reading& r, J_COLOR_SPACE wanted) {
  if (setjmp(r.back)) return false;
  r.jpeg.out_color_space = wanted;
  jpeg_start_decompress(&r.jpeg);
  return true;
}

bool read_rows(Reading& r, uint8_t* to) {
  if (setjmp(r.back)) return false;
  const size_t row_bytes = size_t{r.jpeg.output_width} * static_cast<size_t>(r.jpeg.output_components);
  while (r.jpeg.output_scanline < r.jpeg.output_height) {
    JSAMPROW row = to + r.jpeg.output_scanline * row_bytes;
    jpeg_read_scanlines(&r.jpeg, &row, 1);
  }
  jpeg_finish_decompress(&r.jpeg);
  return true;
}

/// How inks, or what is left of white behind them (as Adobe's programs store it), look on paper.
Pixels from_inks(const Pixels& inks, bool adobe) {
  Pixels result{inks.height, inks.width, 3};
  result.samples.resize(static_cast<size_t>(inks.height * inks.width * 3));
  for (size_t i = 0; i < static_cast<size_t>(inks.height * inks.width); ++i) {
    const auto left = [&](size_t ink) { return adobe ? inks.samples[4 * i + ink] : 255 - inks.samples[4 * i + ink]; };
    for (size_t c = 0; c < 3; ++c) result.samples[3 * i + c] = static_cast<uint8_t>((left(c) * left(3) + 127) / 255);
  }
  return result;
}

struct Freed {
  Reading& reading;
  ~Freed() { jpeg_destroy_decompress(&reading.jpeg); }
};

}  // namespace

bool is_jpeg(std::span<const std::byte> bytes) {
  return bytes.size() >= 3 && bytes[0] == std::byte{0xFF} && bytes[1] == std::byte{0xD8} && bytes[2] == std::byte{0xFF};
}

Pixels decode_jpeg(const ImageBytes& image, bool gray) {
  Reading r;
  r.jpeg.err = jpeg_std_error(&r.errors);
  r.errors.error_exit = give_up;
  r.errors.emit_message = hear;
  r.errors.output_message = be_silent;
  r.jpeg.client_data = &r;
  const Freed freed{r};
  if (setjmp(r.back)) image.fail(0, r.why);
  jpeg_create_decompress(&r.jpeg);
  const auto offset = [&] { return r.jpeg.src ? image.bytes.size() - std::min(r.jpeg.src->bytes_in_buffer, image.bytes.size()) : 0; };
  const auto fail = [&] { image.fail(offset(), fmt::format("cannot read on: {}", r.why)); };
  if (!read_header(r, image)) fail();
  image.check_size(r.jpeg.image_width, r.jpeg.image_height, offset());
  if (uint64_t{r.jpeg.image_width} * r.jpeg.image_height / most_pixels_of_a_byte > image.bytes.size())
    image.fail(offset(),
               fmt::format("{} bytes cannot be a picture of {} x {}", image.bytes.size(), r.jpeg.image_width, r.jpeg.image_height));
  const J_COLOR_SPACE from = r.jpeg.jpeg_color_space;
  const bool inks = from == JCS_CMYK || from == JCS_YCCK;
  const bool one = from == JCS_GRAYSCALE || (gray && from == JCS_YCbCr);
  if (!start(r, inks ? JCS_CMYK : one ? JCS_GRAYSCALE : JCS_RGB)) fail();
  Pixels result{r.jpeg.output_height, r.jpeg.output_width, r.jpeg.output_components};
  result.samples.resize(static_cast<size_t>(result.height * result.width * result.channels));
  if (!read_rows(r, result.samples.data())) fail();
  return inks ? from_inks(result, r.jpeg.saw_Adobe_marker) : result;
}

}  // namespace weft::detail
