#include "weft/frontend/nn/transformer.h"

#include <algorithm>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/nn/sizes.h"

namespace weft::nn {
namespace {

MultiheadAttention attention(int64_t d_model, int64_t nhead, const TransformerLayerOptions& o, std::source_location at) {
  return {d_model, nhead, {.dropout = o.dropout, .bias = o.bias, .batch_first = o.batch_first, .dtype = o.dtype}, at};
}

Linear linear_layer(int64_t in, int64_t out, const TransformerLayerOptions& o, std::source_location at) {
  return {in, out, {.bias = o.bias, .dtype = o.dtype}, at};
}

LayerNorm norm_layer(int64_t d_model, const TransformerLayerOptions& o, std::source_location at) {
  return LayerNorm({d_model}, {.eps = o.layer_norm_eps, .bias = o.bias, .dtype = o.dtype}, at);
}

void require_activation(const char* layer, const TransformerLayerOptions& o, std::source_location at) {
  const detail::Making make{layer, at};
  make.require(o.activation == "relu" || o.activation == "gelu",
               fmt::format("the activation must be \"relu\" or \"gelu\", not \"{}\"", o.activation));
}

/// x and what `part` makes of it, normalized before or behind.
template <class Part>
Tensor added(const Tensor& x, bool norm_first, LayerNorm& norm, Part part) {
  return norm_first ? x + part(norm(x)) : norm(x + part(x));
}

template <class L>
Tensor feed_forward(L& layer, const std::string& activation, const Tensor& x) {
  const Tensor hidden = layer.linear1(x);
  return layer.linear2(layer.dropout(activation == "relu" ? relu(hidden) : gelu(hidden)));
}

template <class Layer>
void append_clones(ModuleList& layers, const char* stack, const Layer& layer, int64_t count, std::source_location at) {
  const detail::Making make{stack, at};
  make.require(count >= 0, fmt::format("num_layers must not be negative, but is {}", count));
  detail::require_layers(make, count);
  for (int64_t i = 0; i < count; ++i) layers.append(clone(layer, at));
}

}  // namespace

TransformerEncoderLayer::TransformerEncoderLayer(int64_t d_model, int64_t nhead, TransformerLayerOptions options, std::source_location at)
    : self_attn(add("self_attn", attention(d_model, nhead, options, at))),
      linear1(add("linear1", linear_layer(d_model, options.dim_feedforward, options, at))),
      dropout(add("dropout", Dropout(options.dropout, at))),
      linear2(add("linear2", linear_layer(options.dim_feedforward, d_model, options, at))),
      norm1(add("norm1", norm_layer(d_model, options, at))), norm2(add("norm2", norm_layer(d_model, options, at))),
      dropout1(add("dropout1", Dropout(options.dropout, at))), dropout2(add("dropout2", Dropout(options.dropout, at))),
      options_(std::move(options)) {
  require_activation("nn::TransformerEncoderLayer", options_, at);
}

Tensor TransformerEncoderLayer::run(Tensor x, const AttentionMasks& masks) {
  x = added(x, options_.norm_first, norm1, [&](const Tensor& y) { return dropout1(self_attn(y, y, y, masks)); });
  return added(x, options_.norm_first, norm2, [&](const Tensor& y) { return dropout2(feed_forward(*this, options_.activation, y)); });
}

Tensor TransformerEncoderLayer::operator()(Arg src, AttentionMasks masks) {
  const Entered entered(*this, src);
  return run(entered.tensor(src), masks);
}

Tensor TransformerEncoderLayer::forward(Tensor src) { return run(std::move(src), {}); }

TransformerEncoder::TransformerEncoder(const TransformerEncoderLayer& layer, int64_t num_layers, std::optional<LayerNorm> last,
                                       std::source_location at)
    : layers(add("layers", ModuleList())) {
  append_clones(layers, "nn::TransformerEncoder", layer, num_layers, at);
  if (last) norm = add("norm", *last);
}

Tensor TransformerEncoder::run(Tensor x, const AttentionMasks& masks) {
  for (Module& layer : layers) x = static_cast<TransformerEncoderLayer&>(layer)(x, masks);
  return norm ? (*norm)(x) : x;
}

Tensor TransformerEncoder::operator()(Arg src, AttentionMasks masks) {
  const Entered entered(*this, src);
  return run(entered.tensor(src), masks);
}

Tensor TransformerEncoder::forward(Tensor src) { return run(std::move(src), {}); }

TransformerDecoderLayer::TransformerDecoderLayer(int64_t d_model, int64_t nhead, TransformerLayerOptions options, std::source_location at)
    : self_attn(add("self_attn", attention(d_model, nhead, options, at))),
      multihead_attn(add("multihead_attn", attention(d_model, nhead, options, at))),
      linear1(add("linear1", linear_layer(d_model, options.dim_feedforward, options, at))),
      dropout(add("dropout", Dropout(options.dropout, at))),
      linear2(add("linear2", linear_layer(options.dim_feedforward, d_model, options, at))),
      norm1(add("norm1", norm_layer(d_model, options, at))), norm2(add("norm2", norm_layer(d_model, options, at))),
      norm3(add("norm3", norm_layer(d_model, options, at))), dropout1(add("dropout1", Dropout(options.dropout, at))),
      dropout2(add("dropout2", Dropout(options.dropout, at))), dropout3(add("dropout3", Dropout(options.dropout, at))),
      options_(std::move(options)) {
  require_activation("nn::TransformerDecoderLayer", options_, at);
}

Tensor TransformerDecoderLayer::operator()(Arg tgt, Arg memory, DecoderMasks masks) {
  const Entered entered(*this, tgt);
  const bool first = options_.norm_first;
  Tensor x = entered.tensor(tgt);
  x = added(x, first, norm1, [&](const Tensor& y) { return dropout1(self_attn(y, y, y, masks.tgt)); });
  x = added(x, first, norm2, [&](const Tensor& y) { return dropout2(multihead_attn(y, memory, memory, masks.memory)); });
  return added(x, first, norm3, [&](const Tensor& y) { return dropout3(feed_forward(*this, options_.activation, y)); });
}

TransformerDecoder::TransformerDecoder(const TransformerDecoderLayer& layer, int64_t num_layers, std::optional<LayerNorm> last,
                                       std::source_location at)
    : layers(add("layers", ModuleList())) {
  append_clones(layers, "nn::TransformerDecoder", layer, num_layers, at);
  if (last) norm = add("norm", *last);
}

Tensor TransformerDecoder::operator()(Arg tgt, Arg memory, DecoderMasks masks) {
  const Entered entered(*this, tgt);
  Tensor x = entered.tensor(tgt);
  for (Module& layer : layers) x = static_cast<TransformerDecoderLayer&>(layer)(x, memory, masks);
  return norm ? (*norm)(x) : x;
}

}  // namespace weft::nn
