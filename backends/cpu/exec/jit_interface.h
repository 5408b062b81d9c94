#pragma once
// What gdb looks for in a process that makes code, by these names and in this form (gdb's manual, "JIT Interface"). LLVM has the same; a
// process has one of the two.

#include <cstdint>

extern "C" {
/// An object file in memory.
struct jit_code_entry {
  jit_code_entry *next_entry, *prev_entry;
  const char* symfile_addr;
  uint64_t symfile_size;
};
struct jit_descriptor {
  uint32_t version, action_flag;
  jit_code_entry *relevant_entry, *first_entry;
};
extern jit_descriptor __jit_debug_descriptor;
/// The debugger stops here to read the descriptor.
void __jit_debug_register_code();
}
