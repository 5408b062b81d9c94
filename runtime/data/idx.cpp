#include "weft/runtime/data/idx.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <optional>

#include "weft/runtime/data/content.h"
#include "weft/runtime/file_elements.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

using detail::Content;

std::optional<FileType> element_type(unsigned code) {
  switch (code) {
    case 0x08: return FileType::u8;
    case 0x09: return FileType::i8;
    case 0x0B: return FileType::i16;
    case 0x0C: return FileType::i32;
    case 0x0D: return FileType::f32;
    case 0x0E: return FileType::f64;
    default: return std::nullopt;
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
    if (content.read(raw, 4) != 4) content.fail(at, "truncated: the header declares {} extents of 4 bytes", rank);
    const uint64_t extent = big_endian(raw, 4);
    if (extent != 0 && bytes > limit / extent) content.fail(at, "the extents multiply to more than 2^62 bytes");
    bytes *= std::max<uint64_t>(extent, 1);
    dims.push_back(static_cast<int64_t>(extent));
  }
  return Shape(std::move(dims));
}

/// Of this machine, in bytes.
uint64_t memory() { return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)); }

/// Throws weft::Error where the content cannot hold the data, or the machine: a few bytes of gzip may stand for many.
void check_size(const Content& content, uint64_t bytes, FileType type, const Shape& shape) {
  const uint64_t start = content.offset(), left = content.left_at_most();
  if (bytes > left && !content.compressed())
    content.fail(start + left, "truncated: shape {} takes {} bytes from byte {}, but only {} follow", to_string(shape), bytes, start, left);
  if (bytes > left)
    content.fail(start, "truncated: shape {} takes {} bytes from here, but the compressed file is too short for more than {}",
                 to_string(shape), bytes, left);
  const uint64_t needed = bytes + static_cast<uint64_t>(shape.numel()) * size_of(becomes(type));
  if (needed > memory())
    content.fail(start, "shape {} takes {} bytes to read, but this machine has {} bytes of memory", to_string(shape), needed, memory());
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
      content.fail(content.offset(), "truncated: shape {} takes {} bytes from byte {}, but only {} follow", to_string(shape), bytes, start,
                   had + got);
  }
  const uint64_t end = content.offset();
  if (std::byte extra; content.read(&extra, 1) != 0)
    content.fail(end, "there are bytes after the data: shape {} takes {} bytes from byte {}", to_string(shape), bytes, start);
  return data;
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
    content.fail(0, "not an IDX file: it starts with 0x{:08x}, not with two zero bytes", big_endian(magic, 4));
  const auto type = element_type(std::to_integer<unsigned>(magic[2]));
  if (!type)
    content.fail(2, "unknown element type 0x{:02x}; known are 08 (u8), 09 (i8), 0b (i16), 0c (i32), 0d (f32), 0e (f64)",
                 std::to_integer<unsigned>(magic[2]));
  const auto rank = std::to_integer<size_t>(magic[3]);
  if (rank == 0) content.fail(3, "the rank is 0");

  const Shape shape = read_shape(content, rank, size_of(*type));
  const uint64_t bytes = static_cast<uint64_t>(shape.numel()) * size_of(*type);
  check_size(content, bytes, *type, shape);
  const std::vector<std::byte> data = read_data(content, bytes, shape);
  Array result(becomes(*type), shape);
  decode(*type, std::endian::big, data, result.data());
  return result;
}

Dataset read_idx_pair(const std::string& images_path, const std::string& labels_path) {
  Array images = read_idx(images_path);
  Array labels = read_idx(labels_path);
  if (labels.shape().rank() != 1 || !is_integer(labels.dtype()))
    throw Error(ErrorKind::file, "'{}' holds {} values of shape {}, but labels are integers of shape [N]", labels_path,
                name_of(labels.dtype()), to_string(labels.shape()));
  if (images.shape()[0] != labels.shape()[0])
    throw Error(ErrorKind::file, "'{}' holds {} images, but '{}' holds {} labels", images_path, images.shape()[0], labels_path,
                labels.shape()[0]);
  Dataset result = Dataset::from(std::move(images), std::move(labels));
  if (result.inputs.dtype() == u8) result.divisor = 255.0f;
  int64_t classes = 0;
  for (const int64_t label : result.targets.values<int64_t>()) {
    if (label < 0 || label > 65535) throw Error(ErrorKind::file, "'{}' holds the label {}; labels are 0 .. 65535", labels_path, label);
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
    if (paths[i].empty()) missing += fmt::format("{}'{}' or '{}.gz'", missing.empty() ? "" : " and ", name, name);
  }
  if (!missing.empty()) throw Error("no such data set: looked for {} in '{}'", missing, directory);

  Dataset result = read_idx_pair(paths[0], paths[1]);
  if (result.inputs.dtype() != u8 || result.inputs.shape().rank() != 3)
    throw Error(ErrorKind::file, "'{}' holds {} values of shape {}, but images are u8 of shape [N, height, width]", paths[0],
                name_of(result.inputs.dtype()), to_string(result.inputs.shape()));
  result.inputs = with_channel_axis(result.inputs);
  const fs::path normal = fs::path(directory).lexically_normal();
  result.name = (normal.has_filename() ? normal : normal.parent_path()).filename().string();
  return result;
}

}  // namespace weft
