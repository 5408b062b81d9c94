#pragma once
// Writing a file so that whoever opens its path, also after a crash, finds the old content or the new one, all of it.

#include <cstddef>
#include <string>
#include <string_view>

namespace weft {

/// The file that a path names: where it is a symbolic link, what that leads to, which need not be there yet. Throws
/// weft::Error naming the path where links lead round in a circle.
std::string link_target(const std::string& path);

/// Writes into a new file "<file>.<process>-<number>.partial" beside the file that `path` names; commit() brings it to the disk
/// and then puts it in that file's place, with that file's permissions. A symbolic link stays one. What killed processes left
/// of such new files is removed; one that a living process writes is locked (flock), so that it is told apart. Of several who
/// write one path at once each puts a whole file there, the last of them for good.
class FileReplacement {
 public:
  /// Throws weft::Error naming the path where it is a folder or no ordinary file, and when the file beside it cannot be made.
  explicit FileReplacement(std::string path);
  FileReplacement(const FileReplacement&) = delete;
  FileReplacement& operator=(const FileReplacement&) = delete;
  /// Without commit(), the new file is removed and `path` stays as it is.
  ~FileReplacement();

  /// Throws weft::Error naming the path and the reason.
  void write(const void* data, size_t bytes);
  /// The same; nothing may be written afterwards.
  void commit();

 private:
  [[noreturn]] void fail() const;

  std::string path_, target_, partial_;
  int file_ = -1;
};

/// All of it at once. Throws weft::Error as FileReplacement does.
void replace_file(const std::string& path, std::string_view text);

/// Lets `path` be another name of the file `of` in place of what it was before, or a copy of it where it cannot be (another
/// file system, or one without such names). Throws weft::Error naming both.
void replace_by_link(const std::string& of, const std::string& path);

/// The right to write a file for as long as it lives: one at a time, among all processes. It is a lock (flock) on a file
/// "<file>.lock" beside, which is removed at the end; one that a killed process left holds nobody up. Where the file system
/// has no such locks, everybody has the right.
class FileLock {
 public:
  /// Throws weft::Error naming the path and the process when another has it, and when the file beside cannot be made.
  explicit FileLock(const std::string& path);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  std::string lock_;
  int file_ = -1;
};

}  // namespace weft
