#include "weft/frontend/training/checkpoint_files.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <tuple>

#include "weft/support/number_text.h"

namespace weft::detail {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent;
}

void check_folder(const std::string& path) {
  const fs::path folder = folder_of(path);
  std::error_code code;
  if (!fs::is_directory(folder, code)) throw Error("cannot write the checkpoint '{}': there is no folder '{}'", path, folder.string());
  if (::access(folder.c_str(), W_OK) != 0)
    throw Error("cannot write the checkpoint '{}': '{}': {}", path, folder.string(), std::strerror(errno));
}

/// The number in "run.step-200.safetensors", for `path` "run.safetensors".
std::optional<int64_t> step_in(const std::string& name, const fs::path& path) {
  const std::string start = path.stem().string() + ".step-", end = path.extension().string();
  if (!name.starts_with(start) || !name.ends_with(end) || name.size() <= start.size() + end.size()) return std::nullopt;
  return number_in<int64_t>(std::string_view(name).substr(start.size(), name.size() - start.size() - end.size()));
}

}  // namespace

CheckpointFiles::CheckpointFiles(const CheckpointOptions& options)
    : path_(options.path), keep_last_(options.keep_last), keep_best_(options.keep_best) {
  if (path_.empty()) return;
  check_folder(path_);
  lock_.emplace(path_);
  // A file beside can be made, and none is begun.
  FileReplacement probe(path_);
  if (keep_best_) FileReplacement best(beside("best"));
}

/// "run.best.safetensors" for "run.safetensors".
std::string CheckpointFiles::beside(const std::string& what) const {
  const fs::path p(path_);
  return (p.parent_path() / (p.stem().string() + "." + what + p.extension().string())).string();
}

void CheckpointFiles::add(int64_t step) {
  if (keep_last_ <= 0) return;
  std::erase(kept_, step);  // after a resumption the same step may come again
  kept_.push_back(step);
  if (std::ssize(kept_) > keep_last_) kept_.erase(kept_.begin(), kept_.end() - keep_last_);
}

void CheckpointFiles::written(bool is_best) const {
  if (is_best && keep_best_) replace_by_link(path_, beside("best"));
  if (keep_last_ <= 0) return;
  replace_by_link(path_, beside(fmt::format("step-{}", kept_.back())));
  remove_surplus();
}

void CheckpointFiles::remove_surplus() const {
  struct Found {
    int64_t place;  // among this run's, or -1
    fs::file_time_type time;
    int64_t step;
    fs::path path;
  };
  std::vector<Found> all;
  std::error_code error;
  for (fs::directory_iterator entry(folder_of(path_), error), end; !error && entry != end; entry.increment(error)) {
    const auto step = step_in(entry->path().filename().string(), path_);
    std::error_code ignored;
    if (!step || !entry->is_regular_file(ignored)) continue;
    const auto own = std::find(kept_.begin(), kept_.end(), *step);
    all.push_back({own == kept_.end() ? -1 : own - kept_.begin(), entry->last_write_time(ignored), *step, entry->path()});
  }
  if (error) throw Error("cannot read the folder '{}': {}", folder_of(path_).string(), error.message());
  std::sort(all.begin(), all.end(),
            [](const Found& a, const Found& b) { return std::tie(a.place, a.time, a.step) < std::tie(b.place, b.time, b.step); });
  for (size_t i = 0; i + static_cast<size_t>(keep_last_) < all.size(); ++i)
    if (fs::remove(all[i].path, error); error) throw Error("cannot remove '{}': {}", all[i].path.string(), error.message());
}

}  // namespace weft::detail
