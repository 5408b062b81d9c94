#pragma once
// torch.nn.functional.scaled_dot_product_attention.

#include <functional>
#include <optional>

#include "weft/frontend/language/tensor.h"

namespace weft {

struct AttentionOptions {
  /// Broadcasts to [..., queries, keys]. Of bool: true where the key is seen; floating: added to the scores.
  std::optional<Arg> attn_mask = {};
  /// Of the weights; for one that can change without recompiling and that eval mode turns off, see nn::MultiheadAttention.
  double dropout_p = 0;
  /// Query i sees the keys 0 to i alone. With a mask too, a key must be seen by both.
  bool is_causal = false;
  /// 1 / sqrt(width) unless given.
  std::optional<double> scale = {};
  /// Keys and values may have fewer heads (axis -3) than queries: each is for as many of theirs, one after the other.
  bool enable_gqa = false;
};

/// softmax(scale query key^T + mask) value: query [..., queries, width], key [..., keys, width], value [..., keys, value width], whose
/// leading axes broadcast; the result is [..., queries, value width]. A query that sees no key gets 0, and so do its gradients. It is
/// computed in blocks, without ever storing a weight for each query and key; with dropout it is written out.
Tensor scaled_dot_product_attention(Arg query, Arg key, Arg value, AttentionOptions options = {});

namespace detail {
/// The same, with the weights, both written out; `dropout` is applied to these, unless it is null.
struct Attended {
  Tensor result, weights;
};
Attended attention_with_weights(Arg query, Arg key, Arg value, const AttentionOptions& options,
                                const std::function<Tensor(Tensor)>& dropout);
}  // namespace detail

}  // namespace weft
