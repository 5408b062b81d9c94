#pragma once
// Brings the graph into the form that fusion and planning build on.
//
//   expand   a heavy op that the target does not claim becomes its decomposition into elementwise ops and reductions, as
//            matmul(a, b) = sum over k of a[.., i, 1, k] * b[.., 1, j, k]; an epilogue that the target cannot apply
//            becomes ops behind the product; so does one that the target claims but has only its library's plain loops for;
//            a product of bf16 is one of f32 where the target runs that
//   updates  every output that replaces an input is the result of an op that may write over it: an output that is an
//            input, a constant, a view, another output's value or read along with the old one gets a `copy`. So does
//            every other output that lies in an input's memory, being an input, a view of one or what replaces one:
//            what is there may be another's by the time that it is read. Then the ops are sorted so that every reader
//            of an old value comes before its writer. Updates in a circle, which trade places say, read a copy of one
//            old value
//
// Both run after simplification, since they add what it would look through.

#include <string>
#include <vector>

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

/// `remarks`, when given, gets a line for each op that is written out, and why.
bool expand(ir::Module& module, const Target& target, std::vector<std::string>* remarks = nullptr);
bool updates(ir::Module& module);

}  // namespace weft::passes
