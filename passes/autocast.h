#pragma once
// Mixed precision, after torch.autocast: products run in the target's low-precision type, what would lose too much there in f32.
//
//   %1 = matmul(%x, %w) : f32[2,3]       %1 = cast(%x) {dtype = bf16}, %2 = cast(%w) {dtype = bf16}
//   %2 = add(%1, broadcast(%b))          %3 = matmul(%1, %2) : bf16[2,3]
//   %3 = relu(%2)                        %5 = add(%3, broadcast(cast(%b))), %6 = relu(%5) : bf16[2,3]
//   %4 = mean(%3) : f32[]                %8 = mean(cast(%6) {dtype = f32}) : f32[]
//
// Each op's class stands in its definition (OpDef::autocast): `low` ops get operands of the low-precision type, `wide` ones of f32,
// those that follow the widest of what comes, and `fixed` ones what was recorded. A number that meets a tensor takes its type, and so
// does the parameter that is added to a product over and over (the bias of a linear layer or of a convolution is a part of that).
// f64 stays f64. Inputs and outputs keep their types: parameters, states and the loss are f32 in every step.
//
// Runs before autodiff. So the gradient of a `low` op consists of products in the same type, and that of a cast casts back: a
// parameter's gradient is f32. A parameter has a cast for each use, and its uses' gradients are added in f32; `simplify` leaves one.
//
// The type is the target's answer (Target::autocast) and no part of what is recorded: that a step is compiled for a machine is known
// when the pipeline starts, and one recorded step serves both types. A graph that holds gradients already (`gradients`) is taken as
// its ops stand.

#include "weft/ir/module.h"
#include "weft/passes/target.h"

namespace weft::passes {

/// Throws weft::Error, in the name of `target`, for another type than bf16.
void require_autocast_type(std::optional<DType> type, std::string_view target);

/// Does nothing where the target names no type.
bool autocast(ir::Module& module, const Target& target);

}  // namespace weft::passes
