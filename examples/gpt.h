#pragma once
// A GPT of characters, which lesson 8 trains and which then writes. Its parameters are called as those of the same net in PyTorch
// (tests/recipes/char_gpt.py), so that each reads the other's weights.

#include <optional>
#include <vector>

#include "weft/weft.h"

namespace gpt {

struct Sizes {
  int64_t characters = 0;  // different ones
  int64_t window = 128;    // characters that are seen at once
  int64_t layers = 4, width = 128, heads = 4;
};

/// Where a net that writes character by character is: the number of characters before, i64 [], and what was seen of them, for each block.
struct Writing {
  weft::Tensor position;
  std::vector<weft::nn::KeyValueCache>& caches;
};

struct Block : weft::nn::Module {
  Block(int64_t width, int64_t heads)
      : heads(heads), norm1(add("norm1", weft::nn::LayerNorm({width}))), qkv(add("qkv", weft::nn::Linear(width, 3 * width))),
        out(add("out", weft::nn::Linear(width, width))), norm2(add("norm2", weft::nn::LayerNorm({width}))),
        up(add("up", weft::nn::Linear(width, 4 * width))), down(add("down", weft::nn::Linear(4 * width, width))) {}

  /// x [N, T, width]; with a cache, what came before it is seen too.
  weft::Tensor operator()(weft::Arg x, weft::nn::KeyValueCache* cache = nullptr, const weft::Tensor& position = {}) {
    const Entered entered(*this, x);
    weft::Tensor y = entered.tensor(x);
    y = y + out(attend(qkv(norm1(y)), cache, position));
    return y + down(gelu(up(norm2(y))));
  }

  /// Of queries, keys and values side by side, [N, T, 3 width].
  weft::Tensor attend(const weft::Tensor& all, weft::nn::KeyValueCache* cache, const weft::Tensor& position) const {
    const int64_t n = all.shape()[0], tokens = all.shape()[1], width = all.shape()[2] / 3;
    std::vector<weft::Tensor> parts = chunk(all, 3, 2);
    for (weft::Tensor& part : parts) part = transpose(reshape(part, {n, tokens, heads, width / heads}), 1, 2);
    weft::Tensor y;
    if (cache) {
      const auto [keys, values, seen] = (*cache)(parts[1], parts[2], position);
      y = scaled_dot_product_attention(parts[0], keys, values, {.attn_mask = seen});
    } else {
      y = scaled_dot_product_attention(parts[0], parts[1], parts[2], {.is_causal = true});
    }
    return reshape(transpose(y, 1, 2), {n, tokens, width});
  }

  int64_t heads;
  weft::nn::LayerNorm norm1;
  weft::nn::Linear qkv, out;
  weft::nn::LayerNorm norm2;
  weft::nn::Linear up, down;
};

/// Throws weft::Error for a width that the heads do not share out.
struct Net : weft::nn::Module {
  explicit Net(const Sizes& sizes)
      : sizes(sizes), token(add("token", weft::nn::Embedding(sizes.characters, sizes.width))),
        position(add("position", weft::nn::Embedding(sizes.window, sizes.width))), blocks(add("blocks", stack(sizes))),
        norm(add("norm", weft::nn::LayerNorm({sizes.width}))),
        head(add("head", weft::nn::Linear(sizes.width, sizes.characters, {.bias = false}))) {
    for (auto& [name, p] : named_parameters())
      if (p.shape().rank() == 2) weft::init::normal(p, 0, 0.02);
  }

  /// x [N, T] to scores [N, T, characters].
  weft::Tensor forward(weft::Tensor x) override { return scores(x, std::nullopt); }

  weft::Tensor scores(const weft::Tensor& x, const std::optional<Writing>& writing) {
    const weft::Tensor places = weft::arange(x.shape()[1]);
    weft::Tensor y = token(x) + position(writing ? places + writing->position : places);
    for (size_t i = 0; i < blocks.size(); ++i) {
      Block& block = blocks[i].as<Block>();
      y = writing ? block(y, &writing->caches[i], writing->position) : block(y);
    }
    return head(norm(y));
  }

  /// Room for a window, for each block.
  std::vector<weft::nn::KeyValueCache> caches() const {
    std::vector<weft::nn::KeyValueCache> all;
    for (int64_t i = 0; i < sizes.layers; ++i) all.emplace_back(1, sizes.heads, sizes.window, sizes.width / sizes.heads);
    return all;
  }

  Sizes sizes;
  weft::nn::Embedding token, position;
  weft::nn::ModuleList blocks;
  weft::nn::LayerNorm norm;
  weft::nn::Linear head;

 private:
  static weft::nn::ModuleList stack(const Sizes& sizes) {
    if (sizes.width % sizes.heads != 0) throw weft::Error("the width, {}, must be a multiple of the heads, {}", sizes.width, sizes.heads);
    weft::nn::ModuleList all;
    for (int64_t i = 0; i < sizes.layers; ++i) all.append(Block(sizes.width, sizes.heads));
    return all;
  }
};

}  // namespace gpt
