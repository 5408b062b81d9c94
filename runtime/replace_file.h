#pragma once
// Writing a file so that whoever opens its path, also after a crash, finds the old content or the new one, all of it.

#include <cstddef>
#include <string>

namespace weft {

/// Writes into a new file beside `path`; commit() brings it to the disk and then puts it in the place of `path`. What a
/// killed process leaves is a file "<path>.<process>-<number>.partial", which nothing reads.
class FileReplacement {
 public:
  /// Throws weft::Error naming the path when the file beside it cannot be made.
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

  std::string path_, partial_;
  int file_ = -1;
};

/// Lets `path` be another name of the file `of`, which must be in the same file system, in place of what it was before.
/// Throws weft::Error naming both.
void replace_by_link(const std::string& of, const std::string& path);

}  // namespace weft
