#pragma once
// Memory that a task works in.

#include <string>
#include <vector>

#include "weft/backends/cpu/exec/rounding.h"
#include "weft/runtime/array.h"

namespace weft::cpu {

/// So many bytes in whole cache lines.
constexpr int64_t whole_lines(int64_t bytes) { return round_up(bytes, static_cast<int64_t>(buffer_alignment)); }

/// A task's buffers with scratch memory behind them: the plan's, or memory of the task's own.
class Scratch {
 public:
  /// How many bytes are wanted may follow from the call, or from the instruction set and the library too: a program that was saved
  /// somewhere else may have planned with less, and the task has its own.
  enum class Follows { from_call, from_machine };
  /// `wanted` bytes are needed and `planned` ones given. Throws weft::Error, naming `what`, when some are given that follow from the call
  /// alone but are too few, and when there is no memory.
  Scratch(Follows follows, const std::string& what, int64_t wanted, int64_t planned);
  /// `buffers` end with the planned memory, if there is any.
  const std::vector<std::byte*>& behind(const std::vector<std::byte*>& buffers);
  int64_t own_bytes() const { return own_.shape().numel(); }

 private:
  bool is_planned_;
  Array own_;
  std::vector<std::byte*> all_;
};

}  // namespace weft::cpu
