#pragma once
// What the host launches.

#include <cstdint>
#include <string>

namespace llvm {
class Function;
class Module;
}  // namespace llvm

namespace weft::cuda {

/// LLVM's numbers of the address spaces.
inline constexpr unsigned global_space = 1, shared_space = 3;

/// A function without code that the host may launch; its only parameter holds so many pointers to global memory, by value.
llvm::Function* create_entry(llvm::Module& module, const std::string& name, int buffers);
/// What NVPTX is to know of an entry point: its name for it, and a number.
void annotate(llvm::Function& entry, const char* what, uint32_t value);
/// No block of it has more threads; a launch of more is refused. A processor is to hold so many such blocks: without a number the
/// assembler aims at more than the registers are enough for.
void limit_threads(llvm::Function& entry, uint32_t threads, uint32_t blocks_at_once);

}  // namespace weft::cuda
