#pragma once
// What is thrown when a checked program computes a value that is not finite: see CompileOptions::check_finite.

#include <string>
#include <vector>

#include "weft/ir/location.h"
#include "weft/runtime/value_statistics.h"
#include "weft/support/error.h"

namespace weft {

/// Of the first such value in order of execution; of a fused kernel the op inside it. what() says all of it.
class NotFinite : public Error {
 public:
  /// Something that the op reads: an input of the program by its name, else the op that made it.
  struct Operand {
    std::string name, type;
    ValueStatistics values;
  };

  NotFinite(const std::string& message, std::string op_name) : Error(ErrorKind::numeric, message), value_of(std::move(op_name)) {}

  std::string value_of;   // the op, or "input" where what was fed is nan
  ir::Location location;  // its line and layer
  ir::Phases phases;      // which part of the step it is for
  ValueStatistics values;
  std::vector<Operand> operands;  // those with floating elements
  std::string reproducer;         // the folder; empty: none was written
};

}  // namespace weft
