#include "weft/runtime/data/npy_header.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/support/number_text.h"

namespace weft::detail {
namespace {

struct Elements {
  FileType type;
  std::endian order;
};

struct NamedType {
  std::string_view name;  // as NumPy has it, but for the byte order
  FileType type;
};
constexpr NamedType types[] = {{"f8", FileType::f64}, {"f4", FileType::f32}, {"f2", FileType::f16}, {"i8", FileType::i64},
                               {"i4", FileType::i32}, {"i2", FileType::i16}, {"i1", FileType::i8},  {"u8", FileType::u64},
                               {"u4", FileType::u32}, {"u2", FileType::u16}, {"u1", FileType::u8},  {"b1", FileType::bool_}};

/// The header's text, a Python dictionary of three entries:
/// {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class HeaderParser {
 public:
  HeaderParser(const NpyContent& content, std::string_view text, uint64_t offset) : content_(content), text_(text), offset_(offset) {}

  NpyHeader parse() {
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
    return {elements->type, elements->order, *fortran, *shape, offset_ + text_.size()};
  }

 private:
  template <class... Args>
  [[noreturn]] void error(size_t at, fmt::format_string<Args...> format, Args&&... args) const {
    content_.fail(offset_ + at, format, std::forward<Args>(args)...);
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

  const NpyContent& content_;
  std::string_view text_;
  uint64_t offset_;
  size_t at_ = 0;
};

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

}  // namespace

NpyContent content_of(const InputFile& file) {
  return {fmt::format("'{}'", file.path()), file.size(), [&file](uint64_t from, void* to, uint64_t count) { file.read(from, to, count); }};
}

NpyHeader read_npy_header(const NpyContent& file) {
  char prefix[12] = {};
  file.read(0, prefix, std::min<uint64_t>(file.size, sizeof prefix));
  if (std::string_view(prefix, npy_magic.size()) != npy_magic) file.fail(0, "not a .npy file: it does not start with \\x93NUMPY");
  if (prefix[6] < 1 || prefix[6] > 3 || prefix[7] != 0)
    file.fail(6, "format version {}.{} is not supported; supported are 1.0, 2.0 and 3.0", static_cast<unsigned char>(prefix[6]),
              static_cast<unsigned char>(prefix[7]));
  const size_t length_bytes = prefix[6] == 1 ? 2 : 4;
  const uint64_t header_start = 8 + length_bytes;
  uint64_t header_size = 0;
  for (size_t i = length_bytes; i-- > 0;) header_size = header_size << 8 | static_cast<unsigned char>(prefix[8 + i]);
  if (file.size < header_start || header_size > file.size - header_start)
    file.fail(8, "truncated: the header ends at byte {}, the file at byte {}", header_start + header_size, file.size);

  std::string text(header_size, '\0');
  file.read(header_start, text.data(), text.size());
  const NpyHeader header = HeaderParser(file, text, header_start).parse();
  const uint64_t bytes = static_cast<uint64_t>(header.shape.numel()) * size_of(header.type), follow = file.size - header.start;
  if (follow != bytes)
    file.fail(std::min(file.size, header.start + bytes), "{}: {} elements of {} bytes, {}, take {} bytes from byte {}, but {} follow",
              follow < bytes ? "truncated" : "there are bytes after the data", header.shape.numel(), size_of(header.type),
              to_string(header.shape), bytes, header.start, follow);
  return header;
}

Array read_npy_content(const NpyContent& file) {
  const NpyHeader header = read_npy_header(file);
  std::vector<std::byte> data(file.size - header.start);
  file.read(header.start, data.data(), data.size());
  Array result(becomes(header.type), header.shape);
  if (const auto bad = decode(header.type, header.order, data, result.data()))
    file.fail(header.start + bad->index * size_of(header.type), "{}", bad->why);
  return header.fortran_order ? from_fortran_order(result) : result;
}

}  // namespace weft::detail
