#include "weft/support/input_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "weft/support/error.h"

namespace weft {
namespace {

[[noreturn]] void fail(const std::string& path, int reason) {
  if (reason == ENOENT) throw Error(ErrorKind::file, "cannot read '{}': there is no such file", path);
  throw Error(ErrorKind::file, "cannot read '{}': {}", path, std::strerror(reason));
}

/// Open, and no folder: the kernel opens these too, and lets nothing be read of them.
int open_file(const std::string& path, int flags, struct stat& about) {
  const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC | flags);
  if (file < 0) fail(path, errno);
  const bool known = fstat(file, &about) == 0;
  const int reason = errno;
  if (known && !S_ISDIR(about.st_mode)) return file;
  close(file);
  if (!known) fail(path, reason);
  throw Error(ErrorKind::file, "cannot read '{}': it is a folder, not a file", path);
}

/// As many bytes as come at once; 0 at the end. From byte `from` if it is not negative, else from where the last one ended.
size_t read_some(const std::string& path, int file, off_t from, void* to, size_t count) {
  for (;;) {
    const ssize_t got = from < 0 ? ::read(file, to, count) : pread(file, to, count, from);
    if (got >= 0) return static_cast<size_t>(got);
    if (errno != EINTR) fail(path, errno);
  }
}

}  // namespace

InputFile::InputFile(std::string path) : path_(std::move(path)) {
  struct stat about{};
  file_ = open_file(path_, O_NONBLOCK, about);  // a pipe without a writer is refused, not waited for
  if (!S_ISREG(about.st_mode)) {
    close(file_);
    throw Error(ErrorKind::file, "cannot read '{}': it is no ordinary file", path_);
  }
  size_ = static_cast<uint64_t>(about.st_size);
}

InputFile::~InputFile() { close(file_); }

void InputFile::read(uint64_t from, void* to, uint64_t count) const {
  auto* bytes = static_cast<char*>(to);
  for (uint64_t done = 0; done < count;) {
    const size_t got = read_some(path_, file_, static_cast<off_t>(from + done), bytes + done, count - done);
    if (got == 0) throw Error(ErrorKind::file, "cannot read '{}': it was cut at byte {} while it was read", path_, from + done);
    done += got;
  }
}

std::string read_all(const std::string& path) {
  struct stat about{};
  const int file = open_file(path, 0, about);
  std::string text;
  try {
    text.resize(std::max<size_t>(static_cast<size_t>(about.st_size) + 1, 1 << 12));
    for (size_t done = 0;;) {
      const size_t got = read_some(path, file, -1, text.data() + done, text.size() - done);
      done += got;
      if (got == 0) {
        text.resize(done);
        break;
      }
      if (done == text.size()) text.resize(2 * text.size());
    }
  } catch (...) {
    close(file);
    throw;
  }
  close(file);
  return text;
}

}  // namespace weft
