#pragma once
// Keys and values that attention has seen, for generating a sequence step by step.

#include <optional>

#include "weft/frontend/nn/layers.h"

namespace weft::nn {

/// Room for the keys and values of `tokens` tokens, as buffers. One program may fill it with a prompt and another go on a token at a
/// time, since they share the buffers:
///
///   const auto [keys, values, seen] = cache(k, v, position);           // k, v [N, heads, L, width]: those of tokens position ...
///   y = scaled_dot_product_attention(q, keys, values, {.attn_mask = seen});
///
/// is what causal attention over all tokens so far gives for the last L of them.
class KeyValueCache : public Layer {
 public:
  /// Throws weft::Error, naming the line, for a negative size.
  KeyValueCache(int64_t batch, int64_t heads, int64_t tokens, int64_t width, std::optional<DType> dtype = {},
                std::source_location at = std::source_location::current());

  struct Seen {
    Tensor keys, values;  // [batch, heads, tokens, width]; behind the last token that came, whatever was there
    Tensor mask;          // [1, 1, L, tokens] of bool: which keys each new token sees, itself among them
  };
  /// `position`, i64 of shape []: the number of tokens before these. A token beyond the room is lost.
  Seen operator()(Arg k, Arg v, Arg position);

  Parameter keys, values;

 private:
  Tensor written(const Parameter& buffer, const Tensor& rows, const Tensor& place) const;
};

}  // namespace weft::nn
