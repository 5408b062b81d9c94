// gates CASES GATES: what the training step of each case consists of, beside what GATES says of this instruction set (WEFT_MAX_ISA). With
// WEFT_BLESS=1 in the environment GATES is written anew.
//
//   calls          launches and library calls of a step
//   reorders       of them, kernels that move elements and compute nothing
//   kernel_bytes   read and written by kernels of our own, loops counted as often as they run
//   arena_bytes    of memory that is planned
//   library        does it call a library?
//
// Two cores are assumed, since calls are cut into parts for them. Where a library chooses (layouts, for convolutions; its own memory in the
// arena) what is pinned is a bound, an eighth above what was seen; else it is exact. A step without a library's calls, which may allocate, also has no
// page faults.

#include <fmt/format.h>
#include <sched.h>
#include <sys/resource.h>

#include <cstdlib>
#include <fstream>
#include <iostream>

#include "nets.h"
#include "weft/backends/cpu/exec/isa.h"

using namespace weft;
using benchmark::Json;

namespace {

/// Of two cores, if there are as many.
bool stay_on_two_cores() {
  cpu_set_t all, two;
  CPU_ZERO(&two);
  if (sched_getaffinity(0, sizeof(all), &all) != 0) return false;
  for (int core = 0; core < CPU_SETSIZE && CPU_COUNT(&two) < 2; ++core)
    if (CPU_ISSET(core, &all)) CPU_SET(core, &two);
  return CPU_COUNT(&two) == 2 && sched_setaffinity(0, sizeof(two), &two) == 0;
}

bool has_convolutions(const Json& a_case) {
  if (a_case.at("net") == "resnet") return true;
  if (!a_case.contains("layers") || !a_case["layers"].is_array()) return false;
  for (const Json& layer : a_case["layers"])
    if (layer.get<std::string>().starts_with("conv")) return true;
  return false;
}

struct Data {
  Array x, y;
};

/// Inputs of the case's types, whatever they hold.
Data data_of(const Json& a_case) {
  const int64_t batch = a_case.at("batch");
  if (a_case.contains("tokens")) {
    const int64_t tokens = a_case["tokens"];
    return {Array(i64, {batch, tokens}), Array(i64, {batch * tokens})};
  }
  if (a_case.at("net") == "line") return {Array(f32, {batch}), Array(f32, {batch})};
  Dims shape = a_case.at("input");
  shape.insert(shape.begin(), batch);
  if (a_case.at("loss") == "cross_entropy") return {Array(f32, Shape(shape)), Array(i64, {batch})};
  // As many numbers as the last layer gives.
  const std::string last = a_case.at("layers").back();
  return {Array(f32, Shape(shape)), Array(f32, {batch, std::stoll(last.substr(last.rfind(' ')))})};
}

int64_t page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

Json measured(const Json& a_case, std::vector<std::string>& complaints) {
  const benchmark::Net net = benchmark::net_of(a_case);
  const Data data = data_of(a_case);
  Step step = benchmark::step_of(a_case, net, benchmark::optimizer_of(a_case), {data.x.dtype(), data.x.shape()},
                                 {data.y.dtype(), data.y.shape()}, {.threads = 2});
  const auto run = [&](int steps) {
    for (int i = 0; i < steps; ++i) step({{"x", data.x}, {"y", data.y}});
  };
  run(3);
  int64_t reorders = 0;
  double bytes = 0;
  bool calls_library = false;
  step.start_profile();
  for (const ProfileRow& call : step.profile().calls) {
    const bool is_kernel = call.name.find("weft_k") != std::string::npos;
    calls_library = calls_library || (call.name.find(" by ") != std::string::npos && call.name.find(" by weft:") == std::string::npos);
    if (!is_kernel) continue;
    reorders += call.name.find("_reorder") != std::string::npos;
    bytes += call.bytes;
  }
#ifndef WEFT_SANITIZED
  constexpr int steps = 5, stray = 8;  // faults of the process at all
  const int64_t before = page_faults();
  run(steps);
  if (const int64_t faults = page_faults() - before; faults > stray && !calls_library)
    complaints.push_back(fmt::format("{}: {} page faults in {} steps", a_case.at("name").get<std::string>(), faults, steps));
#endif
  return {{"calls", step.calls().size()},
          {"reorders", reorders},
          {"kernel_bytes", static_cast<int64_t>(bytes)},
          {"arena_bytes", step.arena_bytes()},
          {"library", calls_library}};
}

void compare(const std::string& name, const Json& got, const Json& pinned, bool chooses_layouts, std::vector<std::string>& complaints) {
  for (const auto& [key, value] : got.items()) {
    if (!value.is_number()) continue;
    const int64_t is = value, was = pinned.value(key, int64_t{-1});
    const bool is_bound = chooses_layouts || (key == "arena_bytes" && got["library"]);
    if (is_bound ? is <= was + was / 8 : is == was) continue;
    complaints.push_back(fmt::format("{}: {} are {}, not {}{}", name, key, is, is_bound ? "about " : "", was));
  }
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  const std::string isa(cpu::library_isa());
  if (const char* wanted = std::getenv("WEFT_MAX_ISA"); wanted && isa != wanted) {
    std::cout << "skipped: this machine has no " << wanted << "\n";
    return 0;
  }
  if (!stay_on_two_cores()) {
    std::cout << "skipped: there are no two cores\n";
    return 0;
  }
  const Json cases = Json::parse(std::ifstream(argv[1]));
  Json gates = Json::object();
  if (std::ifstream file(argv[2]); file) gates = Json::parse(file);
  const bool bless = std::getenv("WEFT_BLESS") != nullptr;
  std::vector<std::string> complaints;
  for (const auto& [name, a_case] : cases.items()) {
    if (a_case.contains("like") || a_case.value("slow", false)) continue;
    Json named = a_case;
    named["name"] = name;
    const Json got = measured(named, complaints);
    if (bless) gates[isa][name] = got;
    else compare(name, got, gates.value(isa, Json::object()).value(name, Json::object()), has_convolutions(a_case), complaints);
  }
  if (bless) std::ofstream(argv[2]) << gates.dump(1) << "\n";
  for (const std::string& complaint : complaints) std::cout << complaint << "\n";
  return complaints.empty() ? 0 : 1;
} catch (const std::exception& e) {
  std::cout << e.what() << "\n";
  return 1;
}
