#include "weft/runtime/data/npz.h"

#include <fmt/ranges.h>
#include <zip.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "weft/runtime/data/npy_header.h"
#include "weft/support/input_file.h"

namespace weft {
namespace {

constexpr uint64_t most_of_a_byte = 1032;  // that deflate makes of one
constexpr uint64_t piece = 1 << 20;

struct Discard {
  void operator()(zip_t* archive) const { zip_discard(archive); }
  void operator()(zip_file_t* member) const { zip_fclose(member); }
};

/// A member as it is read, forward.
class Member {
 public:
  Member(const std::string& path, zip_t* archive, uint64_t index) : archive_(archive), index_(index) {
    zip_stat_init(&about_);
    if (zip_stat_index(archive, index, 0, &about_) != 0) throw Error(ErrorKind::file, "cannot read '{}': {}", path, zip_strerror(archive));
    where_ = fmt::format("'{}', member '{}'", path, without_zeros(name()));
  }

  std::string name() const { return about_.valid & ZIP_STAT_NAME ? about_.name : ""; }

  Array array() {
    const std::vector<std::byte> bytes = uncompressed();
    return detail::read_npy_content(
        {where_, bytes.size(), [&](uint64_t from, void* to, uint64_t count) { std::memcpy(to, bytes.data() + from, count); }});
  }

 private:
  [[noreturn]] void fail(uint64_t offset, const std::string& why) const {
    throw Error(ErrorKind::file, "{}", why).at(fmt::format("{}, byte {}", where_, offset));
  }

  /// Grows with what comes, so that a size that is a lie takes no memory.
  std::vector<std::byte> uncompressed() {
    if (about_.encryption_method != ZIP_EM_NONE) fail(0, "it is encrypted");
    if (about_.comp_method != ZIP_CM_STORE && about_.comp_method != ZIP_CM_DEFLATE)
      fail(0, fmt::format("it is compressed by method {}; stored and deflated members are read", about_.comp_method));
    if (about_.size / most_of_a_byte > about_.comp_size)
      fail(0, fmt::format("{} compressed bytes cannot be {} uncompressed ones", about_.comp_size, about_.size));
    const std::unique_ptr<zip_file_t, Discard> file(zip_fopen_index(archive_, index_, 0));
    if (!file) fail(0, fmt::format("cannot read it: {}", zip_strerror(archive_)));
    std::vector<std::byte> bytes;
    for (;;) {
      const uint64_t done = bytes.size();
      bytes.resize(done + std::min(piece, std::max(about_.size, done) - done + 1));
      const zip_int64_t got = zip_fread(file.get(), bytes.data() + done, bytes.size() - done);
      if (got < 0) fail(done, fmt::format("cannot read on: {}", zip_file_strerror(file.get())));
      bytes.resize(done + static_cast<uint64_t>(got));
      if (got == 0) break;
    }
    return bytes;
  }

  zip_t* archive_;
  uint64_t index_;
  zip_stat_t about_;
  std::string where_;
};

std::unique_ptr<zip_t, Discard> open(const std::string& path) {
  int code = 0;
  std::unique_ptr<zip_t, Discard> archive(zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, &code));
  if (archive) return archive;
  zip_error_t error;
  zip_error_init_with_code(&error, code);
  const std::string why = zip_error_strerror(&error);
  zip_error_fini(&error);
  throw Error(ErrorKind::file, "cannot read '{}': {}", path, why);
}

}  // namespace

const Array& NamedArrays::operator[](std::string_view name) const& {
  std::vector<std::string> names;
  for (const auto& [known, array] : *this) {
    if (known == name) return array;
    names.push_back(known);
  }
  const std::string near = did_you_mean(name, names);
  throw Error("there is no array called '{}'", name).hint(near.empty() ? fmt::format("there are '{}'", fmt::join(names, "', '")) : near);
}

NamedArrays read_npz(const std::string& path) {
  { const InputFile file(path); }  // a folder, a pipe, no file at all
  const auto archive = open(path);
  NamedArrays all;
  for (zip_int64_t i = 0; i < zip_get_num_entries(archive.get(), 0); ++i) {
    Member member(path, archive.get(), static_cast<uint64_t>(i));
    std::string name = member.name();
    if (!name.ends_with(".npy")) throw Error(ErrorKind::file, "'{}' has a member '{}', which is no .npy file", path, without_zeros(name));
    name.resize(name.size() - 4);
    all.emplace_back(std::move(name), member.array());
  }
  return all;
}

}  // namespace weft
