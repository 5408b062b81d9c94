// PNG, through libpng. Its errors come by longjmp, so that what happens between them has no destructors: the picture and the text of
// the error live outside.

#include <png.h>

#include <csetjmp>
#include <cstring>

#include "weft/runtime/data/image_decoders.h"

namespace weft::detail {
namespace {

constexpr size_t signature = 8;
constexpr size_t most_expanded = 24;  // a bit that is a colour of a palette becomes three bytes

struct Reading {
  const ImageBytes& image;
  size_t offset = 0;
  char why[200] = "";
  png_structp png = nullptr;
  png_infop info = nullptr;
};

void remember(png_structp png, png_const_charp message) {
  auto* const reading = static_cast<Reading*>(png_get_error_ptr(png));
  std::strncpy(reading->why, message, sizeof reading->why - 1);
  png_longjmp(png, 1);
}

void ignore(png_structp, png_const_charp) {}

void read_bytes(png_structp png, png_bytep to, size_t count) {
  auto* const reading = static_cast<Reading*>(png_get_io_ptr(png));
  if (count > reading->image.bytes.size() - reading->offset) png_error(png, "the file ends here");
  std::memcpy(to, reading->image.bytes.data() + reading->offset, count);
  reading->offset += count;
}

/// Whatever is in the file becomes samples of 8 bits, one or three a pixel.
void ask_for_bytes(Reading& r) {
  png_set_expand(r.png);
  png_set_strip_16(r.png);
  png_set_strip_alpha(r.png);
  png_set_interlace_handling(r.png);
  png_read_update_info(r.png, r.info);
}

/// False where libpng gave up.
bool read_header(Reading& r) {
  if (setjmp(png_jmpbuf(r.png))) return false;
  png_set_read_fn(r.png, &r, read_bytes);
  png_read_info(r.png, r.info);
  return true;
}

bool read_rows(Reading& r, Pixels& to) {
  if (setjmp(png_jmpbuf(r.png))) return false;
  for (int pass = png_get_interlace_type(r.png, r.info) == PNG_INTERLACE_NONE ? 1 : PNG_INTERLACE_ADAM7_PASSES; pass > 0; --pass)
    for (int64_t row = 0; row < to.height; ++row) png_read_row(r.png, to.samples.data() + row * to.width * to.channels, nullptr);
  png_read_end(r.png, nullptr);
  return true;
}

bool start_update(Reading& r) {
  if (setjmp(png_jmpbuf(r.png))) return false;
  ask_for_bytes(r);
  return true;
}

/// Frees what libpng allocated, whatever happens.
struct Freed {
  Reading& reading;
  ~Freed() { png_destroy_read_struct(&reading.png, &reading.info, nullptr); }
};

}  // namespace

bool is_png(std::span<const std::byte> bytes) {
  return bytes.size() >= signature && png_sig_cmp(reinterpret_cast<png_const_bytep>(bytes.data()), 0, signature) == 0;
}

Pixels decode_png(const ImageBytes& image) {
  Reading r{image};
  const Freed freed{r};
  r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, remember, ignore);
  r.info = r.png ? png_create_info_struct(r.png) : nullptr;
  if (!r.info) image.fail(0, "there is no memory to decode it");
  const auto fail = [&]() { image.fail(r.offset, fmt::format("cannot read on: {}", r.why)); };
  if (!read_header(r)) fail();
  image.check_size(png_get_image_width(r.png, r.info), png_get_image_height(r.png, r.info), r.offset);
  if (!start_update(r)) fail();
  Pixels result{png_get_image_height(r.png, r.info), png_get_image_width(r.png, r.info), png_get_channels(r.png, r.info)};
  const auto row_bytes = static_cast<size_t>(result.width * result.channels);
  if (png_get_rowbytes(r.png, r.info) != row_bytes) image.fail(r.offset, "its samples are of an unknown form");
  if (static_cast<size_t>(result.height) * row_bytes / 1032 / most_expanded > image.bytes.size())
    image.fail(r.offset, fmt::format("{} bytes cannot be a picture of {} x {}", image.bytes.size(), result.width, result.height));
  result.samples.resize(static_cast<size_t>(result.height) * row_bytes);
  if (!read_rows(r, result)) fail();
  return result;
}

}  // namespace weft::detail
