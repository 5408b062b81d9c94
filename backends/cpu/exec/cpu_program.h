#pragma once
// A program for the CPU: tasks over one arena. It needs neither the IR nor LLVM.

#include <memory>

#include "weft/backends/cpu/exec/task.h"
#include "weft/runtime/array.h"
#include "weft/runtime/program.h"

namespace weft::cpu {

/// Where a buffer is.
struct BufferPlace {
  enum class Kind { input, arena, constant } kind = Kind::arena;
  int64_t position = 0;  // input number, arena offset in bytes, constant number
  int64_t bytes = 0;
  bool written = false;  // else only read

  /// Do they share bytes that one of the two writes? Then one must wait for the other.
  bool conflicts(const BufferPlace& other) const;
};

/// A task and the places of its buffers.
struct PlacedTask {
  std::unique_ptr<Task> task;
  std::vector<BufferPlace> places;
  /// Is it worth several threads? Otherwise all its units run on one.
  bool parallel = true;
  double flops = 0, bytes = 0;  // for people
};

struct ProgramParts {
  std::vector<Port> inputs, outputs;
  std::vector<BufferPlace> output_places;
  std::vector<PlacedTask> tasks;
  std::vector<Array> constants;
  int64_t arena_bytes = 0;
  int threads = 1;
  /// Keeps the generated code alive.
  std::shared_ptr<void> code;
};

/// Runs the tasks in order, all of them in one parallel region: a thread waits for the others only before a task that
/// touches what an earlier one wrote, or writes what an earlier one read.
std::unique_ptr<Program> make_program(ProgramParts parts);

}  // namespace weft::cpu
