#include "weft/runtime/data/cifar.h"

#include <fmt/ranges.h>

#include <filesystem>

#include "weft/support/input_file.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr int64_t pixel_bytes = 3 * 32 * 32, record_bytes = 1 + pixel_bytes;
const std::vector<std::string> classes = {"airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"};

/// How many records the file has.
int64_t count_records(const std::string& path) {
  const auto size = static_cast<int64_t>(InputFile(path).size());
  if (size == 0) throw Error(ErrorKind::file, "'{}' is empty", path);
  if (size % record_bytes != 0)
    throw Error(ErrorKind::file, "the file ends within record {}: it has {} bytes, but CIFAR-10 records take {} bytes each",
                size / record_bytes, size, record_bytes)
        .at(fmt::format("'{}', byte {}", path, size));
  return size / record_bytes;
}

/// Appends the file's `count` records at record `first`.
void read_records(const std::string& path, int64_t count, Dataset& to, int64_t first) {
  const InputFile file(path);
  for (int64_t i = 0; i < count; ++i) {
    const auto at = static_cast<uint64_t>(i * record_bytes);
    unsigned char label = 0;
    file.read(at, &label, 1);
    file.read(at + 1, to.inputs.data() + (first + i) * pixel_bytes, pixel_bytes);
    const int64_t index = label;
    if (index >= std::ssize(classes))
      throw Error(ErrorKind::file, "the label is {}, but there are {} classes", index, classes.size())
          .at(fmt::format("'{}', record {} (byte {})", path, i, i * record_bytes));
    to.targets.values<int64_t>()[static_cast<size_t>(first + i)] = index;
  }
}

}  // namespace

Dataset read_cifar10(const std::vector<std::string>& paths) {
  std::vector<int64_t> counts;
  int64_t total = 0;
  for (const std::string& path : paths) total += counts.emplace_back(count_records(path));
  Dataset result{.inputs = Array(u8, {total, 3, 32, 32}), .targets = Array(i64, {total}), .divisor = 255.0f};
  result.class_names = classes;
  result.name = "CIFAR-10";
  int64_t first = 0;
  for (size_t i = 0; i < paths.size(); ++i) {
    read_records(paths[i], counts[i], result, first);
    first += counts[i];
  }
  return result;
}

Dataset load_cifar10_directory(const std::string& directory, bool train) {
  std::vector<std::string> paths, missing;
  for (int i = 1; i <= (train ? 5 : 1); ++i) {
    const std::string name = train ? fmt::format("data_batch_{}.bin", i) : "test_batch.bin";
    paths.push_back((fs::path(directory) / name).string());
    if (std::error_code code; !fs::is_regular_file(paths.back(), code)) missing.push_back(name);
  }
  if (!missing.empty()) throw Error("no CIFAR-10 (binary version) in '{}': there is no {}", directory, fmt::join(missing, ", "));
  return read_cifar10(paths);
}

}  // namespace weft
