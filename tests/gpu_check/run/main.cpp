// weft_gpu_check: the programs of a bundle on a GPU, with the driver alone. See docs/gpu_check.md.

#include <fmt/format.h>

#include "weft/support/error.h"
#include "weft/tests/gpu_check/bundle/manifest.h"
#include "weft/tests/gpu_check/run/bench.h"
#include "weft/tests/gpu_check/run/check.h"

using namespace weft;

namespace {

int list(const gpu_check::Options& options) {
  const gpu_check::Manifest manifest = gpu_check::read_manifest(options.folder);
  for (const gpu_check::Check& check : manifest.checks) fmt::print("check  {}\n", check.name);
  for (const gpu_check::Measured& measured : manifest.measured) fmt::print("bench  {}\n", measured.name);
  return 0;
}

}  // namespace

int main(int count, char** arguments) try {
  const gpu_check::Options options = gpu_check::options_of(count, arguments);
  if (options.mode == "list") return list(options);
  if (options.mode == "bench") return gpu_check::bench(options);
  if (options.mode == "serve") return gpu_check::serve(options);
  return gpu_check::check(options);
} catch (const std::exception& e) {
  std::fflush(stdout);
  fmt::print(stderr, "weft_gpu_check: {}\n", e.what());
  return 2;
}
