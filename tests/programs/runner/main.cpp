// test_programs [FILE...]: checks tests that are files, by default all of tests/programs; with WEFT_BLESS=1 it first writes what the
// passes give into them. Without a name it is what tests/mutants/run.py runs; ctest runs it once for each file.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "weft/support/error.h"
#include "weft/tests/programs/runner/program_file.h"

using namespace weft;

namespace {

std::vector<std::string> all_files() {
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::directory_iterator(WEFT_SOURCE_DIR "/tests/programs"))
    if (entry.path().extension() == ".weft") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(file), {});
  if (!file) throw Error("{}: cannot read the file", path);
  return text;
}

/// "" if the file's test holds.
std::string check(const std::string& path, bool bless) {
  const std::string name = path.starts_with(WEFT_SOURCE_DIR "/") ? path.substr(sizeof(WEFT_SOURCE_DIR)) : path;
  try {
    std::string text = read(path);
    if (bless) {
      const std::string blessed = testing::blessed_program_file(text, name);
      if (blessed != text && !(std::ofstream(path, std::ios::binary) << blessed << std::flush))
        throw Error("{}: cannot write the file", path);
      text = blessed;
    }
    return testing::check_program_file(text, name);
  } catch (const std::exception& e) {
    return e.what();
  }
}

}  // namespace

int main(int argc, char** argv) {
  const char* bless = std::getenv("WEFT_BLESS");
  const std::vector<std::string> files = argc > 1 ? std::vector<std::string>(argv + 1, argv + argc) : all_files();
  size_t failed = 0;
  for (const std::string& file : files) {
    const std::string wrong = check(file, bless && *bless && std::string(bless) != "0");
    if (wrong.empty()) continue;
    ++failed;
    fmt::print("{}\n", wrong);
  }
  fmt::print("{} of {} as expected\n", files.size() - failed, files.size());
  return files.empty() || failed > 0;
}
