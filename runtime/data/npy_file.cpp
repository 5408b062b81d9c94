#include "weft/runtime/data/npy_file.h"

#include <algorithm>

#include "weft/runtime/data/dataset.h"
#include "weft/runtime/data/npy_header.h"

namespace weft {

struct NpyFile::Open {
  explicit Open(const std::string& path)
      : file(path), header(detail::read_npy_header(detail::content_of(file))), dtype(becomes(header.type)) {}

  InputFile file;
  detail::NpyHeader header;
  DType dtype;
};

NpyFile::NpyFile(const std::string& path) : open_(std::make_shared<const Open>(path)) {
  if (open_->header.fortran_order && open_->header.shape.rank() > 1)
    throw Error(ErrorKind::file, "the array is in Fortran order, so that what belongs together does not lie together")
        .at(fmt::format("'{}'", path))
        .hint("store np.ascontiguousarray(a), or read it whole with read_npy()");
}

const std::string& NpyFile::path() const { return open_->file.path(); }
DType NpyFile::dtype() const { return open_->dtype; }
const Shape& NpyFile::shape() const { return open_->header.shape; }

void NpyFile::read(int64_t first, int64_t count, std::byte* to) const {
  const auto& [file, header, dtype] = *open_;
  if (first < 0 || count < 0 || first > header.shape.numel() - count)
    throw Error("'{}' has {} elements, so there are no {} from {} on", path(), header.shape.numel(), count, first);
  const uint64_t size = size_of(header.type), from = header.start + static_cast<uint64_t>(first) * size,
                 bytes = static_cast<uint64_t>(count) * size;
  std::vector<std::byte> room;
  std::byte* as_stored = to;
  if (!is_copied(header.type, header.order)) {
    room.resize(bytes);
    as_stored = room.data();
  }
  file.read(from, as_stored, bytes);
  if (const auto bad = decode(header.type, header.order, {as_stored, bytes}, to))
    detail::content_of(file).fail(from + bad->index * size, "{}", bad->why);
}

Array NpyFile::rows(int64_t first, int64_t count) const {
  if (shape().rank() == 0) throw Error("'{}' is a single number, which has no rows", path());
  Dims dims = shape().dims();
  if (first < 0 || count < 0 || first > dims[0] - count)
    throw Error("'{}' has {} rows, so there are no {} from {} on", path(), dims[0], count, first);
  const int64_t each = dims[0] == 0 ? 0 : shape().numel() / dims[0];
  dims[0] = count;
  Array result(dtype(), Shape(std::move(dims)));
  read(first * each, count * each, result.data());
  return result;
}

namespace {

class NpySource final : public ExampleSource {
 public:
  explicit NpySource(const std::vector<std::pair<std::string, std::string>>& files) {
    for (const auto& [name, path] : files) add(name, NpyFile(path));
    if (files.empty()) throw Error("a source of files needs at least one");
  }

  int64_t size() const override { return parts_[0].file.shape()[0]; }
  std::vector<SourceColumn> columns() const override {
    std::vector<SourceColumn> all;
    for (const Part& p : parts_) all.push_back(p.as);
    return all;
  }

  void read(Example& to) const override {
    for (const Part& p : parts_) {
      const int64_t each = p.as.shape.numel(), first = to.index() * each;
      std::byte* const place = to.bytes(p.as.name).data();
      if (p.as.dtype == p.file.dtype()) {
        p.file.read(first, each, place);
        continue;
      }
      std::vector<std::byte> stored(static_cast<size_t>(each) * size_of(p.file.dtype()));
      p.file.read(first, each, stored.data());
      for (int64_t i = 0; i < each; ++i) store_element(p.as.dtype, place, i, load_element(p.file.dtype(), stored.data(), i));
    }
  }

 private:
  struct Part {
    NpyFile file;
    SourceColumn as;
  };

  void add(const std::string& name, NpyFile file) {
    const Shape shape = file.shape();
    if (shape.rank() == 0) throw Error(ErrorKind::file, "'{}' is a single number, not examples along an axis", file.path());
    if (!parts_.empty() && shape[0] != size())
      throw Error(ErrorKind::shape, "'{}' has {} examples, but '{}' has {}", parts_[0].file.path(), size(), file.path(), shape[0]);
    DType dtype = file.dtype();
    if (name == "x") dtype = Dataset::held_as_input(dtype);
    if (name == "y") dtype = Dataset::held_as_target(dtype);
    parts_.push_back({std::move(file), {.name = name, .dtype = dtype, .shape = Shape(Dims(shape.begin() + 1, shape.end()))}});
  }

  std::vector<Part> parts_;
};

}  // namespace

std::shared_ptr<const ExampleSource> npy_source(const std::vector<std::pair<std::string, std::string>>& files) {
  return std::make_shared<NpySource>(files);
}

}  // namespace weft
