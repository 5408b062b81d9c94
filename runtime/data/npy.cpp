#include "weft/runtime/data/npy.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>
#include <vector>

#include "weft/runtime/file_elements.h"
#include "weft/runtime/replace_file.h"
#include "weft/support/input_file.h"
#include "weft/support/number_text.h"

namespace weft {
namespace {

constexpr std::string_view magic = "\x93NUMPY";

struct Elements {
  FileType type;
  std::endian order;
};

struct Header {
  Elements elements;
  bool fortran_order;
  Shape shape;
};

struct NamedType {
  std::string_view name;  // as NumPy has it, but for the byte order
  FileType type;
};
constexpr NamedType types[] = {{"f8", FileType::f64}, {"f4", FileType::f32}, {"f2", FileType::f16}, {"i8", FileType::i64},
                               {"i4", FileType::i32}, {"i2", FileType::i16}, {"i1", FileType::i8},  {"u8", FileType::u64},
                               {"u4", FileType::u32}, {"u2", FileType::u16}, {"u1", FileType::u8},  {"b1", FileType::bool_}};

template <class... Args>
[[noreturn]] void fail(const std::string& path, uint64_t offset, fmt::format_string<Args...> format, Args&&... args) {
  throw Error(ErrorKind::file, "{}", fmt::format(format, std::forward<Args>(args)...)).at(fmt::format("'{}', byte {}", path, offset));
}

/// The header's text, a Python dictionary of three entries:
/// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class HeaderParser {
 public:
  HeaderParser(const std::string& path, std::string_view text, uint64_t offset) : path_(path), text_(text), offset_(offset) {}

  Header parse() {
    std::optional<Elements> elements;
    std::optional<Shape> shape;
    std::optional<bool> fortran;
    expect('{');
    while (!accept('}')) {
      const std::string key = quoted();
      expect(':');
      skip_spaces();
      const size_t at = at_;
      if (key == "descr" && !elements) elements = parse_elements();
      else if (key == "shape" && !shape) shape = parse_shape();
      else if (key == "fortran_order" && !fortran) {
        fortran = word("True");
        if (!*fortran && !word("False")) error(at, "fortran_order must be True or False");
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
    if (!elements || !shape || !fortran) error(0, "the header needs 'descr', 'fortran_order' and 'shape'");
    return {*elements, *fortran, *shape};
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

  Elements parse_elements() {
    const size_t at = at_;
    if (at_ < text_.size() && text_[at_] == '[') error(at, "structured arrays are not supported");
    const std::string descr = quoted();
    if (!descr.empty() && std::string_view("<>|=").find(descr[0]) != std::string_view::npos)
      for (const NamedType& t : types)
        if (descr.substr(1) == t.name && (descr[0] != '|' || size_of(t.type) == 1))
          return {t.type, descr[0] == '>' ? std::endian::big : std::endian::little};
    error(at, "element type '{}' is not supported; supported are f8, f4, f2, i8, i4, i2, i1, u8, u4, u2, u1 and b1, '<' or '>' before them",
          descr);
  }

  Shape parse_shape() {
    const size_t at = at_;
    constexpr int64_t limit = int64_t{1} << 59;  // elements; no type has more than 8 bytes
    Dims dims;
    int64_t count = 1;
    expect('(');
    while (!accept(')')) {
      skip_spaces();
      const auto [extent, length, out_of_range] = leading_number<int64_t>(text_.substr(at_));
      if (length == 0 || out_of_range || extent < 0) error(at_, "malformed header: expected an extent");
      if (extent > 0 && count > limit / extent) error(at, "the extents multiply to more than 2^59 elements");
      count *= extent > 0 ? extent : 1;
      at_ += length;
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
    case DType::f64: return "<f8";
    case DType::f32:
    case DType::bf16: return "<f4";
    case DType::i64: return "<i8";
    case DType::i32: return "<i4";
    case DType::u8: return "|u1";
    case DType::bool_: return "|b1";
  }
  return "";
}

/// The elements of an array whose first axis runs fastest, in weft's order.
Array from_fortran_order(const Array& columns) {
  Array result(columns.dtype(), columns.shape());
  const size_t size = size_of(columns.dtype()), rank = columns.shape().dims().size();
  std::vector<int64_t> steps(rank), index(rank);  // of an axis, in the file
  int64_t step = 1;
  for (size_t axis = 0; axis < rank; ++axis) {
    steps[axis] = step;
    step *= columns.shape().dims()[axis];
  }
  int64_t from = 0;
  for (int64_t to = 0; to < columns.shape().numel(); ++to) {
    std::memcpy(result.data() + static_cast<size_t>(to) * size, columns.data() + static_cast<size_t>(from) * size, size);
    for (size_t axis = rank; axis-- > 0;) {
      from += steps[axis];
      if (++index[axis] < columns.shape().dims()[axis]) break;
      from -= steps[axis] * std::exchange(index[axis], 0);
    }
  }
  return result;
}

/// Everything before the elements, padded so that they start at a multiple of 64.
std::string header_of(const Array& array) {
  std::string shape;
  for (const int64_t extent : array.shape()) shape += fmt::format("{}, ", extent);
  // Python writes (), (3,) and (3, 4).
  if (!shape.empty()) shape.resize(shape.size() - (array.shape().rank() == 1 ? 1 : 2));
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr_of(array.dtype()), shape);
  const bool wide = text.size() + 64 > 65535;
  const size_t prefix = magic.size() + 2 + (wide ? 4 : 2);
  text.append(63 - (prefix + text.size()) % 64, ' ');
  text += '\n';
  std::string result(magic);
  result += wide ? '\2' : '\1';
  result += '\0';
  for (int shift = 0; shift < (wide ? 32 : 16); shift += 8) result += static_cast<char>(text.size() >> shift & 255);
  return result + text;
}

}  // namespace

Array read_npy(const std::string& path) {
  const InputFile file(path);
  const uint64_t size = file.size();
  char prefix[12] = {};
  file.read(0, prefix, std::min<uint64_t>(size, sizeof prefix));
  if (std::string_view(prefix, magic.size()) != magic) fail(path, 0, "not a .npy file: it does not start with \\x93NUMPY");
  if (prefix[6] < 1 || prefix[6] > 3 || prefix[7] != 0)
    fail(path, 6, "format version {}.{} is not supported; supported are 1.0, 2.0 and 3.0", static_cast<unsigned char>(prefix[6]),
         static_cast<unsigned char>(prefix[7]));
  const size_t length_bytes = prefix[6] == 1 ? 2 : 4;
  const uint64_t header_start = 8 + length_bytes;
  uint64_t header_size = 0;
  for (size_t i = length_bytes; i-- > 0;) header_size = header_size << 8 | static_cast<unsigned char>(prefix[8 + i]);
  if (size < header_start || header_size > size - header_start)
    fail(path, 8, "truncated: the header ends at byte {}, the file at byte {}", header_start + header_size, size);

  std::string text(header_size, '\0');
  file.read(header_start, text.data(), text.size());
  const Header header = HeaderParser(path, text, header_start).parse();

  const auto [type, order] = header.elements;
  const uint64_t start = header_start + header_size;
  const uint64_t bytes = static_cast<uint64_t>(header.shape.numel()) * size_of(type);
  if (size - start != bytes)
    fail(path, std::min(size, start + bytes), "{}: {} elements of {} bytes, {}, take {} bytes from byte {}, but {} follow",
         size - start < bytes ? "truncated" : "there are bytes after the data", header.shape.numel(), size_of(type),
         to_string(header.shape), bytes, start, size - start);

  std::vector<std::byte> data(bytes);
  file.read(start, data.data(), bytes);
  Array result(becomes(type), header.shape);
  if (const auto bad = decode(type, order, data, result)) fail(path, start + bad->index * size_of(type), "{}", bad->why);
  return header.fortran_order ? from_fortran_order(result) : result;
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
