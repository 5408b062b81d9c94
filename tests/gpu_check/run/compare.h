#pragma once
// When an output is what is wanted.

#include <string>

#include "weft/runtime/array.h"
#include "weft/runtime/view.h"
#include "weft/tests/gpu_check/bundle/manifest.h"

namespace weft::gpu_check {

/// What is wrong with `got`, or "": the first element that is, and how many are. `any`: 1 where any number will do, or null.
std::string difference(const View& got, const Array& want, const Array* any, const Bound& bound);

}  // namespace weft::gpu_check
