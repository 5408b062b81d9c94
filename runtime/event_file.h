#pragma once
// Numbers for TensorBoard (https://www.tensorflow.org/tensorboard): its event files, each a TFRecord file of Event messages
// (tensorflow/core/util/event.proto), with summaries: scalars and histograms.

#include <cstdint>
#include <fstream>
#include <string>
#include <string_view>

#include "weft/runtime/value_statistics.h"

namespace weft {

class EventFile {
 public:
  /// Makes a new file in `directory`, which is made if there is none, beside those that are there: each is a part of the
  /// same run. Throws weft::Error naming what cannot be made.
  explicit EventFile(const std::string& directory);

  /// Adds a point of the curve `tag` ("loss/train"): f32, as TensorBoard keeps it. Seconds since 1970 say when.
  void add_scalar(std::string_view tag, double value, int64_t step);
  void add_scalar(std::string_view tag, double value, int64_t step, double seconds);
  /// Adds how elements are distributed; nothing where none is finite.
  void add_histogram(std::string_view tag, const ValueHistogram& histogram, int64_t step);
  /// Lets readers see what was added. Throws weft::Error naming the file when it cannot be written.
  void flush();

  const std::string& path() const { return path_; }

 private:
  void write(std::string_view event);

  std::string path_;
  std::ofstream file_;
};

namespace detail {
/// CRC-32C (Castagnoli; RFC 3720, appendix B.4).
uint32_t crc32c(std::string_view bytes);
}  // namespace detail

}  // namespace weft
