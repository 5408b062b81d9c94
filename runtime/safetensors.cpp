#include "weft/runtime/safetensors.h"

#include <fmt/ranges.h>
#include <zlib.h>

#include <algorithm>
#include <bit>
#include <optional>
#include <set>

#include "weft/runtime/file_elements.h"
#include "weft/runtime/replace_file.h"
#include "weft/runtime/safetensors_checksum.h"
#include "weft/runtime/safetensors_header.h"
#include "weft/support/input_file.h"
#include "weft/support/utf8.h"

namespace weft {
namespace {

using detail::checksum_key;
using detail::SafeTensorsHeader;

static_assert(std::endian::native == std::endian::little, "elements are written as they lie in memory");

constexpr uint64_t length_bytes = 8;
constexpr uint64_t largest_header = 100'000'000;  // the format's own limit

struct WrittenType {
  DType dtype;
  const char* name;
};
/// In the order of the format's own library, which writes the last first.
constexpr WrittenType written_types[] = {{boolean, "BOOL"}, {u8, "U8"},   {i8, "I8"},   {i16, "I16"}, {u16, "U16"}, {f16, "F16"},
                                         {bf16, "BF16"},    {i32, "I32"}, {u32, "U32"}, {f32, "F32"}, {f64, "F64"}, {i64, "I64"}};

struct ReadType {
  FileType type;
  const char* name;
};
constexpr ReadType read_types[] = {{FileType::bool_, "BOOL"},      {FileType::u8, "U8"},           {FileType::i8, "I8"},
                                   {FileType::u16, "U16"},         {FileType::i16, "I16"},         {FileType::u32, "U32"},
                                   {FileType::i32, "I32"},         {FileType::u64, "U64"},         {FileType::i64, "I64"},
                                   {FileType::f8_e4m3, "F8_E4M3"}, {FileType::f8_e5m2, "F8_E5M2"}, {FileType::f16, "F16"},
                                   {FileType::bf16, "BF16"},       {FileType::f32, "F32"},         {FileType::f64, "F64"}};

const ReadType* type_named(const std::string& name) {
  const auto* found = std::find_if(std::begin(read_types), std::end(read_types), [&](const ReadType& t) { return name == t.name; });
  return found == std::end(read_types) ? nullptr : found;
}

std::string readable_types() {
  std::string all;
  for (const ReadType& t : read_types) all += fmt::format("{}{}", all.empty() ? "" : ", ", t.name);
  return all;
}

template <class... Args>
[[noreturn]] void fail(const std::string& path, uint64_t byte, fmt::format_string<Args...> text, Args&&... args) {
  throw Error(ErrorKind::file, "{}", fmt::format(text, std::forward<Args>(args)...)).at(fmt::format("'{}', byte {}", path, byte));
}

/// Over all that a file holds, in an order that does not depend on how its header is written: metadata, then tensors by name.
class Checksum {
 public:
  void add(const std::map<std::string, std::string, std::less<>>& metadata) {
    for (const auto& [key, text] : metadata) {
      if (key == checksum_key) continue;
      add(key);
      add(text);
    }
  }
  void add(const std::string& name, std::string_view dtype, const Shape& shape, const void* elements, size_t bytes) {
    add(name);
    add(dtype);
    add(to_string(shape));
    if (bytes > 0) crc_ = crc32_z(crc_, static_cast<const Bytef*>(elements), bytes);  // of no address zlib would begin anew
  }
  std::string text() const { return fmt::format("crc32 {:08x}", crc_); }

 private:
  void add(std::string_view text) {
    const uint64_t size = text.size();
    crc_ = crc32_z(crc_, reinterpret_cast<const Bytef*>(&size), sizeof size);
    crc_ = crc32_z(crc_, reinterpret_cast<const Bytef*>(text.data()), text.size());
  }
  unsigned long crc_ = 0;
};

/// What the header says of a tensor; offsets count from the beginning of the file.
struct Entry {
  std::string name;
  const ReadType* type;
  Shape shape;
  uint64_t begin, end;
};

class Reader {
 public:
  /// `advice` is for who meets a checksum that is not of what the file holds.
  Reader(const std::string& path, std::string_view advice) : file_(path), path_(path), advice_(advice) {}

  SafeTensors read() {
    SafeTensorsHeader header = read_header();
    std::vector<Entry> entries;
    for (const auto& tensor : header.tensors) entries.push_back(entry(tensor));
    check_layout(entries);
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    SafeTensors result;
    result.metadata = std::move(header.metadata);
    checksum_.add(result.metadata);
    for (const Entry& e : entries) result.tensors.emplace_hint(result.tensors.end(), e.name, elements(e));
    check_sum(result);
    return result;
  }

 private:
  SafeTensorsHeader read_header() {
    if (file_.size() < length_bytes)
      fail(path_, file_.size(), "truncated: a safetensors file begins with 8 bytes, the length of its header");
    uint64_t length = 0;
    file_.read(0, &length, length_bytes);
    if (constexpr uint64_t zip = 0x04034b50; (length & 0xffffffff) == zip)
      fail(path_, 0, "no safetensors file but a zip archive, which torch.save writes: in Python, save it with safetensors.torch.save_file");
    if (length > largest_header)
      fail(path_, 0, "no safetensors file: its header would have {} bytes, more than the {} allowed", length, largest_header);
    data_ = length_bytes + length;
    if (data_ > file_.size()) fail(path_, file_.size(), "truncated: the header ends at byte {}, the file at byte {}", data_, file_.size());
    std::string text(length, '\0');
    file_.read(length_bytes, text.data(), length);
    return detail::parse_safetensors_header(text, path_, length_bytes);
  }

  Entry entry(const SafeTensorsHeader::Tensor& t) const {
    const ReadType* type = type_named(t.dtype);
    if (!type) fail(path_, length_bytes, "'{}' has elements of type \"{}\"; supported are {}", t.name, t.dtype, readable_types());
    uint64_t bytes = size_of(type->type);
    for (uint64_t d : t.shape)
      if (__builtin_mul_overflow(bytes, std::max<uint64_t>(d, 1), &bytes) || bytes > uint64_t{1} << 62)
        fail(path_, length_bytes, "'{}' has a shape of too many elements", t.name);
    if (std::count(t.shape.begin(), t.shape.end(), 0) > 0) bytes = 0;
    if (t.offsets.size() != 2 || t.offsets[0] > t.offsets[1])
      fail(path_, length_bytes, "the data_offsets of '{}' must be where its bytes begin and end, not [{}]", t.name,
           fmt::join(t.offsets, ","));
    if (t.offsets[1] > file_.size() - data_)
      fail(path_, file_.size(), "truncated: '{}' ends at byte {}, the file at byte {}", t.name, data_ + t.offsets[1], file_.size());
    const Shape shape{Dims(t.shape.begin(), t.shape.end())};
    if (t.offsets[1] - t.offsets[0] != bytes)
      fail(path_, data_ + t.offsets[0], "'{}' has {} bytes, but {} {} takes {}", t.name, t.offsets[1] - t.offsets[0], t.dtype,
           to_string(shape), bytes);
    return {t.name, type, shape, data_ + t.offsets[0], data_ + t.offsets[1]};
  }

  /// Every byte of the data belongs to one tensor.
  void check_layout(std::vector<Entry> entries) const {
    std::stable_sort(entries.begin(), entries.end(),
                     [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    uint64_t end = data_;
    std::string before;
    for (const Entry& e : entries) {
      if (e.begin < end) fail(path_, e.begin, "'{}' begins here, but '{}' ends at byte {}: their bytes overlap", e.name, before, end);
      if (e.begin > end) fail(path_, end, "the bytes up to {} belong to no tensor", e.begin);
      end = e.end;
      before = e.name;
    }
    if (end != file_.size()) fail(path_, end, "the data ends here, but the file has {} bytes more", file_.size() - end);
  }

  Array elements(const Entry& e) {
    std::vector<std::byte> bytes(e.end - e.begin);
    file_.read(e.begin, bytes.data(), bytes.size());
    checksum_.add(e.name, e.type->name, e.shape, bytes.data(), bytes.size());
    Array array(becomes(e.type->type), e.shape);
    if (const auto bad = decode(e.type->type, std::endian::little, bytes, array.data()))
      fail(path_, e.begin + bad->index * size_of(e.type->type), "'{}', element {}: {}", e.name, bad->index, bad->why);
    return array;
  }

  void check_sum(const SafeTensors& file) const {
    const auto found = file.metadata.find(checksum_key);
    if (found == file.metadata.end()) return;
    if (found->second != checksum_.text())
      throw Error(ErrorKind::file, "'{}' is damaged: its checksum is '{}', but what it holds has '{}'{}", path_, found->second,
                  checksum_.text(), advice_);
  }

  InputFile file_;
  const std::string& path_;
  std::string_view advice_;
  uint64_t data_ = 0;  // where it begins
  Checksum checksum_;
};

const WrittenType& written_as(DType dtype) {
  const auto* found =
      std::find_if(std::begin(written_types), std::end(written_types), [dtype](const WrittenType& t) { return t.dtype == dtype; });
  WEFT_CHECK(found != std::end(written_types), "an element type without a name in safetensors files");
  return *found;
}

using NamedArrays = std::vector<std::pair<std::string, const Array*>>;

void require_utf8(const std::string& text, const std::string& path) {
  if (first_byte_outside_utf8(text))
    throw Error(ErrorKind::file, "cannot write '{}': '{}' is not UTF-8, as names and texts of such a file must be", path,
                escaped_outside_utf8(text));
}

SafeTensorsHeader header_of(const NamedArrays& tensors, const std::string& path) {
  SafeTensorsHeader header;
  std::set<std::string_view> names{"__metadata__"};
  uint64_t end = 0;
  for (const auto& [name, array] : tensors) {
    require_utf8(name, path);
    if (!names.insert(name).second) throw Error(ErrorKind::file, "cannot write '{}': there are two tensors named '{}'", path, name);
    const uint64_t begin = end;
    end += array->bytes();
    header.tensors.push_back({name, written_as(array->dtype()).name, {array->shape().begin(), array->shape().end()}, {begin, end}});
  }
  return header;
}

std::string checksum_of(const std::map<std::string, std::string, std::less<>>& metadata, NamedArrays tensors) {
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Checksum sum;
  sum.add(metadata);
  for (const auto& [name, array] : tensors) sum.add(name, written_as(array->dtype()).name, array->shape(), array->data(), array->bytes());
  return sum.text();
}

}  // namespace

SafeTensors detail::read_with_checksum(const std::string& path) { return Reader(path, "").read(); }

SafeTensors read_safetensors(const std::string& path) {
  const std::string advice = fmt::format(" (a program that changes such a file on purpose drops '{}' from its metadata)", checksum_key);
  SafeTensors file = Reader(path, advice).read();
  file.metadata.erase(checksum_key);
  return file;
}

void write_safetensors(const std::string& path, std::vector<std::pair<std::string, const Array*>> tensors,
                       const std::map<std::string, std::string, std::less<>>& metadata, bool checksum) {
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
    const WrittenType *x = &written_as(a.second->dtype()), *y = &written_as(b.second->dtype());
    return x != y ? x > y : a.first < b.first;
  });
  SafeTensorsHeader header = header_of(tensors, path);
  header.metadata = metadata;
  if (checksum) header.metadata[checksum_key] = checksum_of(metadata, tensors);
  for (const auto& [key, value] : header.metadata) require_utf8(key, path), require_utf8(value, path);
  std::string text = detail::print_safetensors_header(header);
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  FileReplacement file(path);
  file.write(&length, length_bytes);
  file.write(text.data(), text.size());
  for (const auto& [name, array] : tensors) file.write(array->data(), array->bytes());
  file.commit();
}

}  // namespace weft
