#pragma once
// NumPy's arrays that stay on disk: np.load(path, mmap_mode="r"). Elements are read when somebody wants them, a batch say, straight to
// where they are wanted, so that a set may be larger than memory.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weft/runtime/array.h"
#include "weft/runtime/data/example_source.h"

namespace weft {

/// A .npy file, open for reading; copies share it. Its elements become what those of read_npy() do.
///
/// They are read from the file and not through a mapping: a file that somebody cuts meanwhile is an error then, and not the end of the
/// process, and what the system keeps of it in memory serves both alike.
class NpyFile {
 public:
  /// Reads the header. Throws weft::Error as read_npy() does, but for values that their type does not have, and for an array in Fortran
  /// order, whose rows do not lie together.
  explicit NpyFile(const std::string& path);

  const std::string& path() const;
  DType dtype() const;
  const Shape& shape() const;
  /// `count` elements from number `first` on, in row-major order, into memory with room for them. Any number of threads may read at
  /// once. Throws weft::Error for elements outside the array, naming the byte for a value that its type does not have, and when the
  /// file was cut meanwhile.
  void read(int64_t first, int64_t count, std::byte* to) const;
  /// The entries `first` .. `first + count - 1` of axis 0.
  Array rows(int64_t first, int64_t count) const;

 private:
  struct Open;
  std::shared_ptr<const Open> open_;
};

/// Examples that lie along axis 0 of files, each file under a name. "x" and "y" are converted as Dataset::from does. Throws weft::Error as NpyFile does, for files
/// without an axis and for counts that differ.
///
///   Dataset train{.source = npy_source({{"x", "images.npy"}, {"y", "labels.npy"}}), .divisor = 255};
std::shared_ptr<const ExampleSource> npy_source(const std::vector<std::pair<std::string, std::string>>& files);

}  // namespace weft
