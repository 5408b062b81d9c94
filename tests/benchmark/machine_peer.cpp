// What the machine itself can do, on the cores that the process may use, one thread pinned to each: machine_peer THREADS.
//
//   SPIN            {"ms"}      a fixed loop of dependent integer operations, on all the cores at once, the slowest core:
//                               longer than its best means that something else ran there, or that the clock is lower
//   PEAK            {"gflops"}  f32 multiply-adds in registers, the best of many runs
//   STREAM bytes    {"gbs"}     a read and a write of each of so many bytes, the best of many sweeps
//
// Compiled for the machine that it runs on (-march=native).

#include <sched.h>

#include <chrono>
#include <iostream>
#include <latch>
#include <numeric>
#include <stdexcept>
#include <thread>
#include <vector>

#include "serve.h"

using benchmark::Json;

namespace {

#if defined(__AVX512F__)
constexpr int lanes = 16;
#elif defined(__AVX__)
constexpr int lanes = 8;
#else
constexpr int lanes = 4;
#endif
using Vector [[gnu::vector_size(lanes * sizeof(float))]] = float;

constexpr int64_t spin_iterations = 4'000'000;
constexpr int64_t peak_iterations = 1'000'000;
constexpr int accumulators = 12;  // enough to hide the latency of two multiply-adds a cycle, and they fit 16 registers

double milliseconds(auto&& body) {
  const auto start = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

std::vector<int> usable_cores() {
  cpu_set_t set;
  sched_getaffinity(0, sizeof set, &set);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) cores.push_back(core);
  return cores;
}

/// Runs body(thread) on so many cores at once; the milliseconds of the slowest, all having begun together.
template <class Body>
double on_all_cores(int threads, Body body) {
  static const std::vector<int> cores = usable_cores();
  if (static_cast<size_t>(threads) > cores.size()) throw std::runtime_error("more threads than usable cores");
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

void spin(int) {
  uint64_t x = 1;
  for (int64_t i = 0; i < spin_iterations; ++i) {
    x = x * 6364136223846793005u + 1442695040888963407u;
    asm volatile("" : "+r"(x));
  }
}

void multiply_add(int) {
  Vector sums[accumulators] = {}, factor = Vector{} + 0.999f, term = Vector{} + 0.001f;
  for (Vector& sum : sums) asm volatile("" : "+x"(sum));  // else the compiler sees that all are the same
  for (int64_t i = 0; i < peak_iterations; ++i)
    for (Vector& sum : sums) sum = sum * factor + term;
  for (Vector& sum : sums) asm volatile("" : : "x"(sum));
}

Json peak(int threads) {
  double best = 1e300;
  for (int run = 0; run < 20; ++run) best = std::min(best, on_all_cores(threads, multiply_add));
  return {{"gflops", 2.0 * lanes * accumulators * peak_iterations * threads / best * 1e-6}};
}

Json stream(int threads, size_t bytes) {
  const size_t part = bytes / sizeof(float) / static_cast<size_t>(threads);
  if (part == 0) throw std::runtime_error("too few bytes to stream");
  const size_t sweeps = 1 + (size_t{32} << 20) / bytes;
  std::vector<std::vector<float>> parts(static_cast<size_t>(threads), std::vector<float>(part, 1.0f));
  double best = 1e300;
  for (int run = 0; run < 20; ++run)
    best = std::min(best, on_all_cores(threads, [&](int t) {
                      for (size_t sweep = 0; sweep < sweeps; ++sweep) {
                        float* p = parts[static_cast<size_t>(t)].data();
                        for (size_t i = 0; i < part; ++i) p[i] -= 1e-9f;
                        asm volatile("" : : "r"(p) : "memory");
                      }
                    }));
  return {{"gbs", 2.0 * sizeof(float) * static_cast<double>(part * sweeps) * threads / best * 1e-6}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const int threads = std::stoi(argv[1]);
  benchmark::serve_lines({{"peer", "machine"}, {"vector_bits", 32 * lanes}}, [&](std::istream& request) -> Json {
    std::string verb;
    request >> verb;
    if (verb == "SPIN") return {{"ms", on_all_cores(threads, spin)}};
    if (verb == "PEAK") return peak(threads);
    size_t bytes = 0;
    if (verb == "STREAM" && request >> bytes) return stream(threads, bytes);
    throw std::runtime_error("expected SPIN, PEAK or STREAM bytes");
  });
}
