#pragma once
// What every step in a file must keep to, whatever runs it.

#include "weft/runtime/step_data.h"

namespace weft {

/// Throws weft::Error naming the entry: of two inputs or outputs of one name, two optimizers, groups, counters or codes of the same, a result
/// that nothing computes, and loops that no step could ever get through.
void check_step(const StepData& step);

}  // namespace weft
