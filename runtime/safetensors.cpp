#include "weft/runtime/safetensors.h"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "weft/runtime/replace_file.h"

namespace weft {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little, "elements are written as they lie in memory");

constexpr uint64_t length_bytes = 8;
constexpr uint64_t largest_header = 100'000'000;  // the format's own limit
constexpr const char* metadata_key = "__metadata__";

struct NamedType {
  DType dtype;
  const char* name;
};
/// In the order of the format's own library, which writes the last first.
constexpr NamedType types[] = {{DType::bool_, "BOOL"}, {DType::u8, "U8"},   {DType::bf16, "BF16"}, {DType::i32, "I32"},
                               {DType::f32, "F32"},    {DType::f64, "F64"}, {DType::i64, "I64"}};

template <class... Args>
[[noreturn]] void fail(const std::string& path, uint64_t byte, fmt::format_string<Args...> text, Args&&... args) {
  throw Error("'{}', byte {}: {}", path, byte, fmt::format(text, std::forward<Args>(args)...));
}

/// What the header says of a tensor; offsets count from the beginning of the file.
struct Entry {
  std::string name;
  DType dtype;
  Shape shape;
  uint64_t begin, end;
};

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path), file_(path, std::ios::binary | std::ios::ate) {
    if (!file_) throw Error("cannot open '{}': {}", path, std::strerror(errno));
    size_ = static_cast<uint64_t>(file_.tellg());
  }

  SafeTensors read() {
    const json header = read_header();
    SafeTensors result;
    std::vector<Entry> entries;
    for (const auto& [name, value] : header.items()) {
      if (name == metadata_key) result.metadata = metadata(value);
      else entries.push_back(entry(name, value));
    }
    check_layout(entries);
    for (const Entry& e : entries) result.tensors.emplace(e.name, elements(e));
    return result;
  }

 private:
  json read_header() {
    if (size_ < length_bytes) fail(path_, size_, "truncated: a safetensors file begins with 8 bytes, the length of its header");
    uint64_t length = 0;
    read_bytes(0, &length, length_bytes);
    if (length > largest_header) fail(path_, 0, "no safetensors file: its header would have {} bytes, more than the {} allowed", length, largest_header);
    data_ = length_bytes + length;
    if (data_ > size_) fail(path_, size_, "truncated: the header ends at byte {}, the file at byte {}", data_, size_);
    std::string text(length, '\0');
    read_bytes(length_bytes, text.data(), length);
    std::set<std::string> names;
    std::string twice;
    const auto watch = [&](int depth, json::parse_event_t event, json& parsed) {
      if (depth == 1 && event == json::parse_event_t::key && !names.insert(parsed.get<std::string>()).second) twice = parsed.get<std::string>();
      return true;
    };
    try {
      json header = json::parse(text, watch);
      if (!twice.empty()) fail(path_, length_bytes, "the header names '{}' twice", twice);
      if (!header.is_object()) fail(path_, length_bytes, "the header is no JSON object");
      return header;
    } catch (const json::parse_error& e) {
      fail(path_, length_bytes + (e.byte > 0 ? e.byte - 1 : 0), "the header is not valid JSON");
    }
  }

  std::map<std::string, std::string, std::less<>> metadata(const json& value) const {
    std::map<std::string, std::string, std::less<>> all;
    if (!value.is_object()) fail(path_, length_bytes, "the header's __metadata__ is no object");
    for (const auto& [key, text] : value.items()) {
      if (!text.is_string()) fail(path_, length_bytes, "the header's __metadata__ '{}' is no text", key);
      all.emplace(key, text.get<std::string>());
    }
    return all;
  }

  Entry entry(const std::string& name, const json& value) const {
    const auto member = [&](const char* key) -> const json& {
      if (!value.is_object() || !value.contains(key)) fail(path_, length_bytes, "the header gives no {} for '{}'", key, name);
      return value[key];
    };
    const auto dtype = dtype_named(member("dtype"));
    if (!dtype) fail(path_, length_bytes, "'{}' has elements of type {}; supported are BOOL, U8, I32, I64, BF16, F32, F64", name, member("dtype").dump());
    const auto dims = numbers(name, "shape", member("shape"));
    const auto offsets = numbers(name, "data_offsets", member("data_offsets"));
    uint64_t bytes = size_of(*dtype);
    for (uint64_t d : dims)
      if (__builtin_mul_overflow(bytes, d, &bytes) || d > INT64_MAX) fail(path_, length_bytes, "'{}' has a shape of too many elements", name);
    if (offsets.size() != 2 || offsets[0] > offsets[1])
      fail(path_, length_bytes, "the data_offsets of '{}' must be where its bytes begin and end, not {}", name, value["data_offsets"].dump());
    if (offsets[1] > size_ - data_)
      fail(path_, size_, "truncated: '{}' ends at byte {}, the file at byte {}", name, data_ + offsets[1], size_);
    if (offsets[1] - offsets[0] != bytes)
      fail(path_, data_ + offsets[0], "'{}' has {} bytes, but {} {} takes {}", name, offsets[1] - offsets[0], name_of(*dtype),
           value["shape"].dump(), bytes);
    return {name, *dtype, Shape(Dims(dims.begin(), dims.end())), data_ + offsets[0], data_ + offsets[1]};
  }

  static std::optional<DType> dtype_named(const json& name) {
    for (const NamedType& t : types)
      if (name == t.name) return t.dtype;
    return std::nullopt;
  }

  std::vector<uint64_t> numbers(const std::string& name, const char* key, const json& list) const {
    std::vector<uint64_t> all;
    for (const json& item : list.is_array() ? list : json::array({nullptr})) {
      if (!item.is_number_unsigned()) fail(path_, length_bytes, "the {} of '{}' must be a list of integers, not {}", key, name, list.dump());
      all.push_back(item.get<uint64_t>());
    }
    return all;
  }

  /// Every byte of the data belongs to one tensor.
  void check_layout(std::vector<Entry> entries) const {
    std::stable_sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return std::pair(a.begin, a.end) < std::pair(b.begin, b.end); });
    uint64_t end = data_;
    std::string before;
    for (const Entry& e : entries) {
      if (e.begin < end) fail(path_, e.begin, "'{}' begins here, but '{}' ends at byte {}: their bytes overlap", e.name, before, end);
      if (e.begin > end) fail(path_, end, "the bytes up to {} belong to no tensor", e.begin);
      end = e.end;
      before = e.name;
    }
    if (end != size_) fail(path_, end, "the data ends here, but the file has {} bytes more", size_ - end);
  }

  Array elements(const Entry& e) {
    Array array(e.dtype, e.shape);
    read_bytes(e.begin, array.data(), array.bytes());
    if (e.dtype == boolean)
      for (size_t i = 0; i < array.bytes(); ++i)
        if (std::to_integer<int>(array.data()[i]) > 1)
          fail(path_, e.begin + i, "a BOOL is 0 or 1, but this one of '{}' is {}", e.name, std::to_integer<int>(array.data()[i]));
    return array;
  }

  void read_bytes(uint64_t from, void* to, uint64_t count) {
    file_.seekg(static_cast<std::streamoff>(from));
    file_.read(static_cast<char*>(to), static_cast<std::streamsize>(count));
    if (!file_) throw Error("cannot read '{}': {}", path_, std::strerror(errno));
  }

  const std::string& path_;
  std::ifstream file_;
  uint64_t size_ = 0, data_ = 0;
};

const NamedType& named(DType dtype) {
  const auto* found = std::find_if(std::begin(types), std::end(types), [dtype](const NamedType& t) { return t.dtype == dtype; });
  WEFT_CHECK(found != std::end(types), "an element type without a name in safetensors files");
  return *found;
}

}  // namespace

SafeTensors read_safetensors(const std::string& path) { return Reader(path).read(); }

void write_safetensors(const std::string& path, std::vector<std::pair<std::string, const Array*>> tensors,
                       const std::map<std::string, std::string, std::less<>>& metadata) {
  std::sort(tensors.begin(), tensors.end(), [](const auto& a, const auto& b) {
    const NamedType *x = &named(a.second->dtype()), *y = &named(b.second->dtype());
    return x != y ? x > y : a.first < b.first;
  });
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[metadata_key] = metadata;
  uint64_t end = 0;
  for (const auto& [name, array] : tensors) {
    if (name == metadata_key || header.contains(name)) throw Error("cannot write '{}': there are two tensors named '{}'", path, name);
    const uint64_t begin = end;
    end += array->bytes();
    header[name] = {{"dtype", named(array->dtype()).name}, {"shape", array->shape().dims()}, {"data_offsets", {begin, end}}};
  }
  std::string text;
  try {
    text = header.dump();
  } catch (const json::type_error& e) {
    throw Error("cannot write '{}': a name or a text is not UTF-8 ({})", path, e.what());
  }
  text.resize((text.size() + 7) / 8 * 8, ' ');
  const uint64_t length = text.size();
  FileReplacement file(path);
  file.write(&length, length_bytes);
  file.write(text.data(), text.size());
  for (const auto& [name, array] : tensors) file.write(array->data(), array->bytes());
  file.commit();
}

}  // namespace weft
