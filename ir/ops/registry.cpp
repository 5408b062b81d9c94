#include "weft/ir/ops/families.h"

namespace weft::ir {

void define_all_ops(Registry& registry) {
  define_unary_ops(registry);
  define_binary_ops(registry);
  define_special_ops(registry);
  define_gamma_ops(registry);
  define_trigonometric_ops(registry);
  define_activation_ops(registry);
  define_softmax_ops(registry);
  define_movement_ops(registry);
  define_reduction_ops(registry);
  define_norm_ops(registry);
  define_contraction_ops(registry);
  define_attention_ops(registry);
  define_convolution_ops(registry);
  define_window_ops(registry);
  define_leaf_ops(registry);
  define_random_ops(registry);
  define_index_ops(registry);
  define_row_ops(registry);
  define_sort_ops(registry);
  define_loss_ops(registry);
  define_optimizer_ops(registry);
  define_region_ops(registry);
  define_loop_ops(registry);
  define_with_gradient_op(registry);
}

}  // namespace weft::ir
