#include "weft/runtime/metrics.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "weft/support/error.h"

namespace weft {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const MetricValue& value) {
  if (const double* number = std::get_if<double>(&value)) {
    if (std::isnan(*number)) return "nan";
    if (std::isinf(*number)) return *number > 0 ? "inf" : "-inf";
    return *number;
  }
  if (const int64_t* number = std::get_if<int64_t>(&value)) return *number;
  return std::get<std::string>(value);
}

bool ends_within_line(std::FILE* file) { return std::fseek(file, -1, SEEK_END) == 0 && std::fgetc(file) != '\n'; }

}  // namespace

MetricsFile::MetricsFile(const std::string& path) : path_(path), file_(std::fopen(path.c_str(), "a+b")) {
  if (!file_) throw Error(ErrorKind::file, "cannot write metrics to '{}': {}", path, std::strerror(errno));
  const bool unfinished = ends_within_line(file_.get());
  std::fseek(file_.get(), 0, SEEK_END);
  if (unfinished) std::fputc('\n', file_.get());
}

void MetricsFile::write(const std::vector<std::pair<std::string, MetricValue>>& values) {
  Json object = Json::object();
  for (const auto& [key, value] : values) {
    if (object.contains(key)) throw Error(ErrorKind::file, "cannot write metrics to '{}': '{}' is given twice", path_, key);
    object[key] = to_json(value);
  }
  // Text that is not UTF-8 (a path, say) is no reason to stop training.
  const std::string line = object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size() || std::fflush(file_.get()) != 0)
    throw Error(ErrorKind::file, "cannot write metrics to '{}': {}", path_, std::strerror(errno));
}

double median(std::vector<double> values) {
  if (values.empty()) throw Error("the median of no values");
  if (std::any_of(values.begin(), values.end(), [](double v) { return std::isnan(v); })) return std::numeric_limits<double>::quiet_NaN();
  const auto middle = values.begin() + std::ssize(values) / 2;
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return std::midpoint(*std::max_element(values.begin(), middle), *middle);
}

}  // namespace weft
