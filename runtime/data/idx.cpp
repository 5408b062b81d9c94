#include "weft/runtime/data/idx.h"

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>

namespace weft {
namespace {

namespace fs = std::filesystem;

/// The uncompressed content of a file, read forward once.
class Content {
 public:
  explicit Content(const std::string& path) : path_(path) {
    std::error_code code;
    const fs::file_status status = fs::status(path, code);
    if (!fs::exists(status)) throw Error("cannot read IDX file '{}': it does not exist", path);
    if (!fs::is_regular_file(status)) throw Error("cannot read IDX file '{}': it is not a file", path);
    file_.reset(gzopen(path.c_str(), "rb"));
    if (!file_) throw Error("cannot read IDX file '{}': {}", path, std::strerror(errno));
    gzbuffer(file_.get(), 256 << 10);
    compressed_ = gzdirect(file_.get()) == 0;
  }

  /// Fewer than `count` bytes only at the end of the content.
  size_t read(std::byte* to, size_t count) {
    size_t done = 0;
    while (done < count) {
      const auto chunk = static_cast<unsigned>(std::min<size_t>(count - done, 1 << 24));
      const int got = gzread(file_.get(), to + done, chunk);
      if (got > 0) done += static_cast<size_t>(got);
      int code = Z_OK;
      std::string_view message = gzerror(file_.get(), &code);
      // A stream that breaks off is reported here, not by the returned count.
      if (code != Z_OK) {
        if (code == Z_ERRNO) message = std::strerror(errno);
        if (message.starts_with(path_ + ": ")) message.remove_prefix(path_.size() + 2);
        fail(offset_ + done, "cannot read on: {}", message);
      }
      if (got <= 0) break;
    }
    offset_ += done;
    return done;
  }

  uint64_t offset() const { return offset_; }

  template <class... Args>
  [[noreturn]] void fail(uint64_t offset, fmt::format_string<Args...> format, Args&&... args) const {
    throw Error("'{}', byte {}{}: {}", path_, offset, compressed_ ? " of the uncompressed content" : "",
                fmt::format(format, std::forward<Args>(args)...));
  }

 private:
  struct Close {
    void operator()(gzFile file) const { gzclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::remove_pointer_t<gzFile>, Close> file_;
  uint64_t offset_ = 0;
  bool compressed_ = false;
};

struct ElementType {
  size_t bytes;  // in the file
  DType dtype;   // in memory
};

std::optional<ElementType> element_type(unsigned code) {
  switch (code) {
    case 0x08:
      return ElementType{1, u8};
    case 0x09:
      return ElementType{1, i32};
    case 0x0B:
      return ElementType{2, i32};
    case 0x0C:
      return ElementType{4, i32};
    case 0x0D:
      return ElementType{4, f32};
    case 0x0E:
      return ElementType{8, f64};
    default:
      return std::nullopt;
  }
}

uint64_t big_endian(const std::byte* bytes, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; ++i) value = value << 8 | std::to_integer<uint64_t>(bytes[i]);
  return value;
}

/// Reads the extents; `offset` of an error is that of the extent at fault.
Shape read_shape(Content& content, size_t rank, size_t element_bytes) {
  constexpr uint64_t limit = uint64_t{1} << 62;
  Dims dims;
  uint64_t bytes = element_bytes;
  for (size_t axis = 0; axis < rank; ++axis) {
    std::byte raw[4];
    const uint64_t at = content.offset();
    if (content.read(raw, 4) != 4)
      content.fail(at, "truncated: the header declares {} extents of 4 bytes", rank);
    const uint64_t extent = big_endian(raw, 4);
    if (extent != 0 && bytes > limit / extent)
      content.fail(at, "the extents multiply to more than 2^62 bytes");
    bytes *= std::max<uint64_t>(extent, 1);
    dims.push_back(static_cast<int64_t>(extent));
  }
  return Shape(std::move(dims));
}

/// The data after the header. The buffer grows with what the file delivers, not with what the header says.
std::vector<std::byte> read_data(Content& content, uint64_t bytes, const Shape& shape) {
  const uint64_t start = content.offset();
  std::vector<std::byte> data;
  while (data.size() < bytes) {
    const size_t had = data.size();
    data.resize(std::min<uint64_t>(bytes, std::max<uint64_t>(1 << 20, 2 * had)));
    const size_t got = content.read(data.data() + had, data.size() - had);
    if (had + got < data.size())
      content.fail(content.offset(), "truncated: shape {} takes {} bytes from byte {}, but only {} follow",
                   to_string(shape), bytes, start, had + got);
  }
  const uint64_t end = content.offset();
  if (std::byte extra; content.read(&extra, 1) != 0)
    content.fail(end, "there are bytes after the data: shape {} takes {} bytes from byte {}",
                 to_string(shape), bytes, start);
  return data;
}

/// The elements from their big-endian bytes.
Array decode(const std::vector<std::byte>& data, const ElementType& type, const Shape& shape) {
  Array array(type.dtype, shape);
  if (type.dtype == u8) {
    std::copy(data.begin(), data.end(), array.data());
    return array;
  }
  for (size_t i = 0; i < static_cast<size_t>(shape.numel()); ++i) {
    const uint64_t bits = big_endian(data.data() + i * type.bytes, type.bytes);
    if (type.dtype == f64)
      array.values<double>()[i] = std::bit_cast<double>(bits);
    else if (type.dtype == f32)
      array.values<float>()[i] = std::bit_cast<float>(static_cast<uint32_t>(bits));
    else if (type.bytes == 1)
      array.values<int32_t>()[i] = static_cast<int8_t>(bits);
    else if (type.bytes == 2)
      array.values<int32_t>()[i] = static_cast<int16_t>(bits);
    else
      array.values<int32_t>()[i] = static_cast<int32_t>(bits);
  }
  return array;
}

Array with_channel_axis(const Array& images) {
  Dims dims = images.shape().dims();
  dims.insert(dims.begin() + 1, 1);
  Array result(images.dtype(), Shape(std::move(dims)));
  std::memcpy(result.data(), images.data(), images.bytes());
  return result;
}

}  // namespace

Array read_idx(const std::string& path) {
  Content content(path);
  std::byte magic[4];
  if (const size_t got = content.read(magic, 4); got != 4)
    content.fail(got, "truncated: an IDX file starts with a magic number of 4 bytes");
  if (magic[0] != std::byte{0} || magic[1] != std::byte{0})
    content.fail(0, "not an IDX file: it starts with 0x{:08x}, not with two zero bytes",
                 big_endian(magic, 4));
  const auto type = element_type(std::to_integer<unsigned>(magic[2]));
  if (!type)
    content.fail(
        2,
        "unknown element type 0x{:02x}; known are 08 (u8), 09 (i8), 0b (i16), 0c (i32), 0d (f32), 0e (f64)",
        std::to_integer<unsigned>(magic[2]));
  const auto rank = std::to_integer<size_t>(magic[3]);
  if (rank == 0) content.fail(3, "the rank is 0");

  const Shape shape = read_shape(content, rank, type->bytes);
  const uint64_t bytes = static_cast<uint64_t>(shape.numel()) * type->bytes;
  return decode(read_data(content, bytes, shape), *type, shape);
}

Dataset read_idx_pair(const std::string& images_path, const std::string& labels_path) {
  Array images = read_idx(images_path);
  Array labels = read_idx(labels_path);
  if (labels.shape().rank() != 1 || (labels.dtype() != u8 && labels.dtype() != i32))
    throw Error("'{}' holds {} values of shape {}, but labels are integers of shape [N]", labels_path,
                name_of(labels.dtype()), to_string(labels.shape()));
  if (images.shape()[0] != labels.shape()[0])
    throw Error("'{}' holds {} images, but '{}' holds {} labels", images_path, images.shape()[0], labels_path,
                labels.shape()[0]);
  Dataset result = Dataset::from(std::move(images), std::move(labels));
  if (result.inputs.dtype() == u8) result.divisor = 255.0f;
  int64_t classes = 0;
  for (const int64_t label : result.targets.values<int64_t>()) {
    if (label < 0 || label > 65535)
      throw Error("'{}' holds the label {}; labels are 0 .. 65535", labels_path, label);
    classes = std::max(classes, label + 1);
  }
  for (int64_t i = 0; i < classes; ++i) result.class_names.push_back(std::to_string(i));
  return result;
}

Dataset load_idx_directory(const std::string& directory, bool train) {
  const std::string split = train ? "train" : "t10k";
  std::string paths[2];
  std::string missing;
  const char* const kinds[2] = {"-images-idx3-ubyte", "-labels-idx1-ubyte"};
  for (int i = 0; i < 2; ++i) {
    const std::string name = split + kinds[i];
    for (const std::string& candidate : {name + ".gz", name})
      if (std::error_code code; fs::is_regular_file(fs::path(directory) / candidate, code))
        paths[i] = (fs::path(directory) / candidate).string();
    if (paths[i].empty())
      missing += fmt::format("{}'{}' or '{}.gz'", missing.empty() ? "" : " and ", name, name);
  }
  if (!missing.empty()) throw Error("no such data set: looked for {} in '{}'", missing, directory);

  Dataset result = read_idx_pair(paths[0], paths[1]);
  if (result.inputs.dtype() != u8 || result.inputs.shape().rank() != 3)
    throw Error("'{}' holds {} values of shape {}, but images are u8 of shape [N, height, width]", paths[0],
                name_of(result.inputs.dtype()), to_string(result.inputs.shape()));
  result.inputs = with_channel_axis(result.inputs);
  const fs::path normal = fs::path(directory).lexically_normal();
  result.name = (normal.has_filename() ? normal : normal.parent_path()).filename().string();
  return result;
}

}  // namespace weft
