#include "weft/runtime/data/npy.h"

#include <bit>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>

#include "weft/runtime/data/require_file.h"
#include "weft/runtime/replace_file.h"

namespace weft {
namespace {

namespace fs = std::filesystem;
static_assert(std::endian::native == std::endian::little,
              "elements are copied as they are, and .npy is little-endian");

constexpr std::string_view magic = "\x93NUMPY";

struct Header {
  DType dtype = f32;
  Shape shape;
};

template <class... Args>
[[noreturn]] void fail(const std::string& path, uint64_t offset, fmt::format_string<Args...> format,
                       Args&&... args) {
  throw Error("'{}', byte {}: {}", path, offset, fmt::format(format, std::forward<Args>(args)...));
}

/// The header's text, a Python dictionary of three entries:
/// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class HeaderParser {
 public:
  HeaderParser(const std::string& path, std::string_view text, uint64_t offset)
      : path_(path), text_(text), offset_(offset) {}

  Header parse() {
    std::optional<DType> dtype;
    std::optional<Shape> shape;
    bool order = false;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      skip_spaces();
      const size_t at = at_;
      if (key == "descr" && !dtype)
        dtype = parse_dtype();
      else if (key == "shape" && !shape)
        shape = parse_shape();
      else if (key == "fortran_order" && !order) {
        order = true;
        if (word("True")) error(at, "the array is in Fortran order; save it with numpy.ascontiguousarray");
        if (!word("False")) error(at, "fortran_order must be True or False");
      } else {
        error(at, "unexpected or repeated header entry '{}'", key);
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (at_ != text_.size()) error(at_, "text after the header's closing brace");
    if (!dtype || !shape || !order) error(0, "the header needs 'descr', 'fortran_order' and 'shape'");
    return {*dtype, *shape};
  }

 private:
  template <class... Args>
  [[noreturn]] void error(size_t at, fmt::format_string<Args...> format, Args&&... args) const {
    fail(path_, offset_ + at, format, std::forward<Args>(args)...);
  }

  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) error(at_, "malformed header: expected '{}'", c);
  }
  bool word(std::string_view wanted) {
    if (text_.substr(at_, wanted.size()) != wanted) return false;
    at_ += wanted.size();
    return true;
  }

  std::string quoted() {
    skip_spaces();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    const size_t end = quote == '\'' || quote == '"' ? text_.find(quote, at_ + 1) : std::string_view::npos;
    if (end == std::string_view::npos) error(at_, "malformed header: expected a quoted string");
    const std::string result(text_.substr(at_ + 1, end - at_ - 1));
    at_ = end + 1;
    return result;
  }

  DType parse_dtype() {
    const size_t at = at_;
    if (at_ < text_.size() && text_[at_] == '[') error(at, "structured arrays are not supported");
    const std::string descr = quoted();
    if (descr.size() > 2 && descr[0] == '>')
      error(at, "the elements are big-endian ('{}'); save them with .astype(a.dtype.newbyteorder('<'))",
            descr);
    if (descr == "<f8") return f64;
    if (descr == "<f4") return f32;
    if (descr == "<i8") return i64;
    if (descr == "<i4") return i32;
    if (descr == "|u1") return u8;
    if (descr == "|b1") return boolean;
    error(at, "element type '{}' is not supported; supported are '<f8', '<f4', '<i8', '<i4', '|u1', '|b1'",
          descr);
  }

  Shape parse_shape() {
    const size_t at = at_;
    constexpr int64_t limit = int64_t{1} << 59;  // elements; no type has more than 8 bytes
    Dims dims;
    int64_t count = 1;
    expect('(');
    while (!accept(')')) {
      int64_t extent = 0;
      skip_spaces();
      const char* begin = text_.data() + at_;
      const auto [end, code] = std::from_chars(begin, text_.data() + text_.size(), extent);
      if (code != std::errc() || extent < 0) error(at_, "malformed header: expected an extent");
      if (extent > 0 && count > limit / extent) error(at, "the extents multiply to more than 2^59 elements");
      count *= extent > 0 ? extent : 1;
      at_ += static_cast<size_t>(end - begin);
      dims.push_back(extent);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return Shape(std::move(dims));
  }

  const std::string& path_;
  std::string_view text_;
  uint64_t offset_;
  size_t at_ = 0;
};

std::string_view descr_of(DType dtype) {
  switch (dtype) {
    case DType::f64:
      return "<f8";
    case DType::f32:
    case DType::bf16:
      return "<f4";
    case DType::i64:
      return "<i8";
    case DType::i32:
      return "<i4";
    case DType::u8:
      return "|u1";
    case DType::bool_:
      return "|b1";
  }
  return "";
}

/// Everything before the elements, padded so that they start at a multiple of 64.
std::string header_of(const Array& array) {
  std::string shape;
  for (const int64_t extent : array.shape()) shape += fmt::format("{}, ", extent);
  // Python writes (), (3,) and (3, 4).
  if (!shape.empty()) shape.resize(shape.size() - (array.shape().rank() == 1 ? 1 : 2));
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}",
                                 descr_of(array.dtype()), shape);
  const bool wide = text.size() + 64 > 65535;
  const size_t prefix = magic.size() + 2 + (wide ? 4 : 2);
  text.append(63 - (prefix + text.size()) % 64, ' ');
  text += '\n';
  std::string result(magic);
  result += wide ? '\2' : '\1';
  result += '\0';
  for (int shift = 0; shift < (wide ? 32 : 16); shift += 8)
    result += static_cast<char>(text.size() >> shift & 255);
  return result + text;
}

}  // namespace

Array read_npy(const std::string& path) {
  require_file(path);
  std::error_code code;
  const uint64_t size = fs::file_size(path, code);
  std::ifstream file(path, std::ios::binary);
  if (code || !file) throw Error("cannot read '{}': {}", path, std::strerror(errno));

  char prefix[12] = {};
  file.read(prefix, sizeof prefix);
  if (std::string_view(prefix, magic.size()) != magic)
    fail(path, 0, "not a .npy file: it does not start with \\x93NUMPY");
  if ((prefix[6] != 1 && prefix[6] != 2) || prefix[7] != 0)
    fail(path, 6, "format version {}.{} is not supported; supported are 1.0 and 2.0",
         static_cast<unsigned char>(prefix[6]), static_cast<unsigned char>(prefix[7]));
  const size_t length_bytes = prefix[6] == 1 ? 2 : 4;
  const uint64_t header_start = 8 + length_bytes;
  uint64_t header_size = 0;
  for (size_t i = length_bytes; i-- > 0;)
    header_size = header_size << 8 | static_cast<unsigned char>(prefix[8 + i]);
  if (size < header_start || header_size > size - header_start)
    fail(path, 8, "truncated: the header ends at byte {}, the file at byte {}", header_start + header_size,
         size);

  std::string text(header_size, '\0');
  file.clear();  // a tiny file ends inside of `prefix`
  file.seekg(static_cast<std::streamoff>(header_start));
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  const Header header = HeaderParser(path, text, header_start).parse();

  const uint64_t start = header_start + header_size;
  const uint64_t bytes = static_cast<uint64_t>(header.shape.numel()) * size_of(header.dtype);
  if (size - start != bytes)
    fail(path, std::min(size, start + bytes), "{}: {} {} takes {} bytes from byte {}, but {} follow",
         size - start < bytes ? "truncated" : "there are bytes after the data", name_of(header.dtype),
         to_string(header.shape), bytes, start, size - start);

  Array result(header.dtype, header.shape);
  file.read(reinterpret_cast<char*>(result.data()), static_cast<std::streamsize>(bytes));
  if (!file) throw Error("cannot read '{}': {}", path, std::strerror(errno));
  if (header.dtype == boolean)
    for (uint64_t i = 0; i < bytes; ++i)
      if (std::to_integer<int>(result.data()[i]) > 1)
        fail(path, start + i, "a bool is 0 or 1, but this one is {}", std::to_integer<int>(result.data()[i]));
  return result;
}

void write_npy(const std::string& path, const Array& array) {
  if (array.dtype() == bf16) {
    Array widened(f32, array.shape());
    for (int64_t i = 0; i < array.shape().numel(); ++i) widened.set(i, array.at(i));
    return write_npy(path, widened);
  }
  const std::string header = header_of(array);
  FileReplacement file(path);
  file.write(header.data(), header.size());
  file.write(array.data(), array.bytes());
  file.commit();
}

}  // namespace weft
