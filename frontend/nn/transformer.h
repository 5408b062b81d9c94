#pragma once
// torch.nn.TransformerEncoderLayer, TransformerEncoder, TransformerDecoderLayer and TransformerDecoder.

#include <optional>
#include <string>

#include "weft/frontend/nn/attention.h"
#include "weft/frontend/nn/norm.h"
#include "weft/frontend/nn/sequential.h"

namespace weft::nn {

struct TransformerLayerOptions {
  int64_t dim_feedforward = 2048;
  double dropout = 0.1;             // of the attention's weights and behind each part, in training mode
  std::string activation = "relu";  // or "gelu"
  double layer_norm_eps = 1e-5;
  bool batch_first = false;  // operands are [N, tokens, d_model], else [tokens, N, d_model]
  bool norm_first = false;   // norms come before attention and feed-forward, else behind the sums with what went in
  bool bias = true;
  std::optional<DType> dtype = {};  // of the parameters; default_dtype() unless given
};

/// Self-attention, then a feed-forward net of one hidden layer, each added to what went into it and normalized.
class TransformerEncoderLayer : public Layer {
 public:
  /// Throws weft::Error, naming the line, for what its parts refuse and for another activation.
  TransformerEncoderLayer(int64_t d_model, int64_t nhead, TransformerLayerOptions options = {},
                          std::source_location at = std::source_location::current());
  /// Masks as nn::MultiheadAttention takes them: of bool, true is what is NOT seen. (src_mask is attn_mask, src_key_padding_mask is
  /// key_padding_mask.)
  Tensor operator()(Arg src, AttentionMasks masks);
  Tensor forward(Tensor src) override;
  using Module::operator();

  MultiheadAttention self_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2;
  Dropout dropout1, dropout2;

 private:
  Tensor run(Tensor x, const AttentionMasks& masks);

  TransformerLayerOptions options_;
};

/// `num_layers` layers, one after the other, each a clone of `layer`; then `norm`, if given.
class TransformerEncoder : public Layer {
 public:
  TransformerEncoder(const TransformerEncoderLayer& layer, int64_t num_layers, std::optional<LayerNorm> norm = {},
                     std::source_location at = std::source_location::current());
  /// All layers take the masks.
  Tensor operator()(Arg src, AttentionMasks masks);
  Tensor forward(Tensor src) override;
  using Module::operator();

  ModuleList layers;
  std::optional<LayerNorm> norm;

 private:
  Tensor run(Tensor x, const AttentionMasks& masks);
};

/// What a decoder's layers attend to: of the target to itself, and of the target to the memory.
struct DecoderMasks {
  AttentionMasks tgt = {}, memory = {};
};

/// Self-attention of the target, attention of the target to the memory (an encoder's result), then a feed-forward net, each added to
/// what went into it and normalized.
class TransformerDecoderLayer : public Layer {
 public:
  /// Errors as TransformerEncoderLayer.
  TransformerDecoderLayer(int64_t d_model, int64_t nhead, TransformerLayerOptions options = {},
                          std::source_location at = std::source_location::current());
  Tensor operator()(Arg tgt, Arg memory, DecoderMasks masks = {});

  MultiheadAttention self_attn, multihead_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2, norm3;
  Dropout dropout1, dropout2, dropout3;

 private:
  TransformerLayerOptions options_;
};

/// As TransformerEncoder, of decoder layers.
class TransformerDecoder : public Layer {
 public:
  TransformerDecoder(const TransformerDecoderLayer& layer, int64_t num_layers, std::optional<LayerNorm> norm = {},
                     std::source_location at = std::source_location::current());
  Tensor operator()(Arg tgt, Arg memory, DecoderMasks masks = {});

  ModuleList layers;
  std::optional<LayerNorm> norm;
};

}  // namespace weft::nn
