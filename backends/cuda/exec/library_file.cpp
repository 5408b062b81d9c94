#include "weft/backends/cuda/exec/library_file.h"

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "weft/support/error.h"

namespace weft::cuda {
namespace {

namespace fs = std::filesystem;

std::string variable(const char* name) {
  const char* set = std::getenv(name);
  return set ? set : "";
}

/// The folders of `parent` whose names begin so, the greatest name first: newer versions before older ones.
std::vector<fs::path> folders_in(const fs::path& parent, std::string_view start) {
  std::vector<fs::path> all;
  std::error_code ignored;
  for (fs::directory_iterator at(parent, ignored), end; at != end; at.increment(ignored))
    if (at->path().filename().string().starts_with(start)) all.push_back(at->path());
  std::sort(all.rbegin(), all.rend());
  return all;
}

/// Those of an installed Python: PREFIX/lib/python3.N/site-packages, or Debian's dist-packages.
void add_packages(std::vector<fs::path>& all, const fs::path& prefix) {
  for (const fs::path& python : folders_in(prefix / "lib", "python3"))
    for (const char* packages : {"site-packages", "dist-packages"}) all.push_back(python / packages);
}

std::vector<fs::path> python_packages() {
  std::vector<fs::path> all;
  for (const char* name : {"VIRTUAL_ENV", "CONDA_PREFIX"})
    if (const std::string prefix = variable(name); !prefix.empty()) add_packages(all, prefix);
  if (const std::string home = variable("HOME"); !home.empty()) add_packages(all, fs::path(home) / ".local");
  add_packages(all, "/usr/local");
  add_packages(all, "/usr");
  return all;
}

/// The folders of CUDA toolkits, then of Python's packages, that are there.
std::vector<std::string> library_folders(const std::vector<std::string>& packages) {
  std::vector<fs::path> all;
  for (const char* name : {"CUDA_HOME", "CUDA_PATH"})
    if (const std::string toolkit = variable(name); !toolkit.empty()) all.push_back(fs::path(toolkit) / "lib64");
  if (const std::string conda = variable("CONDA_PREFIX"); !conda.empty()) all.push_back(fs::path(conda) / "lib");
  std::vector<fs::path> toolkits = folders_in("/usr/local", "cuda");
  toolkits.emplace_back("/opt/cuda");
  for (const fs::path& toolkit : toolkits)
    for (const char* folder : {"lib64", "lib"}) all.push_back(toolkit / folder);
  for (const fs::path& python : python_packages())
    for (const std::string& package : packages) all.push_back(python / package);
  std::vector<std::string> there;
  std::error_code ignored;
  for (const fs::path& folder : all)
    if (fs::is_directory(folder, ignored)) there.push_back(folder.string());
  return there;
}

}  // namespace

LibraryFile open_library(const LibraryNames& names) {
  LibraryFile found;
  const auto opens = [&](const std::string& file) {
    found.handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
    found.file = file;
    return found.handle != nullptr;
  };
  const std::string wanted = variable(names.variable);
  if (wanted == "none") return {.why = fmt::format("{} says none", names.variable)};
  if (!wanted.empty()) {
    if (opens(wanted)) return found;
    throw Error(ErrorKind::device, "{} names no library: {}", names.variable, dlerror()).hint("'none' does without");
  }
  std::vector<std::string> files = names.files;
  for (const std::string& folder : library_folders(names.packages))
    for (const std::string& file : names.files) files.push_back(folder + "/" + file);
  std::string first_problem;
  for (const std::string& file : files) {
    if (opens(file)) return found;
    if (first_problem.empty()) first_problem = dlerror();
  }
  return {.why = first_problem};
}

}  // namespace weft::cuda
