#pragma once
// What a program compiled with CompileOptions::check_finite is asked after every call.

#include <string>
#include <vector>

#include "weft/ir/module.h"
#include "weft/runtime/program.h"

namespace weft::detail {

class RunChecks {
 public:
  /// Of nothing.
  RunChecks() = default;
  /// Adds outputs to the recorded `module`: the least and the largest of all indices that are computed.
  explicit RunChecks(ir::Module& module);

  /// Throws weft::Error, beginning with `step`, when an index is out of its range or an element of a floating output is
  /// not finite.
  void check(const Program& program, const std::string& step) const;
  /// The first half of that: of indices alone.
  void check_indices(const Program& program, const std::string& step) const;
  bool has_indices() const { return !indices_.empty(); }

 private:
  /// Outputs, and what may lie in them.
  struct Indices {
    std::string least, largest, what;
    int64_t bound;
  };

  bool on_ = false;
  std::vector<Indices> indices_;
};

}  // namespace weft::detail
