#pragma once
// Files as they are read: what every reader looks at first, and the reasons why it cannot go on.

#include <cstdint>
#include <string>

namespace weft {

/// An ordinary file, open.
class InputFile {
 public:
  /// Throws weft::Error naming the path where it is a folder, no ordinary file or not there, and when it may not be read.
  explicit InputFile(std::string path);
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;
  ~InputFile();

  const std::string& path() const { return path_; }
  /// In bytes, when it was opened.
  uint64_t size() const { return size_; }
  /// The `count` bytes from byte `from`. Throws weft::Error where they cannot be read or are there no longer.
  void read(uint64_t from, void* to, uint64_t count) const;

 private:
  std::string path_;
  int file_ = -1;
  uint64_t size_ = 0;
};

/// All that is in a file, a pipe or a device. Throws weft::Error naming the path where it is a folder or cannot be read.
std::string read_all(const std::string& path);

}  // namespace weft
