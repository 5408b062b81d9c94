#include "weft/runtime/data/npy.h"

#include <cmath>
#include <cstring>
#include <limits>

#include "weft/tests/catch.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::test::read_file;
using weft::test::TempDir;

namespace {

/// A version 1.0 file with this header text, unpadded.
std::string npy(const std::string& header, const std::string& data) {
  std::string text = "\x93NUMPY";
  text += '\1';
  text += '\0';
  text += static_cast<char>(header.size() & 255);
  text += static_cast<char>(header.size() >> 8);
  return text + header + data;
}

std::string failure(const std::string& content) {
  const TempDir dir;
  const std::string path = dir.write("f.npy", content);
  try {
    read_npy(path);
  } catch (const Error& error) {
    const std::string text = error.what(), prefix = "'" + path + "', ";
    REQUIRE(text.substr(0, prefix.size()) == prefix);
    return text.substr(prefix.size());
  }
  return "read";
}

std::string header_failure(const std::string& header) { return failure(npy(header, std::string(4, '\0'))); }

}  // namespace

TEST_CASE("npy: what is written reads back") {
  const TempDir dir;
  const std::vector<Shape> shapes = {Shape{}, Shape{0}, Shape{5}, Shape{2, 3}, Shape{2, 0, 3}, Shape{1, 2, 3, 4}};
  for (const DType dtype : all_dtypes)
    for (const Shape& shape : shapes) {
      Array array(dtype, shape);
      for (int64_t i = 0; i < shape.numel(); ++i)
        array.set(i, dtype == boolean ? static_cast<double>(i % 2) : 1.5 * static_cast<double>(i));
      write_npy(dir / "a.npy", array);
      const Array back = read_npy(dir / "a.npy");
      CHECK(back.dtype() == (dtype == bf16 ? f32 : dtype));
      CHECK(back.shape() == shape);
      for (int64_t i = 0; i < shape.numel(); ++i) CHECK(back.at(i) == array.at(i));
    }
  // Nothing is left beside it.
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
}

TEST_CASE("npy: the bytes are NumPy's") {
  const TempDir dir;
  write_npy(dir / "a.npy", Array::of<float>({1, 2}, std::vector<float>{1.0f, -2.0f}));
  const std::string text = read_file(dir / "a.npy");
  CHECK(text.substr(0, 10) == std::string("\x93NUMPY\1\0\x76\0", 10));
  CHECK(text.substr(10, 60) == "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), } ");
  CHECK(text[127] == '\n');
  CHECK(text.substr(128) == std::string("\0\0\x80\x3f\0\0\0\xc0", 8));

  write_npy(dir / "a.npy", Array(u8, Shape{3}));
  CHECK_THAT(read_file(dir / "a.npy"), contains_text("'descr': '|u1', 'fortran_order': False, 'shape': (3,), }"));
  write_npy(dir / "a.npy", Array(u8, Shape{}));
  CHECK_THAT(read_file(dir / "a.npy"), contains_text("'shape': (), }"));
}

TEST_CASE("npy: infinities, NaN and -0 survive") {
  const TempDir dir;
  const double inf = std::numeric_limits<double>::infinity();
  write_npy(dir / "a.npy", Array::of<double>({4}, std::vector<double>{inf, -inf, NAN, -0.0}));
  const Array back = read_npy(dir / "a.npy");
  CHECK(back.at(0) == inf);
  CHECK(back.at(1) == -inf);
  CHECK(std::isnan(back.at(2)));
  CHECK(std::signbit(back.at(3)));
}

TEST_CASE("npy: a header too long for version 1.0 makes a version 2.0") {
  const TempDir dir;
  const Array array(u8, Shape(Dims(30000, 1)));
  write_npy(dir / "a.npy", array);
  CHECK(read_file(dir / "a.npy")[6] == 2);
  CHECK(read_npy(dir / "a.npy").shape() == array.shape());
}

TEST_CASE("npy: other spellings of the header") {
  const TempDir dir;
  const Array back = read_npy(dir.write("a", npy("{\"shape\":(2,), 'fortran_order':False,'descr':'|u1'}", "ab")));
  CHECK(back.shape() == Shape{2});
  CHECK(back.at(1) == 'b');
}

TEST_CASE("npy: every truncation is refused") {
  const TempDir dir;
  write_npy(dir / "a.npy", Array(f32, Shape{2}));
  const std::string whole = read_file(dir / "a.npy");
  REQUIRE(whole.size() == 136);
  CHECK(failure("") == "byte 0: not a .npy file: it does not start with \\x93NUMPY");
  CHECK(failure(whole.substr(0, 5)) == "byte 0: not a .npy file: it does not start with \\x93NUMPY");
  CHECK(failure(whole.substr(0, 6)) == "byte 6: format version 0.0 is not supported; supported are 1.0, 2.0 and 3.0");
  CHECK(failure(whole.substr(0, 9)) == "byte 8: truncated: the header ends at byte 128, the file at byte 9");
  CHECK(failure(whole.substr(0, 127)) == "byte 8: truncated: the header ends at byte 128, the file at byte 127");
  CHECK(failure(whole.substr(0, 128)) == "byte 128: truncated: 2 elements of 4 bytes, [2], take 8 bytes from byte 128, but 0 follow");
  CHECK(failure(whole.substr(0, 135)) == "byte 135: truncated: 2 elements of 4 bytes, [2], take 8 bytes from byte 128, but 7 follow");
  CHECK(failure(whole + "x") ==
        "byte 136: there are bytes after the data: 2 elements of 4 bytes, [2], take 8 bytes from byte 128, but 9 follow");
  for (size_t size = 0; size < whole.size(); ++size) CHECK(failure(whole.substr(0, size)) != "read");
}

TEST_CASE("npy: what cannot be read is refused with its offset") {
  CHECK(failure(std::string("\x93NUMPY\4\0\0\0", 10)) == "byte 6: format version 4.0 is not supported; supported are 1.0, 2.0 and 3.0");
  for (const char* type : {"<c8", "<f16", "<U4", "|O", "<M8[s]", "|f4", "f4", "<f", "<i3", "", "|V2"})
    CHECK(header_failure("{'descr': '" + std::string(type) + "', 'fortran_order': False, 'shape': (1,), }") ==
          "byte 20: element type '" + std::string(type) +
              "' is not supported; supported are f8, f4, f2, i8, i4, i2, i1, u8, u4, u2, u1 and "
              "b1, '<' or '>' before them");
  CHECK(header_failure("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }") ==
        "byte 20: structured arrays are not supported");
  CHECK(header_failure("{'descr': '<f4', 'fortran_order': 1, 'shape': (1,), }") == "byte 44: fortran_order must be True or False");
  CHECK(header_failure("{'descr': '<f4', 'shape': (1,), }") == "byte 10: the header needs 'descr', 'fortran_order' and 'shape'");
  CHECK(header_failure("{'descr': '<f4', 'descr': '<f4'}") == "byte 36: unexpected or repeated header entry 'descr'");
  CHECK(header_failure("{'order': 'C'}") == "byte 20: unexpected or repeated header entry 'order'");
  CHECK(header_failure("(1)") == "byte 10: malformed header: expected '{'");
  CHECK(header_failure("{'descr") == "byte 11: malformed header: expected a quoted string");
  CHECK(header_failure("{'descr' '<f4'}") == "byte 19: malformed header: expected ':'");
  CHECK(header_failure("{'shape': (-1,)}") == "byte 21: malformed header: expected an extent");
  CHECK(header_failure("{'shape': (99999999999999999999,)}") == "byte 21: malformed header: expected an extent");
  CHECK(header_failure("{'shape': (1 2)}") == "byte 23: malformed header: expected ')'");
  CHECK(header_failure("{'shape': (1") == "byte 22: malformed header: expected ')'");
  CHECK(header_failure("{'shape': (4294967296, 4294967296)}") == "byte 20: the extents multiply to more than 2^59 elements");
  CHECK(header_failure("{'descr': '<f4', 'fortran_order': False, 'shape': (1,), } x") == "byte 68: text after the header's closing brace");
  CHECK(failure(npy("{'descr': '|b1', 'fortran_order': False, 'shape': (2,), }", "\1\7")) == "byte 68: a bool is 0 or 1, not 7");
  CHECK(failure(npy("{'descr': '<u8', 'fortran_order': False, 'shape': (2,), }", std::string(15, '\0') + "\x80")) ==
        "byte 75: 9223372036854775808 does not fit into i64, which u64 becomes");
}

TEST_CASE("npy: other element types keep their values, of either byte order") {
  const TempDir dir;
  const auto read = [&](const std::string& type, const std::string& data, int count) {
    return read_npy(dir.write("a", npy(fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({},), }}", type, count), data)));
  };
  const auto bytes = [](const char* text, size_t count) { return std::string(text, count); };
  const auto is = [](const Array& a, DType type, const std::vector<double>& values) {
    CHECK(a.dtype() == type);
    for (size_t i = 0; i < values.size(); ++i) CHECK(a.at(static_cast<int64_t>(i)) == values[i]);
  };
  // 1, -2, 65504 (the largest), 2^-24 (the smallest), -0, inf
  is(read("<f2", bytes("\x00\x3c\x00\xc0\xff\x7b\x01\x00\x00\x80\x00\x7c", 12), 6), f16,
     {1, -2, 65504, std::ldexp(1, -24), -0.0, INFINITY});
  is(read(">f2", bytes("\x3c\x00\xc0\x00", 4), 2), f16, {1, -2});
  CHECK(std::isnan(read("<f2", bytes("\x01\x7c", 2), 1).at(0)));
  CHECK(std::signbit(read("<f2", bytes("\x00\x80", 2), 1).at(0)));
  is(read("|i1", "\xff\x7f\x80", 3), i8, {-1, 127, -128});
  is(read("<i2", bytes("\xfe\xff\x00\x80", 4), 2), i16, {-2, -32768});
  is(read(">i2", bytes("\xff\xfe", 2), 1), i16, {-2});
  is(read("<u2", bytes("\xff\xff\x01\x00", 4), 2), u16, {65535, 1});
  is(read("<u4", "\xff\xff\xff\xff", 1), u32, {4294967295});
  is(read("<u8", bytes("\x01\0\0\0\0\0\0\0", 8), 1), i64, {1});
  is(read(">u8", bytes("\0\0\0\0\0\0\1\1", 8), 1), i64, {257});
  is(read(">f4", bytes("\xbf\xc0\0\0", 4), 1), f32, {-1.5});
  is(read(">f8", bytes("\xbf\xf8\0\0\0\0\0\0", 8), 1), f64, {-1.5});
  is(read(">i8", "\xff\xff\xff\xff\xff\xff\xff\xfd", 1), i64, {-3});
  is(read(">i4", "\xff\xff\xff\xfd", 1), i32, {-3});
  is(read("<u1", "\xff", 1), u8, {255});
  is(read("=b1", "\1", 1), boolean, {1});
}

TEST_CASE("npy: an array in Fortran order is the same array") {
  const TempDir dir;
  const auto read = [&](const std::string& shape, const std::string& data) {
    return read_npy(dir.write("a", npy("{'descr': '|u1', 'fortran_order': True, 'shape': (" + shape + "), }", data)));
  };
  const auto text = [](const Array& a) { return std::string(reinterpret_cast<const char*>(a.data()), a.bytes()); };
  CHECK(text(read("2, 3", "adbecf")) == "abcdef");
  CHECK(text(read("2, 3, 4", "ameqiubnfrjvcogskwdphtlx")) == "abcdefghijklmnopqrstuvwx");
  CHECK(text(read("1, 3, 1", "abc")) == "abc");
  CHECK(text(read("3,", "abc")) == "abc");
  CHECK(text(read("", "a")) == "a");
  CHECK(read("2, 0, 3", "").shape() == Shape{2, 0, 3});
}

TEST_CASE("npy: paths that cannot be read or written") {
  const TempDir dir;
  CHECK_THROWS_WITH(read_npy(dir / "none"), "cannot read '" + (dir / "none") + "': there is no such file");
  CHECK_THROWS_WITH(read_npy(dir.path()), "cannot read '" + dir.path() + "': it is a folder, not a file");
  const std::string path = dir / "none/a.npy";
  CHECK_THROWS_WITH(write_npy(path, Array(u8, Shape{1})), "cannot write '" + path + "': No such file or directory");
  // A write that fails leaves what was there, and nothing beside it.
  std::filesystem::create_directory(dir / "taken");
  CHECK_THROWS_WITH(write_npy(dir / "taken", Array(u8, Shape{1})), "cannot write '" + (dir / "taken") + "': it is a folder, not a file");
  CHECK(std::distance(std::filesystem::directory_iterator(dir.path()), {}) == 1);
}
