#pragma once
// torch.nn.MultiheadAttention.

#include <optional>
#include <utility>

#include "weft/frontend/nn/layers.h"
#include "weft/frontend/nn/linear.h"

namespace weft::nn {

struct MultiheadAttentionOptions {
  double dropout = 0;  // of the weights, in training mode; an Hyper of the layer, see there
  bool bias = true;
  std::optional<int64_t> kdim = {}, vdim = {};  // features of keys and values; embed_dim unless given
  bool batch_first = false;                     // operands are [N, tokens, features], else [tokens, N, features]
  std::optional<DType> dtype = {};              // of the parameters; default_dtype() unless given
};

/// Masks as PyTorch's layer takes them. Of bool, true is what is NOT seen: the reverse of scaled_dot_product_attention's.
struct AttentionMasks {
  /// [N, keys]: the keys that are padding. Floating: added to their scores.
  std::optional<Arg> key_padding_mask = {};
  /// [queries, keys], or one for each head of each sample, [N * num_heads, queries, keys].
  std::optional<Arg> attn_mask = {};
  /// Query i sees the keys 0 to i alone, beside what the masks say.
  bool is_causal = false;
};

/// query [L, N, embed_dim], key [S, N, kdim], value [S, N, vdim]: each of num_heads heads attends with embed_dim / num_heads features;
/// the result is [L, N, embed_dim]. With batch_first, N comes first everywhere; without a batch, operands have two axes. A query that sees
/// no key gets the output projection's bias. Parameters have PyTorch's names and start as PyTorch's: the projections of queries, keys
/// and values are one weight, in_proj_weight, unless keys or values have other features.
class MultiheadAttention : public Layer {
 public:
  /// Throws weft::Error, naming the line, unless embed_dim is a multiple of num_heads and 0 <= dropout <= 1.
  MultiheadAttention(int64_t embed_dim, int64_t num_heads, MultiheadAttentionOptions options = {},
                     std::source_location at = std::source_location::current());

  Tensor operator()(Arg query, Arg key, Arg value, AttentionMasks masks = {});
  /// x attends to itself.
  Tensor forward(Tensor x) override;
  using Module::operator();

  /// The result, and the weights [N, L, S], each the mean over the heads (need_weights in PyTorch); with dropout, as they were before it.
  std::pair<Tensor, Tensor> with_weights(Arg query, Arg key, Arg value, AttentionMasks masks = {}, bool average = true);

  Hyper dropout;                                          // as nn::Dropout's p
  Parameter in_proj_weight;                               // [3 embed_dim, embed_dim]; not defined() where the three are apart
  Parameter q_proj_weight, k_proj_weight, v_proj_weight;  // [embed_dim, embed_dim], [embed_dim, kdim], [embed_dim, vdim]
  Parameter in_proj_bias;                                 // [3 embed_dim]; not defined() without biases
  Linear out_proj;

 private:
  struct Attended;
  Tensor projected(const Tensor& x, const Parameter& weight, int64_t first, int64_t end, int64_t bias) const;
  Tensor by_heads(const Tensor& x, int64_t which) const;
  Attended attend(Arg query, Arg key, Arg value, const AttentionMasks& masks, bool with_weights);

  int64_t heads_;
  bool batch_first_;
};

}  // namespace weft::nn
