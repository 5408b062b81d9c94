#pragma once
// The families of ops. Each function adds its family's definitions; define_all_ops lists them.

#include "weft/ir/define.h"
#include "weft/ir/registry.h"

namespace weft::ir {

void define_unary_ops(Registry& registry);
void define_binary_ops(Registry& registry);
void define_trigonometric_ops(Registry& registry);
void define_special_ops(Registry& registry);
void define_gamma_ops(Registry& registry);
void define_activation_ops(Registry& registry);
void define_softmax_ops(Registry& registry);
void define_movement_ops(Registry& registry);
void define_reduction_ops(Registry& registry);
void define_norm_ops(Registry& registry);
void define_contraction_ops(Registry& registry);
void define_attention_ops(Registry& registry);
void define_convolution_ops(Registry& registry);
void define_window_ops(Registry& registry);
void define_leaf_ops(Registry& registry);
void define_random_ops(Registry& registry);
void define_index_ops(Registry& registry);
void define_row_ops(Registry& registry);
void define_sort_ops(Registry& registry);
void define_loss_ops(Registry& registry);
void define_optimizer_ops(Registry& registry);
void define_region_ops(Registry& registry);
void define_loop_ops(Registry& registry);
void define_with_gradient_op(Registry& registry);

void define_all_ops(Registry& registry);

}  // namespace weft::ir
