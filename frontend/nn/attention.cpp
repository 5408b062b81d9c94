#include "weft/frontend/nn/attention.h"

#include <functional>
#include <limits>

#include "weft/frontend/language/attention.h"
#include "weft/frontend/language/dropout_rate.h"
#include "weft/frontend/language/init.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

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

Hyper rate_of(double p, const detail::Making& make) {
  make.require(p >= 0 && p <= 1, fmt::format("dropout must lie in [0, 1], not be {}", p));
  return {"nn::MultiheadAttention's dropout", p, {.low = 0, .high = 1}};
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

}  // namespace

struct MultiheadAttention::Attended {
  Tensor result, weights;
};

MultiheadAttention::MultiheadAttention(int64_t embed_dim, int64_t num_heads, MultiheadAttentionOptions options, std::source_location at)
    : dropout(rate_of(options.dropout, {name, at})), out_proj(output_projection(embed_dim, options, at)), heads_(num_heads),
      batch_first_(options.batch_first) {
  const detail::Making make{name, at};
  make.require(num_heads > 0 && embed_dim > 0 && embed_dim % num_heads == 0,
               fmt::format("embed_dim, {}, must be a positive multiple of num_heads, {}", embed_dim, num_heads));
  const int64_t kdim = options.kdim.value_or(embed_dim), vdim = options.vdim.value_or(embed_dim);
  if (kdim == embed_dim && vdim == embed_dim) {
    in_proj_weight = add("in_proj_weight", xavier(make, "in_proj_weight", {3 * embed_dim, embed_dim}, options.dtype));
  } else {
    q_proj_weight = add("q_proj_weight", xavier(make, "q_proj_weight", {embed_dim, embed_dim}, options.dtype));
    k_proj_weight = add("k_proj_weight", xavier(make, "k_proj_weight", {embed_dim, kdim}, options.dtype));
    v_proj_weight = add("v_proj_weight", xavier(make, "v_proj_weight", {embed_dim, vdim}, options.dtype));
  }
  if (options.bias) in_proj_bias = add("in_proj_bias", make.constant("in_proj_bias", {3 * embed_dim}, 0, options.dtype));
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

MultiheadAttention::Attended MultiheadAttention::attend(Arg query, Arg key, Arg value, const AttentionMasks& masks, bool with_weights) {
  const Entered entered(*this, query);
  Recorder r(name, {&query, &key, &value, pointer(masks.key_padding_mask), pointer(masks.attn_mask)});
  const Tensor given[] = {r.tensor(r.value(query)), r.tensor(r.value(key)), r.tensor(r.value(value))};
  const int rank = given[0].shape().rank();
  const bool batched = rank == 3;
  const int batch_axis = batch_first_ ? 0 : 1;
  for (const Tensor& x : given)
    if ((rank != 2 && rank != 3) || x.shape().rank() != rank)
      r.fail(fmt::format("query, key and value must each be {}, or [tokens, features] without a batch",
                         batch_first_ ? "[N, tokens, features]" : "[tokens, N, features]"));
  const int64_t features = out_proj.weight.shape()[0], width = features / heads_;
  const int64_t wanted[] = {features, in_proj_weight.defined() ? features : k_proj_weight.shape()[1],
                            in_proj_weight.defined() ? features : v_proj_weight.shape()[1]};
  Tensor x[3];
  for (int i = 0; i < 3; ++i) {
    Dims shape = given[i].shape().dims();
    if (shape.back() != wanted[i])
      r.fail(fmt::format("{} must have {} features, its last axis", i == 0 ? "query" : i == 1 ? "key" : "value", wanted[i]));
    if (!batched) shape.insert(shape.begin() + batch_axis, 1);
    x[i] = batched ? given[i] : reshape(given[i], shape);
  }
  const int64_t batch = x[0].shape()[batch_axis], queries = x[0].shape()[1 - batch_axis], keys = x[1].shape()[1 - batch_axis];
  if (x[1].shape()[batch_axis] != batch || x[2].shape()[batch_axis] != batch) r.fail("query, key and value must have equal batches");
  if (x[2].shape()[1 - batch_axis] != keys) r.fail("there must be a value for each key");

  // Rows first .. end of the joined projection.
  const auto projected = [&](const Tensor& from, const Parameter& weight, int64_t first, int64_t end, bool all) {
    const Tensor w = all ? Tensor() : slice(weight, 0, first, end);
    if (!in_proj_bias.defined()) return all ? linear(from, weight) : linear(from, w);
    if (all) return linear(from, weight, in_proj_bias);
    return linear(from, w, slice(in_proj_bias, 0, first, end));
  };
  const auto apart = [&](const Tensor& from, const Parameter& weight, int64_t which) {
    if (!in_proj_bias.defined()) return linear(from, weight);
    return linear(from, weight, slice(in_proj_bias, 0, which * features, (which + 1) * features));
  };
  // [N, heads, tokens, width]
  const auto by_heads = [&](const Tensor& all, int64_t which) {
    const Tensor part = all.shape()[-1] == features ? all : slice(all, -1, which * features, (which + 1) * features);
    Dims shape(part.shape().begin(), part.shape().end() - 1);
    shape.insert(shape.end(), {heads_, width});
    return permute(reshape(part, shape), batch_first_ ? Dims{0, 2, 1, 3} : Dims{1, 2, 0, 3});
  };
  Tensor q, k, v;
  if (!in_proj_weight.defined()) {
    q = by_heads(apart(x[0], q_proj_weight, 0), 0), k = by_heads(apart(x[1], k_proj_weight, 1), 0),
    v = by_heads(apart(x[2], v_proj_weight, 2), 0);
  } else if (given[0].node == given[1].node && given[0].node == given[2].node) {
    const Tensor all = projected(x[0], in_proj_weight, 0, 3 * features, true);
    q = by_heads(all, 0), k = by_heads(all, 1), v = by_heads(all, 2);
  } else {
    q = by_heads(projected(x[0], in_proj_weight, 0, features, false), 0);
    if (given[1].node == given[2].node) {
      const Tensor both = projected(x[1], in_proj_weight, features, 3 * features, false);
      k = by_heads(both, 0), v = by_heads(both, 1);
    } else {
      k = by_heads(projected(x[1], in_proj_weight, features, 2 * features, false), 0);
      v = by_heads(projected(x[2], in_proj_weight, 2 * features, 3 * features, false), 0);
    }
  }

  Merged merged;
  const auto mask_of = [&](const Arg& arg, const char* what) {
    const Tensor mask = r.tensor(r.value(arg));
    if (mask.dtype() != boolean && !is_floating(mask.dtype()))
      r.fail(fmt::format("the {} must be bool (true where a key is NOT seen) or floating (added to the scores)", what));
    return mask;
  };
  if (masks.key_padding_mask) {
    const Tensor mask = mask_of(*masks.key_padding_mask, "key_padding_mask");
    const Shape shape = batched ? Shape{batch, keys} : Shape{keys};
    if (mask.shape() != shape) r.fail("the key_padding_mask must be " + to_string(shape));
    merged.add(reshape(mask, {batch, 1, 1, keys}));
  }
  if (masks.attn_mask) {
    const Tensor mask = mask_of(*masks.attn_mask, "attn_mask");
    const Shape one{queries, keys}, each{batch * heads_, queries, keys};
    if (mask.shape() != one && mask.shape() != each) r.fail(fmt::format("the attn_mask must be {} or {}", to_string(one), to_string(each)));
    merged.add(reshape(mask, mask.shape() == one ? Dims{1, 1, queries, keys} : Dims{batch, heads_, queries, keys}));
  }

  const AttentionOptions options{.attn_mask = merged.mask(), .is_causal = masks.is_causal};
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
  Dims shape = batch_first_ ? Dims{batch, queries, features} : Dims{queries, batch, features};
  Tensor result = out_proj(reshape(permute(all.result, batch_first_ ? Dims{0, 2, 1, 3} : Dims{2, 0, 1, 3}), shape));
  if (!batched) {
    result = reshape(result, {queries, features});
    if (with_weights) all.weights = reshape(all.weights, {heads_, queries, keys});
  }
  all.result = result;
  return all;
}

}  // namespace weft::nn
