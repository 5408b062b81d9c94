#pragma once
// The order of a serial kernel's nests on a GPU, where a launch is what all blocks wait for.

#include <vector>

#include "weft/backends/codegen/kernel_buffers.h"

namespace weft::cuda {

struct NestOrder {
  /// Per nest: those before it that it waits for, since it reads what they write, or writes over what they read.
  std::vector<std::vector<size_t>> before;
  /// Per nest and operand: is it written by another nest of the kernel, or written over?
  std::vector<std::vector<bool>> written;

  explicit NestOrder(const codegen::KernelTable& table);
  /// Is so little to do that one block does it sooner, one nest after the other, than launches come one after the other?
  bool suits_one_block(const codegen::KernelTable& table) const;
};

}  // namespace weft::cuda
