#pragma once
// Programs whose time is taken: files without elements, which are made where they run.

#include "weft/tests/gpu_check/make/maker.h"
#include "weft/weft.h"

namespace weft::gpu_check {

/// The file is written. What it must read, write and compute follows from its launches, and its fills from its inputs: weights as
/// they begin (by their shape), statistics at 0 and 1, batches in their range.
Measured measured_from(const Maker& maker, std::string name, std::string file, std::string kind, std::string precision);

}  // namespace weft::gpu_check
