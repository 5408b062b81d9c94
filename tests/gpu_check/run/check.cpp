#include "weft/tests/gpu_check/run/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "weft/runtime/safetensors.h"
#include "weft/support/error.h"
#include "weft/tests/gpu_check/run/compare.h"
#include "weft/tests/gpu_check/run/timing.h"

namespace weft::gpu_check {
namespace {

/// A function is called so often: launched, launched, captured as a graph in either slot, replayed.
constexpr int repetitions = 5;

class OneCheck {
 public:
  OneCheck(const Check& check, const Options& options) : check_(check), stem_(options.folder + "/" + check.file), device_(options.device) {}

  /// What is wrong, or "": as the program runs on this machine, and where a library runs a part of it, by weft's kernels alone.
  std::string run() {
    DeviceStep program(stem_ + ".weftprog", device_);
    by_library_ = program.uses_libraries();
    const std::string wrong = run(program);
    if (!by_library_) return wrong;
    if (!wrong.empty()) return "with libraries: " + wrong;
    DeviceStep by_kernels(stem_ + ".weftprog", device_, false);
    return run(by_kernels);
  }
  bool by_library() const { return by_library_; }

 private:
  std::string run(DeviceStep& program) const {
    const SafeTensors data = read_safetensors(stem_ + ".safetensors");
    if (const std::string start = stem_ + ".start.safetensors"; std::filesystem::exists(start)) program.step().load(start);
    const int calls = check_.calls == 1 ? repetitions : check_.calls;
    for (int n = 0; n < calls; ++n) {
      const std::string call = std::to_string(check_.calls == 1 ? 0 : n);
      feed(program.step(), data, call + "/in/");
      if (const std::string wrong = compare(program.step(), data, call); !wrong.empty()) return fmt::format("call {}: {}", n, wrong);
    }
    return "";
  }

  static const Array& tensor(const SafeTensors& data, const std::string& name) {
    const auto found = data.tensors.find(name);
    if (found == data.tensors.end()) throw Error(ErrorKind::file, "the data have no '{}'", name);
    return found->second;
  }

  /// What the program keeps from call to call begins anew with each; the rest is fed.
  static void feed(SavedStep& step, const SafeTensors& data, const std::string& prefix) {
    std::vector<Feed> feeds;
    const std::vector<std::string> kept = step.tensors();
    for (auto at = data.tensors.lower_bound(prefix); at != data.tensors.end() && at->first.starts_with(prefix); ++at) {
      const std::string_view name = std::string_view(at->first).substr(prefix.size());
      if (std::find(kept.begin(), kept.end(), name) != kept.end()) step.tensor(name) = at->second;
      else feeds.push_back({name, at->second});
    }
    step.run(feeds);
  }

  std::string compare(SavedStep& step, const SafeTensors& data, const std::string& call) const {
    if (check_.bounds.empty()) throw Error(ErrorKind::file, "nothing is wanted of it");
    for (const Bound& bound : check_.bounds) {
      const auto any = data.tensors.find(call + "/any/" + bound.output);
      const std::string wrong = difference(step.output(bound.output), tensor(data, call + "/want/" + bound.output),
                                           any == data.tensors.end() ? nullptr : &any->second, bound);
      if (!wrong.empty()) return fmt::format("output '{}': {}", bound.output, wrong);
    }
    return "";
  }

  const Check& check_;
  std::string stem_;
  int device_;
  bool by_library_ = false;
};

struct Tally {
  int passed = 0, failed = 0, left = 0, by_library = 0;
  nlohmann::json results = nlohmann::json::array();

  void run(const Check& check, const Options& options) {
    const auto begun = Clock::now();
    OneCheck one(check, options);
    std::string wrong;
    try {
      wrong = one.run();
    } catch (const std::exception& e) {
      wrong = e.what();
    }
    by_library += one.by_library();
    add(check, wrong, seconds_since(begun));
  }

 private:
  void add(const Check& check, const std::string& wrong, double seconds) {
    ++(wrong.empty() ? passed : failed);
    if (!wrong.empty()) fmt::print("FAILED {} ({}): {}\n", check.name, check.file, wrong);
    results.push_back({{"name", check.name}, {"seconds", seconds}, {"wrong", wrong}});
  }
};

void write_report(const Options& options, const std::string& device, const Manifest& manifest, const Tally& tally) {
  if (options.out.empty()) return;
  std::filesystem::create_directories(options.out);
  const std::string path = options.out + "/check.json";
  std::ofstream out(path);
  const nlohmann::json report = {{"device", device},       {"weft", manifest.version}, {"arch", manifest.arch},
                                 {"passed", tally.passed}, {"failed", tally.failed},   {"by_library", tally.by_library},
                                 {"not_run", tally.left},  {"checks", tally.results}};
  if (!(out << report.dump(1) << "\n" << std::flush)) throw Error(ErrorKind::file, "'{}' cannot be written", path);
}

}  // namespace

int check(const Options& options) {
  const auto start = Clock::now();
  const Manifest manifest = read_manifest(options.folder);
  const auto context = cuda::Context::of(options.device);
  const std::string device = describe(context->description());
  fmt::print("{}; weft {}, code for {} and newer\n", device, manifest.version, manifest.arch);
  Tally tally;
  for (const Check& one : manifest.checks) {
    if (one.name.find(options.only) == std::string::npos) continue;
    if (seconds_since(start) > options.seconds) {
      ++tally.left;
      continue;
    }
    tally.run(one, options);
    std::fflush(stdout);
  }
  write_report(options, device, manifest, tally);
  if (tally.passed + tally.failed == 0) fmt::print("no check ran{}\n", tally.left > 0 || options.only.empty() ? "" : ": none is called so");
  if (tally.left > 0) fmt::print("{} checks were not run: {} s were over\n", tally.left, options.seconds);
  if (tally.by_library > 0) fmt::print("{} checks ran with NVIDIA's libraries, and again by weft's kernels alone\n", tally.by_library);
  else
    fmt::print(
        "no check ran with NVIDIA's libraries: they are not installed here, WEFT_CUBLASLT and WEFT_CUDNN say none, or these have no "
        "products or convolutions\n");
  fmt::print("{} passed, {} failed\n", tally.passed, tally.failed);
  return tally.failed == 0 && tally.passed > 0 ? 0 : 1;
}

}  // namespace weft::gpu_check
