#pragma once
// Memory that a task works in.

#include <string>
#include <vector>

#include "weft/runtime/array.h"

namespace weft::cpu {

/// A task's buffers with scratch memory behind them: the plan's, if it has any, else memory of the task's own.
class Scratch {
 public:
  /// `wanted` bytes are needed and `planned` ones given. Throws weft::Error, naming `what`, when some are given but too few.
  Scratch(const std::string& what, int64_t wanted, int64_t planned);
  const std::vector<std::byte*>& behind(const std::vector<std::byte*>& buffers);

 private:
  Array own_;
  std::vector<std::byte*> all_;
};

}  // namespace weft::cpu
