#pragma once
// A program for the CPU: tasks over one arena. It needs neither the IR nor LLVM.

#include <memory>

#include "weft/backends/cpu/exec/task.h"
#include "weft/runtime/program_data.h"

namespace weft::cpu {

struct ProgramParts {
  LaunchList list;
  /// What carries each launch out.
  std::vector<std::unique_ptr<Task>> tasks;
  /// At most so many threads; all of them at all that can be shared, whether that pays or not (sharing.h), where share_all is set.
  int threads = 1;
  bool share_all = false;
  /// Keeps the generated code alive.
  std::shared_ptr<const void> code;
};

/// Runs the tasks in order, all of them in one parallel region: a thread waits for the others only before a task that
/// touches what an earlier one wrote, or writes what an earlier one read.
std::unique_ptr<Program> make_program(ProgramParts parts);

struct LoadOptions {
  /// See exec/compute_threads.h.
  int threads = 0;
  /// See exec/isa.h; "" is what the environment says.
  std::string max_isa = {};
  /// As of ProgramParts.
  bool share_all = false;
};

/// The program that `data`, made for this backend, describe. Takes the code of the widest instruction set that the machine has and
/// `max_isa` allows.
///
/// Throws weft::Error, saying why, where none of the code runs here, where the library on this machine refuses a call, where
/// the data contradict themselves (a buffer that is too small for its call, or lies outside of the arena), and OutOfMemory.
std::unique_ptr<Program> load_program(ProgramData data, const LoadOptions& options = {});

}  // namespace weft::cpu
