#pragma once
// Runs a program and compares what each of its calls gives with the reference interpreter's results, on what the call read.

#include <span>

#include "weft/frontend/program/finite_check.h"
#include "weft/ir/module.h"
#include "weft/runtime/program.h"

namespace weft::detail {

/// Runs once. `planned` is what the program was made from. The tolerance is that of backends/reference/agreement.h: 8 times what an ulp
/// in the operands, and in what each op inside gives, does to the results, and the bound of any op.
///
/// Returns what it has compared.
///
/// Throws weft::Error at the first call that is beyond it: the call, its lines, the element that is furthest off, and both values. Throws
/// weft::Error where the program does not show its calls.
CheckedCalls run_verified(Program& program, const ir::Module& planned, std::span<const Binding> inputs);

}  // namespace weft::detail
