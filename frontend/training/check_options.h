#pragma once
// What a Trainer is told is looked at before anything compiles.

#include "weft/frontend/training/options.h"
#include "weft/runtime/data/dataset.h"

namespace weft::detail {

// Each throws weft::Error when an option or a data set is not as it must be.

/// `test` is null where there is no test set.
void check(const FitOptions& options, const Dataset& train, const Dataset* test);
void check(const EvaluateOptions& options, const Dataset& data);
void check(const LrSearchOptions& options, const Dataset& train);

}  // namespace weft::detail
