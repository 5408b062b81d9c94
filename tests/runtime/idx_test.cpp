#include "weft/runtime/data/idx.h"

#include <zlib.h>

#include <cmath>
#include <numeric>

#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::test::TempDir;

namespace {

std::string big_endian(uint64_t value, int bytes) {
  std::string text;
  for (int shift = 8 * (bytes - 1); shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 255);
  return text;
}

std::string idx(unsigned type, const std::vector<uint32_t>& extents, const std::string& data) {
  std::string text = big_endian(type << 8 | static_cast<unsigned>(extents.size()), 4);
  for (const uint32_t extent : extents) text += big_endian(extent, 4);
  return text + data;
}

std::string gzip(const std::string& content) {
  const TempDir dir;
  const gzFile file = gzopen((dir / "z").c_str(), "wb");
  gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
  gzclose(file);
  return weft::test::read_file(dir / "z");
}

/// The message with which reading `content` fails, without the file's name in front.
std::string failure(const std::string& content) {
  const TempDir dir;
  const std::string path = dir.write("f", content);
  try {
    read_idx(path);
  } catch (const Error& error) {
    const std::string text = error.what(), prefix = "'" + path + "', ";
    REQUIRE(text.substr(0, prefix.size()) == prefix);
    return text.substr(prefix.size());
  }
  return "read";
}

const std::string images = idx(8, {3, 2, 2}, "abcdefghijkl");
const std::string labels = idx(8, {3}, std::string("\2\0\1", 3));

}  // namespace

TEST_CASE("idx: plain and compressed files read the same") {
  const TempDir dir;
  for (const std::string& path : {dir.write("plain", images), dir.write("no-suffix", gzip(images))}) {
    const Array array = read_idx(path);
    CHECK(array.dtype() == u8);
    CHECK(array.shape() == Shape{3, 2, 2});
    CHECK(array.at(0) == 'a');
    CHECK(array.at(11) == 'l');
  }
}

TEST_CASE("idx: every element type, big-endian") {
  const TempDir dir;
  const auto read = [&](unsigned type, const std::string& data, uint32_t count) {
    return read_idx(dir.write("f", idx(type, {count}, data)));
  };
  CHECK(read(0x08, "\xff", 1).at(0) == 255);
  CHECK(read(0x09, "\xff", 1).at(0) == -1);
  CHECK(read(0x0B, "\xff\xfe\x01\x02", 2).at(0) == -2);
  CHECK(read(0x0B, "\xff\xfe\x01\x02", 2).at(1) == 258);
  CHECK(read(0x0C, "\xff\xff\xff\xfd", 1).at(0) == -3);
  CHECK(read(0x0D, big_endian(0x3FC00000, 4), 1).at(0) == 1.5);
  CHECK(read(0x0E, big_endian(0xBFF8000000000000, 8), 1).at(0) == -1.5);
  CHECK(read(0x09, "\1", 1).dtype() == i8);
  CHECK(read(0x0B, "\1\1", 1).dtype() == i16);
  CHECK(read(0x0C, "\1\1\1\1", 1).dtype() == i32);
  CHECK(read(0x0D, big_endian(0, 4), 1).dtype() == f32);
  CHECK(read(0x0E, big_endian(0, 8), 1).dtype() == f64);
  CHECK(read(0x0E, "", 0).shape() == Shape{0});
}

TEST_CASE("idx: damaged headers are refused with their offset") {
  CHECK(failure("") == "byte 0: truncated: an IDX file starts with a magic number of 4 bytes");
  CHECK(failure(images.substr(0, 3)) == "byte 3: truncated: an IDX file starts with a magic number of 4 bytes");
  CHECK(failure("PNG" + images) == "byte 0: not an IDX file: it starts with 0x504e4700, not with two zero bytes");
  CHECK(failure(idx(0x0A, {1}, "x")) ==
        "byte 2: unknown element type 0x0a; known are 08 (u8), 09 (i8), 0b (i16), 0c (i32), 0d (f32), 0e "
        "(f64)");
  CHECK(failure(idx(8, {}, "x")) == "byte 3: the rank is 0");
  CHECK(failure(images.substr(0, 4)) == "byte 4: truncated: the header declares 3 extents of 4 bytes");
  CHECK(failure(images.substr(0, 10)) == "byte 8: truncated: the header declares 3 extents of 4 bytes");
  CHECK(failure(idx(0x0E, {0xFFFFFFFF, 0xFFFFFFFF}, "x")) == "byte 8: the extents multiply to more than 2^62 bytes");
}

TEST_CASE("idx: a size that differs from the declared one is refused") {
  CHECK(failure(images.substr(0, 16)) == "byte 16: truncated: shape [3,2,2] takes 12 bytes from byte 16, but only 0 follow");
  CHECK(failure(images.substr(0, 27)) == "byte 27: truncated: shape [3,2,2] takes 12 bytes from byte 16, but only 11 follow");
  CHECK(failure(images + "m") == "byte 28: there are bytes after the data: shape [3,2,2] takes 12 bytes from byte 16");
  // A terabyte is declared; nothing like it is allocated.
  CHECK(failure(idx(8, {1u << 20, 1u << 20}, "x")) ==
        "byte 13: truncated: shape [1048576,1048576] takes 1099511627776 bytes from byte 12, but only 1 "
        "follow");
}

TEST_CASE("idx: damaged gzip streams are refused") {
  const std::string whole = gzip(images);
  CHECK(failure(gzip(images.substr(0, 20))) ==
        "byte 20 of the uncompressed content: truncated: shape [3,2,2] takes 12 bytes from byte 16, but only "
        "4 follow");
  for (size_t size = 4; size < whole.size(); ++size) {  // with 2 or 3 bytes it is not recognized as gzip
    INFO("cut to " << size << " of " << whole.size() << " bytes");
    CHECK_THAT(failure(whole.substr(0, size)), contains_text("of the uncompressed content: "));
  }
  std::string wrong_sum = whole;
  wrong_sum[wrong_sum.size() - 8] = static_cast<char>(~wrong_sum[wrong_sum.size() - 8]);
  CHECK_THAT(failure(wrong_sum), contains_text("cannot read on: incorrect data check"));
}

TEST_CASE("idx: members of gzip one after the other are one content, and nothing else may be behind them") {
  const TempDir dir;
  const std::string first = gzip(images.substr(0, 19)), second = gzip(images.substr(19));
  for (const std::string& content : {first + second, first + second + std::string(700, '\0'), gzip("") + first + gzip("") + second})
    CHECK(read_idx(dir.write("f", content)).at(11) == 'l');
  const std::string whole = gzip(images);
  for (const std::string& garbage : {std::string("garbage"), std::string("x"), std::string("\0\0x", 3), images, whole.substr(2)})
    CHECK_THAT(failure(whole + garbage),
               contains_text("byte 28 of the uncompressed content: the gzip stream ends, but bytes that are none follow"));
  CHECK(failure(whole + gzip("m")) ==
        "byte 28 of the uncompressed content: there are bytes after the data: shape [3,2,2] takes 12 bytes from byte 16");
  CHECK_THAT(failure(whole + whole.substr(0, 5)), contains_text("bytes that are none follow"));
  CHECK_THAT(failure(whole + gzip("").substr(0, 15)), contains_text("the gzip stream breaks off"));
}

TEST_CASE("idx: a few compressed bytes that would be more than they can be, or the machine holds, are refused at once") {
  CHECK_THAT(
      failure(gzip(idx(8, {1u << 20, 1u << 20}, "x"))),
      contains_text("byte 12 of the uncompressed content: truncated: shape [1048576,1048576] takes 1099511627776 bytes from here, but the "
                    "compressed file is too short"));
}

TEST_CASE("idx: what is not a file is refused") {
  const TempDir dir;
  CHECK_THROWS_WITH(read_idx(dir / "none"), "cannot read '" + (dir / "none") + "': there is no such file");
  CHECK_THROWS_WITH(read_idx(dir.path()), "cannot read '" + dir.path() + "': it is a folder, not a file");
}

TEST_CASE("idx: a pair has one label for each image") {
  const TempDir dir;
  const std::string i = dir.write("i", images), l = dir.write("l", labels);
  const Dataset set = read_idx_pair(i, l);
  CHECK(set.size() == 3);
  CHECK(set.divisor == 255.0f);
  CHECK(set.targets.dtype() == i64);
  CHECK(set.targets.at(0) == 2);
  CHECK(set.class_names == std::vector<std::string>{"0", "1", "2"});

  CHECK_THROWS_WITH(read_idx_pair(i, dir.write("two", idx(8, {2}, "ab"))),
                    "'" + i + "' holds 3 images, but '" + (dir / "two") + "' holds 2 labels");
  CHECK_THROWS_WITH(read_idx_pair(i, i), "'" + i + "' holds u8 values of shape [3,2,2], but labels are integers of shape [N]");
  CHECK_THROWS_WITH(read_idx_pair(i, dir.write("minus", idx(9, {3}, "\xff\1\1"))),
                    "'" + (dir / "minus") + "' holds the label -1; labels are 0 .. 65535");
}

TEST_CASE("idx: a directory is searched for both files of a split") {
  const TempDir dir;
  CHECK_THROWS_WITH(load_idx_directory(dir.path(), true),
                    "no such data set: looked for 'train-images-idx3-ubyte' or 'train-images-idx3-ubyte.gz' and "
                    "'train-labels-idx1-ubyte' or 'train-labels-idx1-ubyte.gz' in '" +
                        dir.path() + "'");
  dir.write("t10k-images-idx3-ubyte", images);
  CHECK_THROWS_WITH(load_idx_directory(dir.path(), false),
                    "no such data set: looked for 't10k-labels-idx1-ubyte' or 't10k-labels-idx1-ubyte.gz' in '" + dir.path() + "'");
  dir.write("t10k-labels-idx1-ubyte.gz", gzip(labels));
  const Dataset set = load_idx_directory(dir.path() + "/", false);
  CHECK(set.inputs.shape() == Shape{3, 1, 2, 2});
  CHECK(set.name == std::filesystem::path(dir.path()).filename().string());

  dir.write("t10k-images-idx3-ubyte", idx(8, {3, 2}, "abcdef"));
  CHECK_THROWS_WITH(
      load_idx_directory(dir.path(), false),
      "'" + (dir / "t10k-images-idx3-ubyte") + "' holds u8 values of shape [3,2], but images are u8 of shape [N, height, width]");
}

TEST_CASE("data set: arrays that do not fit are refused") {
  const auto make = [](DType in, Shape a, DType out, Shape b) { return Dataset::from(Array(in, std::move(a)), Array(out, std::move(b))); };
  CHECK_THROWS_WITH(make(u8, {2, 4}, u8, {3}), "a data set needs one target for each input, but inputs are [2,4] and targets are [3]");
  CHECK_THROWS_WITH(make(boolean, {2}, u8, {2}), "data set inputs must be u8, f32 or i64, but they are bool");
  CHECK_THROWS_WITH(make(u8, {2}, boolean, {2}), "data set targets must be i64 or f32, but they are bool");
  CHECK_THROWS_WITH(make(u8, {}, u8, {}), "data set arrays need an axis of examples, but inputs are [] and targets are []");
  for (const DType dtype : {i16, u16, u32, i8}) CHECK(make(dtype, {2, 3}, dtype, {2}).inputs.dtype() == i64);
  CHECK(make(f16, {2, 3}, u16, {2}).inputs.dtype() == f32);
  CHECK(make(f16, {2, 3}, u16, {2}).targets.dtype() == i64);
  Dataset set = make(f64, {2, 3}, f64, {2});
  CHECK(set.inputs.dtype() == f32);
  CHECK(set.targets.dtype() == f32);
  CHECK(set.input_shape(7) == Shape{7, 3});
  set.divisor = 0;
  CHECK_THROWS_WITH(set.check(), "a data set's divisor must be positive and finite, but it is 0");
  set = make(i32, {2, 3}, u8, {2});
  CHECK(set.inputs.dtype() == i64);
  set.divisor = 255;
  CHECK_THROWS_WITH(set.check(), "i64 inputs are delivered as they are, so the divisor must be 1, but it is 255");
}

TEST_CASE("idx: MNIST and Fashion-MNIST") {
  for (const char* const name : {"mnist", "fashion-mnist"}) {
    const auto directory = weft::test::data_directory(name);
    if (!directory) {
      WARN("skipped: no data set '" << name << "' ($WEFT_DATA names the directory of data sets)");
      continue;
    }
    const Dataset train = load_idx_directory(*directory, true), test = load_idx_directory(*directory, false);
    CHECK(train.inputs.shape() == Shape{60000, 1, 28, 28});
    CHECK(test.inputs.shape() == Shape{10000, 1, 28, 28});
    CHECK(train.name == name);
    CHECK(train.class_names.size() == 10);
    const auto pixels = train.inputs.values<uint8_t>();
    const double mean = std::accumulate(pixels.begin(), pixels.end(), 0.0) / static_cast<double>(pixels.size()) / 255;
    CHECK(mean == Approx(name == std::string("mnist") ? 0.1307 : 0.2857).margin(2e-4));
  }
}
