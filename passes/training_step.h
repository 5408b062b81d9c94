#pragma once
// Turns gradients into new parameters and states.
//
//   before: output w.grad = %g                      after: %w2, %m2 = sgd(%w, %g, %t, %sgd.lr, ..., %w.momentum_buffer)
//                                                          output w = %w2 aliases %w
//                                                          output w.momentum_buffer = %m2 aliases %w.momentum_buffer
//
// Before that, where the train block says so, gradients are clipped: by value to [-%sgd.clip_value, %sgd.clip_value], then by
// their common norm, times min(1, %sgd.clip_norm / (norm + 1e-6)) (torch.nn.utils.clip_grad_value_ and clip_grad_norm_).
//
// Adds the counters of steps (states "<optimizer>.step", "<optimizer>.step.1", ..., i64[], counted up each step; as many as the
// train block tells apart), the hyper-parameters ("<optimizer>.lr", f64[], read on every step; "<optimizer>.<group>.lr" of a
// group) and the states ("<parameter>.<state>"). Drops the gradient outputs that the train block does not keep, and the train
// block. One without an optimizer asks for the gradients alone, which all stay. Runs right after autodiff, whose outputs it reads.

#include "weft/ir/module.h"

namespace weft::passes {

bool training_step(ir::Module& module);

}  // namespace weft::passes
