#pragma once
// Tests of passes that ask something of a graph, or of a target of their own; text in, text out is a file (tests/programs).
//
// A text is the statements of a function; lines "module ..." and "train {...}" may stand before them.

#include <string>
#include <string_view>
#include <vector>

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::testing {

ir::Module module_from(std::string_view text);
/// As printed, source lines left out.
std::string text_of(const ir::Module& module);

/// Runs the passes ("cse" or "canonicalize,dce") on `text` and verifies after each; fails the test when one says
/// "changed" and nothing did, or the other way round.
ir::Module run_passes(std::string_view passes, std::string_view text, const passes::Target& target = passes::generic_target());
void run_passes(std::string_view passes, ir::Module& module, const passes::Target& target = passes::generic_target());

/// The passes turn `before` into `after`.
void check_becomes(std::string_view passes, std::string_view before, std::string_view after,
                   const passes::Target& target = passes::generic_target());
/// The passes leave the text as it is.
void check_stays(std::string_view passes, std::string_view text, const passes::Target& target = passes::generic_target());

/// The pipeline "compile" from the module's stage to `last`, on the generic target.
ir::Module compiled(std::string_view text, std::string_view last);
/// Ops of this name, bodies not searched.
int count_ops(const ir::Module& module, std::string_view op);
/// Launches that are no library calls: `fused` and `kernel` ops.
int count_kernels(const ir::Module& module);

}  // namespace weft::testing
