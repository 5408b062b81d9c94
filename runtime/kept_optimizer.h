#pragma once
// What a checkpoint keeps of an optimizer beside the tensors: its numbers and counts, for a step that is described as data.

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/runtime/safetensors.h"
#include "weft/runtime/step_data.h"

namespace weft {

struct KeptOptimizer {
  std::vector<std::pair<size_t, double>> numbers;  // of the step's inputs
  Dims counts;                                     // per counter; empty where nothing is kept
  int64_t steps = 0;
  std::optional<uint64_t> stream;
  std::set<std::string, std::less<>> counted;  // parameters whose updates are counted

  /// Does a state that checkpoints call so begin anew, for its parameter was not trained?
  bool begins_anew(std::string_view tensor) const;
};

/// Is it an optimizer's state?
bool is_optimizer_state(std::string_view tensor);

/// Throws weft::Error when the file keeps another optimizer, a number that the step cannot have, or states whose steps nobody has counted.
/// Of a file that keeps none, or a step that trains nothing, nothing.
KeptOptimizer kept_optimizer(const StepData& step, const SafeTensors& file);

}  // namespace weft
