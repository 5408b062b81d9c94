#pragma once
// A program for the CPU: tasks over one arena. It needs neither the IR nor LLVM.

#include <memory>

#include "weft/backends/cpu/exec/task.h"
#include "weft/runtime/launch_list.h"

namespace weft::cpu {

struct ProgramParts {
  LaunchList list;
  /// What carries each launch out.
  std::vector<std::unique_ptr<Task>> tasks;
  int threads = 1;
  /// Keeps the generated code alive.
  std::shared_ptr<void> code;
};

/// Runs the tasks in order, all of them in one parallel region: a thread waits for the others only before a task that
/// touches what an earlier one wrote, or writes what an earlier one read.
std::unique_ptr<Program> make_program(ProgramParts parts);

}  // namespace weft::cpu
