// What the machine itself can do, on the cores that the process may use, one thread pinned to each: machine_peer THREADS.
//
//   SPIN            {"ms"}      a fixed loop of dependent integer operations, on all the cores at once, the slowest core:
//                               longer than its best means that something else ran there, or that the clock is lower
//   PEAK            {"gflops"}  f32 multiply-adds in registers, the best of many runs
//   STREAM bytes    {"gbs"}     a read and a write of each of so many bytes, the best of many sweeps
//
// As `weft machine` measures it.

#include <iostream>
#include <stdexcept>

#include "serve.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/exec/machine_speed.h"

using benchmark::Json;

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const int threads = std::stoi(argv[1]);
  const Json description{{"peer", "machine"}, {"vector_bits", weft::cpu::isa_width(weft::cpu::library_isa())}};
  benchmark::serve_lines(description, [&](std::istream& request) -> Json {
    std::string verb;
    request >> verb;
    if (verb == "SPIN") return {{"ms", weft::cpu::spin_milliseconds(threads)}};
    if (verb == "PEAK") return {{"gflops", weft::cpu::peak_gflops(weft::f32, threads)}};
    int64_t bytes = 0;
    if (verb == "STREAM" && request >> bytes) return {{"gbs", weft::cpu::stream_gbs(bytes, threads)}};
    throw std::runtime_error("expected SPIN, PEAK or STREAM bytes");
  });
}
