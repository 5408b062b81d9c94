#pragma once
// The names of generated code, where debuggers and profilers look for them.

#include <memory>
#include <vector>

#include "weft/runtime/program_data.h"

namespace weft::cpu {

class CodeSymbols {
 public:
  /// Tells a debugger what lies in the `bytes` from `memory` on, by the interface for code that a process makes (gdb's manual, "JIT
  /// Interface"). Where the environment variable WEFT_PERF is 1, it also adds lines to /tmp/perf-PID.map, where `perf report` looks.
  /// Throws weft::Error where WEFT_PERF is neither 0 nor 1, and where that file cannot be written.
  CodeSymbols(const std::vector<MachineCode::Function>& functions, const std::byte* memory, size_t bytes);
  /// The debugger forgets them; lines of the file stay, for a profile is read later.
  ~CodeSymbols();

 private:
  struct Entry;
  std::unique_ptr<Entry> entry_;
};

}  // namespace weft::cpu
