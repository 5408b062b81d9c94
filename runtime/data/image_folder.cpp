#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "weft/runtime/data/image.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> read_endings = {".png", ".jpg", ".jpeg"};
const std::vector<std::string> other_endings = {".ppm", ".bmp", ".pgm", ".tif", ".tiff", ".webp"};  // that ImageFolder reads besides

bool ends_so(const fs::path& path, const std::vector<std::string>& endings) {
  std::string ending = path.extension().string();
  for (char& c : ending) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return std::find(endings.begin(), endings.end(), ending) != endings.end();
}

/// What is in a folder, sorted by name.
std::vector<fs::path> sorted(const fs::path& folder) {
  std::vector<fs::path> all;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) all.push_back(at->path());
  if (error) throw Error(ErrorKind::file, "cannot read the folder '{}': {}", folder.string(), error.message());
  std::sort(all.begin(), all.end());
  return all;
}

bool is_folder(const fs::path& path) {
  std::error_code ignored;
  return fs::is_directory(path, ignored);
}

/// A folder and all below it. `depth` ends a circle of links.
void find_folders(const fs::path& folder, std::vector<std::string>& to, int depth = 0) {
  if (depth > 32) throw Error(ErrorKind::file, "the folders in '{}' do not end; is a link among them that leads back?", folder.string());
  to.push_back(folder.string());
  for (const fs::path& path : sorted(folder))
    if (is_folder(path)) find_folders(path, to, depth + 1);
}

/// The pictures of a class, in ImageFolder's order.
void find_images(const fs::path& folder, std::vector<std::string>& to) {
  std::vector<std::string> folders;
  find_folders(folder, folders);
  std::sort(folders.begin(), folders.end());
  for (const std::string& each : folders)
    for (const fs::path& path : sorted(each)) {
      if (is_folder(path)) continue;
      if (ends_so(path, read_endings)) to.push_back(path.string());
      else if (ends_so(path, other_endings))
        throw Error(ErrorKind::file, "'{}' is a picture of a format that is not read", path.string()).hint("make it PNG or JPEG");
    }
}

class ImageSource final : public ExampleSource {
 public:
  ImageSource(std::vector<std::string> paths, std::vector<int64_t> labels, ImageMode mode)
      : paths_(std::move(paths)), labels_(std::move(labels)), mode_(mode), first_(read_image(paths_[0], mode).shape()) {}

  int64_t size() const override { return std::ssize(paths_); }
  std::vector<SourceColumn> columns() const override {
    return {{.name = "x", .dtype = u8, .shape = first_, .form = SourceColumn::Form::varies}, {.name = "y", .dtype = i64}};
  }
  void read(Example& to) const override {
    const auto i = static_cast<size_t>(to.index());
    const Array image = read_image(paths_[i], mode_);
    std::ranges::copy(image.values<uint8_t>(), to.values<uint8_t>("x", image.shape()).begin());
    to.values<int64_t>("y")[0] = labels_[i];
  }
  std::string describe(int64_t example) const override { return fmt::format("'{}'", paths_[static_cast<size_t>(example)]); }

 private:
  std::vector<std::string> paths_;
  std::vector<int64_t> labels_;
  ImageMode mode_;
  Shape first_;
};

}  // namespace

Dataset image_folder(const std::string& root, ImageMode mode) {
  std::vector<std::string> classes, empty, paths;
  std::vector<int64_t> labels;
  for (const fs::path& folder : sorted(root)) {
    if (!is_folder(folder)) continue;
    const size_t before = paths.size();
    find_images(folder, paths);
    if (paths.size() == before) empty.push_back(folder.filename().string());
    labels.resize(paths.size(), std::ssize(classes));
    classes.push_back(folder.filename().string());
  }
  if (classes.empty()) throw Error(ErrorKind::file, "'{}' has no folders, each of which would be a class", root);
  if (!empty.empty())
    throw Error(ErrorKind::file, "'{}' has no pictures of the class{} '{}'", root, empty.size() > 1 ? "es" : "", fmt::join(empty, "', '"));
  Dataset result{.divisor = 255};
  result.source = std::make_shared<ImageSource>(std::move(paths), std::move(labels), mode);
  result.class_names = std::move(classes);
  result.name = root;
  return result;
}

}  // namespace weft
