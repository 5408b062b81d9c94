#pragma once
// Files that a test makes, and the real data that some tests read where it is present.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

namespace weft::test {

/// A new directory, removed with everything in it at the end of the test.
class TempDir {
 public:
  TempDir() {
    std::string pattern = (std::filesystem::temp_directory_path() / "weft-test-XXXXXX").string();
    path_ = mkdtemp(pattern.data());
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  std::string path() const { return path_.string(); }
  std::string operator/(std::string_view name) const { return (path_ / name).string(); }
  /// Returns the path of the new file.
  std::string write(std::string_view name, std::string_view content) const {
    std::ofstream(path_ / name, std::ios::binary) << content;
    return *this / name;
  }

 private:
  std::filesystem::path path_;
};

inline std::string read_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

/// The directory `name` of the real data sets: in $WEFT_DATA, or in shared/data beside the source tree.
inline std::optional<std::string> data_directory(std::string_view name) {
  const char* const given = std::getenv("WEFT_DATA");
  const std::filesystem::path root = given ? given : WEFT_SOURCE_DIR "/../shared/data";
  std::error_code ignored;
  if (!std::filesystem::is_directory(root / name, ignored)) return std::nullopt;
  return (root / name).string();
}

}  // namespace weft::test
