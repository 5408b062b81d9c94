// weft machine: what the machine does at most, measured once and kept.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "weft/backends/cpu/exec/machine_speed.h"
#include "weft/frontend/program/target.h"
#include "weft/frontend/report/machine.h"
#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/text.h"
#include "weft/runtime/parallel.h"
#include "weft/support/number_text.h"

namespace weft::tool {
namespace {

struct Options {
  std::string cache;
  bool json = false, again = false;
};

/// A cache of so many bytes, which so many cores share.
struct Cache {
  std::string name;
  int64_t bytes = 0;
  int cores = 1;

  /// Of all that so many threads have.
  int64_t bytes_of(int threads) const { return bytes * ((threads + cores - 1) / cores); }
};

std::string line_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return line;
}

/// How many numbers a list such as "0-3,8" has.
int count_of(const std::string& list) {
  int count = 0;
  std::istringstream ranges(list);
  for (std::string range; std::getline(ranges, range, ',');) {
    const size_t dash = range.find('-');
    const int first = number_in<int>(range.substr(0, dash)).value_or(0);
    count += dash == std::string::npos ? 1 : number_in<int>(range.substr(dash + 1)).value_or(first) - first + 1;
  }
  return std::max(1, count);
}

/// What Linux tells of the first core's, the nearest first; none where it tells nothing.
std::vector<Cache> caches() {
  std::vector<Cache> all;
  for (int i = 0;; ++i) {
    const std::filesystem::path folder = fmt::format("/sys/devices/system/cpu/cpu0/cache/index{}", i);
    const std::string size = line_of(folder / "size");  // "32K"
    if (size.empty()) return all;
    const int64_t bytes = number_in<int64_t>(size.substr(0, size.size() - 1)).value_or(0) * (size.back() == 'M' ? 1 << 20 : 1 << 10);
    if (bytes > 0 && line_of(folder / "type") != "Instruction")
      all.push_back({"L" + line_of(folder / "level"), bytes, count_of(line_of(folder / "shared_cpu_list"))});
  }
}

MachineLimits measured(int threads) {
  fmt::print(stderr, "measuring {} thread{} ...\n", threads, threads == 1 ? "" : "s");
  MachineLimits limits{threads, cpu::peak_gflops(f32, threads), cpu::peak_gflops(f64, threads), cpu::peak_gflops(bf16, threads)};
  int64_t largest = 0;
  for (const Cache& c : caches()) {
    const int64_t bytes = c.bytes_of(threads);
    largest = std::max(largest, bytes);
    limits.memories.push_back({c.name, bytes, cpu::stream_gbs(bytes / 2, threads)});
  }
  const int64_t far = std::clamp<int64_t>(4 * largest, int64_t{64} << 20, int64_t{1} << 30);
  limits.memories.push_back({"memory", 0, cpu::stream_gbs(far, threads)});
  return limits;
}

/// Of one thread, of two, four, eight and so on, and of all.
Machine measured(const std::string& name) {
  Machine machine{name, {}};
  const int most = available_cores();
  for (int threads = 1; threads < most; threads *= 2) machine.limits.push_back(measured(threads));
  machine.limits.push_back(measured(most));
  return machine;
}

void run(const Options& o) {
  const Target target = Target::cpu();
  const std::string name = target.backend().machine();
  std::optional<Machine> machine = o.again ? std::nullopt : detail::read_machine(name, o.cache);
  if (!machine) {
    // What cannot be kept need not be measured.
    if (detail::read_machine(name, o.cache)) try_writing(detail::machine_file(name, o.cache));
    else detail::keep_machine({name, {}}, o.cache);
    machine = measured(name);
    detail::keep_machine(*machine, o.cache);
  }
  fmt::print("{}", o.json ? machine->json() : machine->table());
  if (!o.json) fmt::print("kept in {}\n", detail::machine_file(name, o.cache));
}

}  // namespace

void add_machine(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("machine", "Measure what the machine does at most, once: profiles and reports compare with it");
  c->add_option("--cache", o->cache, "The folder that it is kept in; default: WEFT_CACHE, else the user's cache (~/.cache/weft)")
      ->type_name("DIR");
  c->add_flag("--again", o->again, "Measure it anew");
  c->add_flag("--json", o->json, "As JSON");
  c->footer(
      "Measured are multiplications and additions in registers, by element type, and reading and writing in each cache\n"
      "and in memory, on one core and on more. It takes some seconds, in which nothing else should run. With WEFT_MAX_ISA\n"
      "set, the limits of narrower instructions.\n"
      "Example: weft machine");
  refuse_empty(*c);
  c->callback([o] { run(*o); });
}

}  // namespace weft::tool
