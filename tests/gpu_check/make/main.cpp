// gpu_bundle FOLDER [--small] [--only TEXT] [--arch sm_80]: makes what weft_gpu_check runs.

#include <fmt/format.h>

#include "weft/support/error.h"
#include "weft/tests/gpu_check/make/maker.h"

using namespace weft;

namespace {

gpu_check::Maker::Options options_of(int count, char** arguments) {
  gpu_check::Maker::Options options;
  for (int i = 1; i < count; ++i) {
    const std::string word = arguments[i];
    const auto value = [&] {
      if (++i >= count) throw Error("{} needs a value", word);
      return std::string(arguments[i]);
    };
    if (word == "--small") options.small = true;
    else if (word == "--only") options.only = value();
    else if (word == "--arch") options.arch = value();
    else if (word.starts_with("-") || !options.folder.empty())
      throw Error("usage: gpu_bundle FOLDER [--small] [--only TEXT] [--arch sm_80]");
    else options.folder = word;
  }
  if (options.folder.empty()) throw Error("a folder is needed");
  return options;
}

}  // namespace

int main(int count, char** arguments) try {
  gpu_check::Maker maker(options_of(count, arguments));
  gpu_check::add_functions(maker);
  gpu_check::add_trainings(maker);
  gpu_check::add_table(maker);
  gpu_check::add_steps(maker);
  maker.finish();
  fmt::print("{} checks, {} programs to measure\n", maker.manifest().checks.size(), maker.manifest().measured.size());
  return maker.manifest().checks.empty() && maker.manifest().measured.empty() ? 1 : 0;
} catch (const std::exception& e) {
  fmt::print(stderr, "gpu_bundle: {}\n", e.what());
  return 2;
}
