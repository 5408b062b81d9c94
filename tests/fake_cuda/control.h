#pragma once
// CUDA's driver without a GPU: a library with the driver's own functions, whose kernels run on the machine that executes PTX
// (tests/ptx) and whose memory is none of the host's. What is asked of a stream is done as late as the driver allows, when
// somebody waits for it, so that who forgets to wait sees what was there before. A fault of a kernel, or of a copy, stays: every later
// call in its context returns it, as the driver's do.
//
// The library has cuBLASLt's and cuDNN's functions, too, whose products, convolutions and attention are computed in double.
//
// This is how a test asks the library what it has seen, and tells it to fail.

#include <cstddef>
#include <cstdint>

namespace weft::test {

struct FakeCudaReport {
  // Alive now.
  size_t contexts, allocations, pinned, modules, streams, events, graphs;
  size_t library_objects;    // descriptions and handles of the libraries'
  size_t bytes, most_bytes;  // of memory on the device: now, and at most since reset()
  // Since reset().
  size_t launches;               // of kernels and library calls that were asked for one by one
  size_t graph_launches;         // of whole graphs
  size_t captures;               // of graphs
  size_t kernels_run;            // in graphs too
  size_t products;               // that cuBLASLt's functions ran, in graphs too
  size_t activations;            // that they applied to these
  size_t convolutions;           // that cuDNN's functions ran, likewise
  size_t attentions;             // likewise
  size_t copied_in, copied_out;  // bytes
  uint64_t instructions;
};

/// What the library offers beside the driver's functions.
struct FakeCudaControl {
  void (*report)(FakeCudaReport*);
  void (*reset)();
  /// Lets call number `after` from now on, counted from 0, of a function ("cuMemAlloc_v2") fail so.
  void (*fail)(const char* function, int result, int after);
  /// Memory that the device has in all.
  void (*limit_memory)(size_t bytes);
  /// What the device is: 8, 0 for sm_80.
  void (*set_capability)(int major, int minor);
  /// The order in which threads and blocks run; 0: as numbered.
  void (*set_seed)(uint64_t seed);
  /// Copies from pinned memory are done as early as their stream allows, in place of as late.
  void (*copy_early)(bool);
  /// How long a product takes by cuBLASLt's algorithm number 1 or 2, until reset(); else 1.
  void (*set_algorithm_time)(int algorithm, double milliseconds);
  /// Lets a kernel go wrong whenever it runs, as if it read memory that is not there; "": none.
  void (*fault_in)(const char* kernel);
  /// Makes no context but the device's primary one.
  void (*refuse_contexts)(bool);
  /// Once nothing is alive any more, forgets faults.
  void (*forget_fault)();
};

/// The function `fake_cuda_control` of the library gives it.
using FakeCudaControlFunction = const FakeCudaControl* (*)();

}  // namespace weft::test
