#include "weft/frontend/nn/attention.h"

#include <functional>
#include <limits>

#include "weft/frontend/language/attention.h"
#include "weft/frontend/language/dropout_rate.h"
#include "weft/frontend/language/init.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/frontend/nn/sizes.h"

namespace weft::nn {
namespace {

using weft::detail::pointer;
using weft::detail::Recorder;

constexpr const char* name = "nn::MultiheadAttention";

Parameter xavier(const detail::Making& make, const char* parameter, const Dims& shape, std::optional<DType> dtype) {
  Parameter p = make.constant(parameter, shape, 0, dtype);
  init::xavier_uniform(p);
  return p;
}

Linear output_projection(int64_t embed_dim, const MultiheadAttentionOptions& options, std::source_location at) {
  Linear projection(embed_dim, embed_dim, {.bias = options.bias, .dtype = options.dtype}, at);
  if (projection.bias.defined()) init::constant(projection.bias, 0);
  return projection;
}

/// What is seen, and what is added to scores, of several masks.
struct Merged {
  std::optional<Tensor> seen = {}, added = {};

  /// `mask` is of bool, true where something is hidden, or floating.
  void add(const Tensor& mask) {
    if (mask.dtype() == boolean) seen = seen ? *seen && !mask : !mask;
    else added = added ? *added + mask : mask;
  }
  std::optional<Arg> mask() const {
    if (seen && added) return select(*seen, *added, -std::numeric_limits<double>::infinity());
    if (seen) return *seen;
    if (added) return *added;
    return std::nullopt;
  }
};

/// Query, key and value with a batch axis each.
struct Operands {
  Tensor x[3];
  bool batched, self, shared;  // had they one, are all the same, are key and value
  int64_t batch, queries, keys;
};

Operands operands_of(Recorder& r, const Arg* const (&given)[3], const int64_t (&features)[3], bool batch_first) {
  Operands o;
  for (int i = 0; i < 3; ++i) o.x[i] = r.tensor(r.value(*given[i]));
  o.shared = o.x[1].node == o.x[2].node, o.self = o.shared && o.x[0].node == o.x[1].node;
  const int rank = o.x[0].shape().rank();
  o.batched = rank == 3;
  const int batch_axis = batch_first ? 0 : 1;
  for (int i = 0; i < 3; ++i) {
    Dims shape = o.x[i].shape().dims();
    if ((rank != 2 && rank != 3) || std::ssize(shape) != rank)
      r.fail(fmt::format("query, key and value must each be {}, or [tokens, features] without a batch",
                         batch_first ? "[N, tokens, features]" : "[tokens, N, features]"));
    if (shape.back() != features[i])
      r.fail(fmt::format("{} must have {} features, its last axis", i == 0 ? "query" : i == 1 ? "key" : "value", features[i]));
    if (o.batched) continue;
    shape.insert(shape.begin() + batch_axis, 1);
    o.x[i] = reshape(o.x[i], shape);
  }
  o.batch = o.x[0].shape()[batch_axis], o.queries = o.x[0].shape()[1 - batch_axis], o.keys = o.x[1].shape()[1 - batch_axis];
  if (o.x[1].shape()[batch_axis] != o.batch || o.x[2].shape()[batch_axis] != o.batch)
    r.fail("query, key and value must have equal batches");
  if (o.x[2].shape()[1 - batch_axis] != o.keys) r.fail("there must be a value for each key");
  return o;
}

std::optional<Arg> merged_masks(Recorder& r, const AttentionMasks& masks, const Operands& o, int64_t heads) {
  Merged merged;
  const auto mask_of = [&](const Arg& arg, const char* what) {
    const Tensor mask = r.tensor(r.value(arg));
    if (mask.dtype() != boolean && !is_floating(mask.dtype()))
      r.fail(fmt::format("the {} must be bool (true where a key is NOT seen) or floating (added to the scores)", what));
    return mask;
  };
  if (masks.key_padding_mask) {
    const Tensor mask = mask_of(*masks.key_padding_mask, "key_padding_mask");
    const Shape shape = o.batched ? Shape{o.batch, o.keys} : Shape{o.keys};
    if (mask.shape() != shape) r.fail("the key_padding_mask must be " + to_string(shape));
    merged.add(reshape(mask, {o.batch, 1, 1, o.keys}));
  }
  if (masks.attn_mask) {
    const Tensor mask = mask_of(*masks.attn_mask, "attn_mask");
    const Shape one{o.queries, o.keys}, each{o.batch * heads, o.queries, o.keys};
    if (mask.shape() != one && mask.shape() != each) r.fail(fmt::format("the attn_mask must be {} or {}", to_string(one), to_string(each)));
    merged.add(reshape(mask, mask.shape() == one ? Dims{1, 1, o.queries, o.keys} : Dims{o.batch, heads, o.queries, o.keys}));
  }
  return merged.mask();
}

}  // namespace

struct MultiheadAttention::Attended {
  Tensor result, weights;
};

MultiheadAttention::MultiheadAttention(int64_t embed_dim, int64_t num_heads, MultiheadAttentionOptions options, std::source_location at)
    : dropout(detail::Making{name, at}.dropout_rate(options.dropout)), out_proj(output_projection(embed_dim, options, at)),
      heads_(num_heads), batch_first_(options.batch_first) {
  const detail::Making make{name, at};
  make.require(num_heads > 0 && embed_dim > 0 && embed_dim % num_heads == 0,
               fmt::format("embed_dim, {}, must be a positive multiple of num_heads, {}", embed_dim, num_heads));
  const int64_t kdim = options.kdim.value_or(embed_dim), vdim = options.vdim.value_or(embed_dim);
  if (kdim == embed_dim && vdim == embed_dim) {
    in_proj_weight =
        add("in_proj_weight", xavier(make, "in_proj_weight", {detail::times(make, 3, embed_dim, "embed_dim"), embed_dim}, options.dtype));
  } else {
    q_proj_weight = add("q_proj_weight", xavier(make, "q_proj_weight", {embed_dim, embed_dim}, options.dtype));
    k_proj_weight = add("k_proj_weight", xavier(make, "k_proj_weight", {embed_dim, kdim}, options.dtype));
    v_proj_weight = add("v_proj_weight", xavier(make, "v_proj_weight", {embed_dim, vdim}, options.dtype));
  }
  if (options.bias)
    in_proj_bias = add("in_proj_bias", make.constant("in_proj_bias", {detail::times(make, 3, embed_dim, "embed_dim")}, 0, options.dtype));
  register_part("out_proj", out_proj);
}

Tensor MultiheadAttention::operator()(Arg query, Arg key, Arg value, AttentionMasks masks) {
  return attend(query, key, value, masks, false).result;
}

Tensor MultiheadAttention::forward(Tensor x) { return attend(x, x, x, {}, false).result; }

std::pair<Tensor, Tensor> MultiheadAttention::with_weights(Arg query, Arg key, Arg value, AttentionMasks masks, bool average) {
  const Attended all = attend(query, key, value, masks, true);
  return {all.result, average ? mean(all.weights, all.weights.shape().rank() - 3) : all.weights};
}

/// x times rows first .. end of a weight, transposed, and the bias of rows bias .. of all three projections.
Tensor MultiheadAttention::projected(const Tensor& x, const Parameter& weight, int64_t first, int64_t end, int64_t bias) const {
  const bool all = first == 0 && end == weight.shape()[0];
  const Arg rows = all ? Arg(weight) : Arg(slice(weight, 0, first, end));
  if (!in_proj_bias.defined()) return linear(x, rows);
  const bool whole = bias == 0 && end - first == in_proj_bias.shape()[0];
  return linear(x, rows, whole ? Arg(in_proj_bias) : Arg(slice(in_proj_bias, 0, bias, bias + end - first)));
}

/// Part `which` of the last axis as [N, heads, tokens, width].
Tensor MultiheadAttention::by_heads(const Tensor& x, int64_t which) const {
  const int64_t features = out_proj.weight.shape()[0];
  const Tensor part = x.shape()[-1] == features ? x : slice(x, -1, which * features, (which + 1) * features);
  Dims shape(part.shape().begin(), part.shape().end() - 1);
  shape.insert(shape.end(), {heads_, features / heads_});
  return permute(reshape(part, shape), batch_first_ ? Dims{0, 2, 1, 3} : Dims{1, 2, 0, 3});
}

MultiheadAttention::Attended MultiheadAttention::attend(Arg query, Arg key, Arg value, const AttentionMasks& masks, bool with_weights) {
  const Entered entered(*this, query);
  Recorder r(name, {&query, &key, &value, pointer(masks.key_padding_mask), pointer(masks.attn_mask)});
  const int64_t n = out_proj.weight.shape()[0];
  const bool joined = in_proj_weight.defined();
  const int64_t features[] = {n, joined ? n : k_proj_weight.shape()[1], joined ? n : v_proj_weight.shape()[1]};
  const Operands o = operands_of(r, {&query, &key, &value}, features, batch_first_);
  Tensor q, k, v;
  if (!joined) {
    q = by_heads(projected(o.x[0], q_proj_weight, 0, n, 0), 0), k = by_heads(projected(o.x[1], k_proj_weight, 0, n, n), 0);
    v = by_heads(projected(o.x[2], v_proj_weight, 0, n, 2 * n), 0);
  } else if (o.self) {
    const Tensor all = projected(o.x[0], in_proj_weight, 0, 3 * n, 0);
    q = by_heads(all, 0), k = by_heads(all, 1), v = by_heads(all, 2);
  } else {
    q = by_heads(projected(o.x[0], in_proj_weight, 0, n, 0), 0);
    const Tensor of_key = projected(o.x[1], in_proj_weight, n, o.shared ? 3 * n : 2 * n, n);
    k = by_heads(of_key, 0);
    v = o.shared ? by_heads(of_key, 1) : by_heads(projected(o.x[2], in_proj_weight, 2 * n, 3 * n, 2 * n), 0);
  }
  const AttentionOptions options{.attn_mask = merged_masks(r, masks, o, heads_), .is_causal = masks.is_causal};
  const bool drops = training() && dropout > 0;
  if (training() && !drops) weft::detail::dropout_at_rate(q, dropout);  // which notes that there is none
  Attended all;
  if (drops) {
    const auto written =
        weft::detail::attention_with_weights(q, k, v, options, [this](Tensor w) { return weft::detail::dropout_at_rate(w, dropout); });
    all = {written.result, written.weights};
  } else {
    all.result = scaled_dot_product_attention(q, k, v, options);
    if (with_weights) all.weights = weft::detail::attention_with_weights(q, k, v, options, nullptr).weights;
  }
  const Tensor in_order = permute(all.result, batch_first_ ? Dims{0, 2, 1, 3} : Dims{2, 0, 1, 3});
  all.result = out_proj(reshape(in_order, batch_first_ ? Dims{o.batch, o.queries, n} : Dims{o.queries, o.batch, n}));
  if (!o.batched) {
    all.result = reshape(all.result, {o.queries, n});
    if (with_weights) all.weights = reshape(all.weights, {heads_, o.queries, o.keys});
  }
  return all;
}

}  // namespace weft::nn
