#include "weft/frontend/report/machine.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "weft/frontend/report/json.h"
#include "weft/runtime/replace_file.h"
#include "weft/support/error.h"

namespace weft {

double MachineLimits::gflops(DType dtype) const {
  const double known = dtype == DType::f64 ? f64 : dtype == DType::bf16 ? bf16 : f32;
  return known > 0 ? known : f32;
}

const MachineLimits::Memory& MachineLimits::memory_of(double bytes) const {
  const auto holds = [&](const Memory& m) { return m.bytes == 0 || bytes <= static_cast<double>(m.bytes); };
  return *std::find_if(memories.begin(), memories.end() - 1, holds);
}

double MachineLimits::least_microseconds(double flops, DType dtype, double bytes) const {
  return 1e-3 * std::max(flops / gflops(dtype), bytes / memory_of(bytes).gbs);
}

const MachineLimits& Machine::with(int threads) const {
  return *std::find_if(limits.begin(), limits.end() - 1, [&](const MachineLimits& l) { return l.threads >= threads; });
}

std::string Machine::table() const {
  std::string text = name + "\n\n" + fmt::format("{:>7} {:>9} {:>9} {:>9}", "threads", "f32", "f64", "bf16");
  for (const MachineLimits::Memory& m : limits[0].memories) text += fmt::format(" {:>9}", m.name);
  text += "\n";
  const auto number = [](double n) { return n > 0 ? fmt::format("{:.1f}", n) : std::string("none"); };
  for (const MachineLimits& l : limits) {
    text += fmt::format("{:>7} {:>9} {:>9} {:>9}", l.threads, number(l.f32), number(l.f64), number(l.bf16));
    for (const MachineLimits::Memory& m : l.memories) text += fmt::format(" {:>9.1f}", m.gbs);
    text += "\n";
  }
  return text + "\nTypes in GFLOP/s, memories in GB/s, what is read and what is written counted.\n";
}

namespace detail {
namespace {

namespace fs = std::filesystem;

std::string users_cache() {
  const char *cache = std::getenv("XDG_CACHE_HOME"), *home = std::getenv("HOME");
  if (cache && *cache) return (fs::path(cache) / "weft").string();
  return home && *home ? (fs::path(home) / ".cache" / "weft").string() : "";
}

MachineLimits limits_in(const Json& json) {
  MachineLimits l{json.at("threads"), json.at("f32_gflops"), json.at("f64_gflops"), json.at("bf16_gflops")};
  for (const Json& m : json.at("memories")) l.memories.push_back({m.at("name"), m.at("bytes"), m.at("gbs")});
  const auto speed = [](const MachineLimits::Memory& m) { return m.gbs > 0; };
  if (l.threads < 1 || !(l.f32 > 0) || l.memories.empty() || !std::all_of(l.memories.begin(), l.memories.end(), speed))
    throw Error(ErrorKind::file, "these are no limits");
  return l;
}

}  // namespace

std::string cache_folder(const std::string& option) {
  const char* variable = std::getenv("WEFT_CACHE");
  return !option.empty() ? option : variable ? variable : "";
}

std::string machine_file(const std::string& name, const std::string& cache) {
  std::string folder = cache_folder(cache);
  if (folder.empty()) folder = users_cache();
  if (name.empty() || folder.empty()) return "";
  std::string plain;
  for (const char c : name)
    if (std::isalnum(static_cast<unsigned char>(c))) plain += c;
    else if (!plain.ends_with('_')) plain += '_';
  return (fs::path(folder) / ("machine_" + plain + ".json")).string();
}

std::optional<Machine> read_machine(const std::string& name, const std::string& cache) {
  std::ifstream file(machine_file(name, cache), std::ios::binary);
  if (!file) return std::nullopt;
  try {
    const Json json = Json::parse(file);
    Machine machine{json.at("machine"), {}};
    for (const Json& limits : json.at("limits")) machine.limits.push_back(limits_in(limits));
    if (machine.name == name && !machine.limits.empty()) return machine;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<MachineLimits> read_limits(const std::string& name, int threads, const std::string& cache) {
  const std::optional<Machine> machine = read_machine(name, cache);
  return machine ? std::optional(machine->with(threads)) : std::nullopt;
}

void keep_machine(const Machine& machine, const std::string& cache) {
  const std::string path = machine_file(machine.name, cache);
  if (path.empty()) throw Error("there is no folder to keep it in").hint("set WEFT_CACHE, or HOME");
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  if (error) throw Error(ErrorKind::file, "cannot make the folder '{}': {}", fs::path(path).parent_path().string(), error.message());
  replace_file(path, machine.json());
}

}  // namespace detail
}  // namespace weft
