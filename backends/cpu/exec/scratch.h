#pragma once
// Memory that a task works in.

#include <string>
#include <vector>

#include "weft/runtime/array.h"

namespace weft::cpu {

/// A task's buffers with scratch memory behind them: the plan's, or, where that has too little, memory of the task's own. So it is with a
/// saved program that was planned for another instruction set or library.
class Scratch {
 public:
  /// `wanted` bytes are needed and `planned` ones given. Throws weft::Error, naming `what`, when there is no memory.
  Scratch(const std::string& what, int64_t wanted, int64_t planned);
  /// `buffers` end with the planned memory, if there is any.
  const std::vector<std::byte*>& behind(const std::vector<std::byte*>& buffers);
  int64_t own_bytes() const { return own_.shape().numel(); }

 private:
  bool is_planned_;
  Array own_;
  std::vector<std::byte*> all_;
};

}  // namespace weft::cpu
