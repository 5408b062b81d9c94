#pragma once
// Numbers about training, for a file and for a reader.

#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace weft {

using MetricValue = std::variant<double, int64_t, std::string>;

/// Writes JSON lines (https://jsonlines.org): one object for each write(), its keys in the given order.
class MetricsFile {
 public:
  /// Appends to `path`, which is made if there is none; a line that a crash left unfinished is ended first.
  /// Throws weft::Error naming the file when it cannot be opened.
  explicit MetricsFile(const std::string& path);

  /// Appends one line and flushes it. Doubles are written in shortest round-trip form; JSON has no inf and
  /// nan, so these become the strings "inf", "-inf" and "nan". Throws weft::Error naming the file when it
  /// cannot be written or a key is given twice.
  void write(const std::vector<std::pair<std::string, MetricValue>>& values);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  std::string path_;
  std::unique_ptr<std::FILE, Close> file_;
};

/// The middle value, or the mean of the two in the middle; NaN if there is a NaN. Throws weft::Error without
/// values.
double median(std::vector<double> values);

}  // namespace weft
