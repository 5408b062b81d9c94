#pragma once
// When two results count as equal.

#include <optional>
#include <string>
#include <unordered_map>

#include "weft/backends/reference/reference.h"
#include "weft/ir/module.h"

namespace weft::test {

/// By name.
using Values = std::unordered_map<std::string, reference::Tensor>;

Values evaluate(const ir::Graph& graph, const Values& inputs);

/// What a program computes: by the reference in double, and again with the inputs moved by one ulp and with every f32 and
/// bf16 result rounded to its type, which shows what moves when intermediate values move. Where there is bf16, twice more
/// with each result moved by half an ulp up or down before it is rounded: one rounding of so few bits may happen to be exact.
///
/// What differs by more is looked at once more: results may be differences of nearly equal numbers, in which an op's own
/// error counts for more than it does where it arises. So each result is moved by the eighth of its op's own bound that is
/// not less than half an ulp, up or down, in a dozen ways; a reduction's by that share of what it makes of magnitudes.
struct Expected {
  Values inputs, exact;
  mutable std::vector<Values> moved;
  bool fine = false;        // all floating values are f64
  bool coarse = false;      // there is f16 or bf16
  bool casts_back = false;  // a type is widened and narrowed again: the reference rounds there, unless an equation says x = x

  /// Of `recorded` after its training step was added; `inputs` covers what that adds.
  Expected(const ir::Module& recorded, uint64_t seed);

  /// What is wrong with an output, if anything: see backends/reference/agreement.h.
  std::optional<std::string> fault(const std::string& output, const reference::Tensor& got) const;
  /// The same for a program that rounds nowhere, such as a stage interpreted by the reference: no movement.
  std::optional<std::string> strict_fault(const std::string& output, const reference::Tensor& got) const;
  /// What of the results is another one with the loops written out step by step, which is how movement is found in them.
  std::optional<std::string> loop_fault() const;

 private:
  void move_more() const;

  ir::Module module_;
  Values near_;
  mutable bool moved_more_ = false;
};

}  // namespace weft::test
