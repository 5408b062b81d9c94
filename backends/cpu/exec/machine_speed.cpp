#include "weft/backends/cpu/exec/machine_speed.h"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <latch>
#include <memory>
#include <new>
#include <thread>
#include <vector>

#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/exec/library.h"
#include "weft/backends/cpu/exec/machine_speed_loops.h"
#include "weft/support/error.h"

namespace weft::cpu {
namespace {

constexpr int runs = 20;
constexpr double operations_of_a_run = 200e6;  // some milliseconds
constexpr int64_t bytes_of_a_run = int64_t{32} << 20, spin_iterations = 4'000'000;
constexpr size_t line = 64;

double milliseconds(auto&& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// Whether no core with a smaller number is a part of the same physical one, as far as Linux tells.
bool is_first_of_siblings(int core) {
  std::ifstream file(fmt::format("/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", core));
  int first = core;
  file >> first;
  return first >= core;
}

/// Those that this process may run on, one of each physical core first.
std::vector<int> usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  sched_getaffinity(0, sizeof set, &set);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  std::stable_partition(cores.begin(), cores.end(), is_first_of_siblings);
  return cores;
}

/// Runs body(thread) on so many cores at once; the milliseconds of the slowest, all having begun together.
template <class Body>
double on_all_cores(int threads, Body body) {
  static const std::vector<int> cores = usable_cores();
  if (threads < 1 || static_cast<size_t>(threads) > cores.size())
    throw Error("{} threads cannot have a core each: the process may use {}", threads, cores.size());
  std::vector<double> times(static_cast<size_t>(threads));
  std::latch together(threads);
  std::vector<std::jthread> team;
  for (int t = 0; t < threads; ++t)
    team.emplace_back([&, t] {
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(cores[static_cast<size_t>(t)], &one);
      sched_setaffinity(0, sizeof one, &one);
      together.arrive_and_wait();
      times[static_cast<size_t>(t)] = milliseconds([&] { body(t); });
    });
  team.clear();
  return *std::max_element(times.begin(), times.end());
}

template <class Body>
double best_milliseconds(int threads, Body body) {
  double best = on_all_cores(threads, body);
  for (int run = 1; run < runs; ++run) best = std::min(best, on_all_cores(threads, body));
  return best;
}

const SpeedLoops& loops() {
  const std::string_view isa = library_isa();
  return isa == "avx512" ? avx512_speed_loops : isa == "avx2" ? avx2_speed_loops : sse4_speed_loops;
}

PeakLoop peak_loop(DType dtype) {
  if (dtype == f32) return loops().f32;
  if (dtype == f64) return loops().f64;
  return dtype == bf16 && has_bf16() ? bf16_peak_loop() : PeakLoop();
}

/// Floats in whole cache lines.
class AlignedFloats {
 public:
  explicit AlignedFloats(size_t count) : memory_(static_cast<float*>(::operator new(count * sizeof(float), std::align_val_t{line}))) {
    std::fill_n(memory_.get(), count, 1.0f);
  }
  float* data() const { return memory_.get(); }

 private:
  struct Free {
    void operator()(float* p) const { ::operator delete(p, std::align_val_t{line}); }
  };
  std::unique_ptr<float, Free> memory_;
};

}  // namespace

double peak_gflops(DType dtype, int threads) {
  const PeakLoop loop = peak_loop(dtype);
  if (!loop.run) return 0;
  const auto rounds = static_cast<int64_t>(operations_of_a_run / static_cast<double>(loop.operations));
  const double best = best_milliseconds(threads, [&](int) { loop.run(rounds); });
  return static_cast<double>(loop.operations * rounds) * threads / best * 1e-6;
}

double stream_gbs(int64_t bytes, int threads) {
  const size_t floats = line / sizeof(float), part = static_cast<size_t>(bytes) / line / static_cast<size_t>(std::max(1, threads)) * floats;
  if (bytes <= 0 || part == 0) throw Error("{} threads need at least a cache line each to stream, not {} bytes", threads, bytes);
  const auto sweeps = static_cast<size_t>(1 + bytes_of_a_run / bytes);
  std::vector<AlignedFloats> parts;
  for (int t = 0; t < threads; ++t) parts.emplace_back(part);
  const auto stream = loops().stream;
  const double best = best_milliseconds(threads, [&](int t) {
    for (size_t sweep = 0; sweep < sweeps; ++sweep) stream(parts[static_cast<size_t>(t)].data(), part);
  });
  return 2.0 * sizeof(float) * static_cast<double>(part * sweeps) * threads / best * 1e-6;
}

double spin_milliseconds(int threads) {
  return on_all_cores(threads, [](int) {
    uint64_t x = 1;
    for (int64_t i = 0; i < spin_iterations; ++i) {
      x = x * 6364136223846793005u + 1442695040888963407u;
      asm volatile("" : "+r"(x));
    }
  });
}

}  // namespace weft::cpu
