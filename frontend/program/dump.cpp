#include "weft/frontend/program/dump.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <map>
#include <mutex>

#include "weft/ir/printer.h"
#include "weft/support/error.h"

namespace weft::detail {
namespace {

namespace fs = std::filesystem;

/// The folder for the next program of this name: name, name.1, name.2, ...
fs::path own_folder(const fs::path& directory, const std::string& name) {
  static std::mutex mutex;
  static std::map<std::string, int> used;
  const fs::path folder = directory / file_name(name);
  const std::lock_guard lock(mutex);
  const int count = used[fs::absolute(folder).lexically_normal().string()]++;
  return count ? fs::path(folder.string() + "." + std::to_string(count)) : folder;
}

void make(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) throw Error("cannot make the folder '{}' to dump into: {}", folder.string(), error.message());
}

void write(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  if (!file.flush()) throw Error("cannot write '{}': {}", path.string(), std::strerror(errno));
}

}  // namespace

std::string file_name(std::string name) {
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c)) && c != '_' && c != '-' && c != '.') c = '_';
  return name.find_first_not_of('.') == std::string::npos ? "graph" : name;
}

Dump::Dump(const std::string& option, const std::string& program) {
  const char* variable = std::getenv("WEFT_DUMP_IR");
  const std::string directory = !option.empty() ? option : variable ? variable : "";
  if (directory.empty()) return;
  folder_ = own_folder(directory, program);
  make(folder_);
}

void Dump::stage(const std::string& stage, const ir::Module& module) {
  if (on()) write(folder_ / fmt::format("{:02}-{}.weft", next_++, stage), ir::print(module));
}

void Dump::kernels(const std::vector<KernelText>& kernels) {
  if (!on() || kernels.empty()) return;
  make(folder_ / "kernels");
  for (const KernelText& kernel : kernels)
    for (const KernelText::Form& form : kernel.forms)
      write(folder_ / "kernels" / fmt::format("{}.{}", file_name(kernel.name), extension_of(form.kind)), form.text);
}

}  // namespace weft::detail
