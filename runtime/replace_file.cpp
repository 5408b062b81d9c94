#include "weft/runtime/replace_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>
#include <vector>

#include "weft/support/error.h"
#include "weft/support/input_file.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view partial_ending = ".partial";

/// A name beside `path` that no other call takes, nor another process but one with the same number, in another container.
std::string name_beside(const std::string& path) {
  static std::atomic<unsigned> counter = 0;
  return fmt::format("{}.{}-{}{}", path, getpid(), counter++, partial_ending);
}

/// Whether name_beside() makes such a name for a file called `of`.
bool is_partial_of(std::string_view name, std::string_view of) {
  if (!name.starts_with(of) || !name.ends_with(partial_ending) || name.size() <= of.size() + partial_ending.size()) return false;
  std::string_view middle = name.substr(of.size(), name.size() - of.size() - partial_ending.size());
  const size_t dash = middle.find('-');
  if (!middle.starts_with('.') || dash == std::string_view::npos) return false;
  const auto is_number = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  };
  return is_number(middle.substr(1, dash - 1)) && is_number(middle.substr(dash + 1));
}

std::string folder_of(const std::string& path) {
  const std::string parent = fs::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

/// A renamed file is found after a power failure once its directory is on the disk too.
bool flush_directory_of(const std::string& path) {
  const int directory = open(folder_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return false;
  const bool done = fsync(directory) == 0 || errno == EINVAL;  // EINVAL: a file system that knows no such thing
  const int reason = errno;
  close(directory);
  errno = reason;
  return done;
}

/// The lock of an open file; waits for it if `wait`.
bool take_lock(int file, bool wait) {
  int result;
  do result = flock(file, LOCK_EX | (wait ? 0 : LOCK_NB));
  while (result != 0 && errno == EINTR);
  return result == 0;
}

bool has_no_name(int file) {
  struct stat about{};
  return fstat(file, &about) == 0 && about.st_nlink == 0;
}

/// Removes the file unless a living process has its lock.
void remove_if_abandoned(const std::string& partial) {
  const int file = open(partial.c_str(), O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return;
  struct stat about{};
  if (fstat(file, &about) == 0 && S_ISREG(about.st_mode) && take_lock(file, false)) unlink(partial.c_str());
  close(file);
}

/// What killed processes left beside `path`.
void remove_abandoned(const std::string& path) {
  const std::string name = fs::path(path).filename().string();
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder_of(path), error), end; !error && entry != end; entry.increment(error))
    if (is_partial_of(entry->path().filename().string(), name)) found.push_back(entry->path().string());
  for (const std::string& partial : found) remove_if_abandoned(partial);
}

/// A new, locked file beside `path`, and its name; -1, and errno, where none can be made.
int open_beside(const std::string& path, std::string& partial) {
  for (;;) {
    partial = name_beside(path);
    const int file = open(partial.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0 && errno == EEXIST) continue;
    if (file < 0) return file;
    take_lock(file, true);
    if (!has_no_name(file)) return file;
    close(file);  // between open and flock someone took it for an abandoned one
  }
}

/// Throws weft::Error where a file cannot stand; otherwise the permissions of the one that is there, or -1.
int check_place(const std::string& path, const std::string& target) {
  struct stat about{};
  if (stat(target.c_str(), &about) != 0) return -1;
  if (S_ISDIR(about.st_mode)) throw Error(ErrorKind::file, "cannot write '{}': it is a folder, not a file", path);
  if (!S_ISREG(about.st_mode)) throw Error(ErrorKind::file, "cannot write '{}': it is no ordinary file", path);
  return static_cast<int>(about.st_mode & 07777);
}

void copy_file(const std::string& from, const std::string& to) {
  const InputFile file(from);
  FileReplacement copy(to);
  std::vector<std::byte> part(1 << 20);
  for (uint64_t at = 0; at < file.size(); at += part.size()) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(part.size(), file.size() - at));
    file.read(at, part.data(), count);
    copy.write(part.data(), count);
  }
  copy.commit();
}

}  // namespace

std::string link_target(const std::string& path) {
  fs::path at = path;
  for (int links = 0; links < 40; ++links) {
    std::error_code error;
    const fs::path to = fs::read_symlink(at, error);
    if (error) return at.string();  // no link, or nothing
    at = to.is_absolute() ? to : at.parent_path() / to;
  }
  throw Error(ErrorKind::file, "cannot write '{}': {}", path, std::strerror(ELOOP));
}

FileReplacement::FileReplacement(std::string path) : path_(std::move(path)), target_(link_target(path_)) {
  const int mode = check_place(path_, target_);
  remove_abandoned(target_);
  file_ = open_beside(target_, partial_);
  if (file_ < 0) {
    partial_.clear();
    fail();
  }
  if (mode >= 0) static_cast<void>(!fchmod(file_, static_cast<mode_t>(mode)));  // where it may not be, the new file's are good too
}

FileReplacement::~FileReplacement() {
  if (!partial_.empty()) unlink(partial_.c_str());
  if (file_ >= 0) close(file_);
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
  // Not closed before: with the lock gone, someone may take the new file for an abandoned one.
  if (std::rename(partial_.c_str(), target_.c_str()) != 0) fail();
  partial_.clear();
  const int file = std::exchange(file_, -1);
  if (close(file) != 0 || !flush_directory_of(target_)) fail();
}

void FileReplacement::fail() const { throw Error(ErrorKind::file, "cannot write '{}': {}", path_, std::strerror(errno)); }

void replace_file(const std::string& path, std::string_view text) {
  FileReplacement file(path);
  file.write(text.data(), text.size());
  file.commit();
}

void replace_by_link(const std::string& of, const std::string& path) {
  const std::string from = link_target(of), to = link_target(path);
  check_place(path, to);
  // Beside `of`, whose next replacement looks for what this leaves when it is killed; locked for that long.
  const std::string partial = name_beside(from);
  const int file = open(from.c_str(), O_RDONLY | O_CLOEXEC);
  if (file >= 0) take_lock(file, true);
  const bool done = file >= 0 && link(from.c_str(), partial.c_str()) == 0 && std::rename(partial.c_str(), to.c_str()) == 0;
  const int reason = errno;
  unlink(partial.c_str());  // rename leaves it where both names were of one file already
  if (file >= 0) close(file);
  if (done) return;
  if (reason == EXDEV || reason == EPERM || reason == EMLINK || reason == EOPNOTSUPP || reason == ENOSYS) return copy_file(from, path);
  throw Error(ErrorKind::file, "cannot make '{}' a second name of '{}': {}", path, of, std::strerror(reason));
}

FileLock::FileLock(const std::string& path) : lock_(link_target(path) + ".lock") {
  for (;;) {
    file_ = open(lock_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
    if (file_ < 0) throw Error(ErrorKind::file, "cannot write '{}': '{}': {}", path, lock_, std::strerror(errno));
    if (!take_lock(file_, false) && errno == EWOULDBLOCK) {
      char process[32] = {};
      const ssize_t got = pread(file_, process, sizeof process - 1, 0);
      close(file_);
      throw Error(ErrorKind::file, "cannot write '{}': {} writes it already, and holds '{}'; give another name", path,
                  got > 0 ? fmt::format("process {}", process) : std::string("another process"), lock_);
    }
    if (!has_no_name(file_)) break;
    close(file_);  // its last owner removed it between open and flock
  }
  const std::string process = fmt::format("{}", getpid());
  if (ftruncate(file_, 0) != 0 || pwrite(file_, process.data(), process.size(), 0) < 0) {
    const int reason = errno;
    close(file_);
    throw Error(ErrorKind::file, "cannot write '{}': '{}': {}", path, lock_, std::strerror(reason));
  }
}

FileLock::~FileLock() {
  unlink(lock_.c_str());
  close(file_);
}

}  // namespace weft
