#pragma once
// The launches of a program on its device: kernels, the tables of pointers that they take, and the memory between them.

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weft/backends/cuda/exec/call.h"
#include "weft/backends/cuda/exec/context.h"
#include "weft/backends/cuda/exec/library_call.h"
#include "weft/runtime/profiler.h"

namespace weft::cuda {

/// What carries one launch out.
struct DeviceCall {
  KernelCall kernels;
  std::unique_ptr<LibraryCall> library;  // null: the kernels run
};

class DeviceLaunches {
 public:
  /// `calls` are those of the list's launches. Allocates arena and constants. Throws weft::Error for a kernel
  /// that the module has not and for loops that make more of a step than a GPU can be given at once, OutOfMemory.
  DeviceLaunches(std::shared_ptr<Context> context, LaunchList list, std::vector<DeviceCall> calls, std::unique_ptr<Module> module);
  DeviceLaunches(const DeviceLaunches&) = delete;

  const LaunchList& list() const { return list_; }
  /// Where the inputs lie from here on; what has been captured stays as it is.
  void bind(std::span<std::byte* const> inputs);
  /// Valid once bound.
  std::byte* address(const BufferPlace& place) const;

  void enqueue(StreamHandle* stream);
  /// In the device's stream, measured when that was asked for.
  void run();
  /// Waits for each; throws weft::Error naming the one that failed.
  void run_one_by_one();

  /// One line a launch, with the library that carries it out.
  std::vector<std::string> descriptions() const;
  void start_profile(int64_t traced_runs);
  bool profiling() const { return steps_.has_value(); }
  std::vector<CallTime> profile() const;
  Trace trace() const { return trace_; }

 private:
  struct Bound {
    DeviceCall call;
    std::vector<FunctionHandle*> functions;  // of its kernels, unless a library runs it
    std::vector<std::byte*> table;           // that the kernels take, or the buffers of the library's call; in the first pass of loops
    std::vector<Dims> steps;                 // of what is in the table: how far it moves with each pass of the loops around
  };
  /// A call's turn: once in each pass of the loops around it.
  struct Turn {
    size_t call;
    Dims passes;  // of the loops around it, the outermost first
  };
  void add_turns(size_t first, size_t last, size_t loop, Dims& passes);
  /// Throws weft::Error that names it where it is refused at once.
  void enqueue(const Turn& turn, StreamHandle* stream);
  void add_name(Error& e, const Turn& turn) const;
  void keep_times(std::chrono::steady_clock::time_point began);
  void fill_tables();

  std::shared_ptr<Context> context_;
  LaunchList list_;
  std::unique_ptr<Module> module_;
  std::vector<Bound> calls_;
  std::vector<Turn> turns_;  // of a step
  DeviceBuffer arena_;
  std::vector<DeviceBuffer> constants_;
  std::vector<std::byte*> inputs_;
  bool has_tables_ = false;        // of pointers to where the inputs lie
  std::vector<std::byte*> moved_;  // a table in a pass of loops
  std::vector<Event> events_;      // before each turn, and behind the last, while they are measured
  std::vector<double> milliseconds_;
  std::optional<int64_t> steps_;
  int64_t traced_runs_ = 0;
  Trace trace_;
  std::chrono::steady_clock::time_point trace_began_;
};

}  // namespace weft::cuda
