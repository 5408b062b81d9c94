#pragma once
// Runs a program and looks at what each of its calls writes.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weft/frontend/program/not_finite.h"
#include "weft/ir/module.h"
#include "weft/runtime/program.h"

namespace weft::detail {

/// What a check has looked at.
struct CheckedCalls {
  int64_t calls = 0, elements = 0;
};

/// Runs once. `planned` is what the program was made from. An infinity that was put in, as a constant or in an input, may spread; what is
/// nan, and an infinity that is made of finite numbers, may not, nor may either come into a parameter or a state that had none.
///
/// Returns what it has looked at.
///
/// Throws NotFinite at the first call that makes one, with the op that does it: a fused one is interpreted once more for that
/// (backends/reference), on what the call read. Throws weft::Error where the program does not show its calls.
CheckedCalls run_finite(Program& program, const ir::Module& planned, std::span<const Binding> inputs);

/// What a program updates, as it was before.
class Undo {
 public:
  Undo(const Program& program, std::span<const Binding> inputs);
  void restore() const;

 private:
  struct Copy {
    Binding binding;
    std::vector<std::byte> bytes;
  };
  std::vector<Copy> copies_;
};

}  // namespace weft::detail
