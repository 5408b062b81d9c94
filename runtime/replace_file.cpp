#include "weft/runtime/replace_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include "weft/support/error.h"

namespace weft {
namespace {

/// A name beside `path` that no other process and no other call takes.
std::string name_beside(const std::string& path) {
  static std::atomic<unsigned> counter = 0;
  return fmt::format("{}.{}-{}.partial", path, getpid(), counter++);
}

/// A renamed file is found after a power failure once its directory is on the disk too.
bool flush_directory_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  const int directory = open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return false;
  const bool done = fsync(directory) == 0 || errno == EINVAL;  // EINVAL: a file system that knows no such thing
  const int reason = errno;
  close(directory);
  errno = reason;
  return done;
}

}  // namespace

FileReplacement::FileReplacement(std::string path)
    : path_(std::move(path)), partial_(name_beside(path_)), file_(open(partial_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666)) {
  if (file_ < 0) throw Error("cannot write '{}': {}", path_, std::strerror(errno));
}

FileReplacement::~FileReplacement() {
  if (file_ >= 0) close(file_);
  if (!partial_.empty()) unlink(partial_.c_str());
}

void FileReplacement::write(const void* data, size_t bytes) {
  const auto* from = static_cast<const std::byte*>(data);
  while (bytes > 0) {
    const ssize_t written = ::write(file_, from, bytes);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) fail();
    from += written;
    bytes -= static_cast<size_t>(written);
  }
}

void FileReplacement::commit() {
  if (fsync(file_) != 0) fail();
  const int file = std::exchange(file_, -1);
  if (close(file) != 0) fail();
  if (std::rename(partial_.c_str(), path_.c_str()) != 0) fail();
  partial_.clear();
  if (!flush_directory_of(path_)) fail();
}

void FileReplacement::fail() const { throw Error("cannot write '{}': {}", path_, std::strerror(errno)); }

void replace_by_link(const std::string& of, const std::string& path) {
  const std::string partial = name_beside(path);
  const bool done = link(of.c_str(), partial.c_str()) == 0 && std::rename(partial.c_str(), path.c_str()) == 0;
  const int reason = errno;
  unlink(partial.c_str());  // rename leaves it where both names were of one file already
  if (!done) throw Error("cannot make '{}' a second name of '{}': {}", path, of, std::strerror(reason));
}

}  // namespace weft
