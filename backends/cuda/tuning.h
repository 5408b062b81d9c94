#pragma once
// Opt-in timing: which of a library's algorithms runs each product of a planned module.

#include <memory>

#include "weft/backends/cuda/exec/context.h"
#include "weft/ir/module.h"

namespace weft::cuda {

/// Sets each product's attribute `algorithm`; equal ones are measured once. Throws as fastest_algorithm() does.
void choose_algorithms(ir::Module& planned, const std::shared_ptr<Context>& context, bool tf32);

}  // namespace weft::cuda
