#include "weft/frontend/language/attention.h"

#include <cmath>
#include <limits>

#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scope.h"

namespace weft {
namespace {

using detail::pointer;
using detail::Recorder;
using ir::Value;

/// Operands as the op wants them: of equal rank, with equal leading axes but for heads that are shared.
struct Operands {
  Value q, k, v, mask;  // the mask may be null
  double scale;
};

Shape with_rank(const Shape& shape, int rank) {
  Dims dims(static_cast<size_t>(rank - shape.rank()), 1);
  dims.insert(dims.end(), shape.begin(), shape.end());
  return Shape(dims);
}

Shape joined(const Dims& lead, std::initializer_list<int64_t> last) {
  Dims dims = lead;
  dims.insert(dims.end(), last);
  return Shape(dims);
}

/// The leading axes of all three, broadcast; with shared heads, those of queries and of keys may differ in the last one.
std::pair<Dims, Dims> leading_axes(Recorder& r, Value q, Value k, Value v, bool shared_heads) {
  const auto lead = [&](Value x) { return Dims(x.shape().begin(), x.shape().end() - 2); };
  Dims of_q = lead(q), of_k = lead(k), of_v = lead(v);
  int64_t heads_q = 1, heads_k = 1;
  if (shared_heads) {
    if (of_q.empty() || of_k.empty() || of_v.empty() || of_k.back() != of_v.back())
      r.fail("enable_gqa: keys and values must have equal heads, along axis -3");
    heads_q = of_q.back(), heads_k = of_k.back();
    if (heads_k == 0 || heads_q % heads_k != 0) r.fail("enable_gqa: the queries' heads must be a multiple of the keys', along axis -3");
    of_q.pop_back(), of_k.pop_back(), of_v.pop_back();
  }
  Shape all;
  if (!broadcast_shapes(Shape(of_q), Shape(of_k), all) || !broadcast_shapes(all, Shape(of_v), all))
    r.fail("the leading axes of query, key and value do not broadcast");
  if (!shared_heads) return {all.dims(), all.dims()};
  return {joined(all.dims(), {heads_q}).dims(), joined(all.dims(), {heads_k}).dims()};
}

Operands operands_of(Recorder& r, const Arg& query, const Arg& key, const Arg& value, const AttentionOptions& options) {
  Operands o{r.value(query), r.value(key), r.value(value), {}, 1};
  for (Value x : {o.q, o.k, o.v})
    if (x.shape().rank() < 2 || !is_floating(x.dtype())) r.fail("query, key and value must be floating, with at least two axes");
  if (o.q.dtype() != o.k.dtype() || o.q.dtype() != o.v.dtype()) r.fail("query, key and value must have equal element types");
  const int64_t queries = o.q.shape()[-2], keys = o.k.shape()[-2], width = o.q.shape()[-1];
  if (o.k.shape()[-1] != width) r.fail("query and key must have equal last axes");
  if (o.v.shape()[-2] != keys) r.fail("there must be a value for each key: axis -2 of both");
  o.scale = options.scale.value_or(1 / std::sqrt(static_cast<double>(std::max<int64_t>(width, 1))));
  if (!std::isfinite(o.scale)) r.fail("the scale must be finite");
  const auto [of_queries, of_keys] = leading_axes(r, o.q, o.k, o.v, options.enable_gqa);
  o.q = r.builder.broadcast(o.q, joined(of_queries, {queries, width}));
  o.k = r.builder.broadcast(o.k, joined(of_keys, {keys, width}));
  o.v = r.builder.broadcast(o.v, joined(of_keys, {keys, o.v.shape()[-1]}));
  if (!options.attn_mask) return o;
  o.mask = r.value(*options.attn_mask);
  if (o.mask.dtype() != boolean && !is_floating(o.mask.dtype()))
    r.fail("the mask must be bool (true where a key is seen) or floating (added to the scores)");
  Shape whole = joined(of_queries, {queries, keys}), both;
  if (o.mask.shape().rank() > whole.rank() || !broadcast_shapes(o.mask.shape(), whole, both) || both != whole)
    r.fail(fmt::format("the mask must broadcast to [..., queries, keys], which is {}", to_string(whole)));
  if (o.mask.dtype() != boolean) o.mask = r.builder.cast(o.mask, o.q.dtype());
  o.mask = r.builder.reshape(o.mask, with_rank(o.mask.shape(), whole.rank()));
  return o;
}

constexpr const char* name = "scaled_dot_product_attention";

}  // namespace

Tensor scaled_dot_product_attention(Arg query, Arg key, Arg value, AttentionOptions options) {
  Recorder r(name, {&query, &key, &value, pointer(options.attn_mask)});
  const double p = options.dropout_p;
  if (!(p >= 0 && p <= 1)) r.fail(fmt::format("dropout_p must lie in [0, 1], not be {}", p));
  if (p > 0) return detail::attention_with_weights(query, key, value, options, [p](Tensor weights) { return dropout(weights, p); }).result;
  const Operands o = operands_of(r, query, key, value, options);
  std::vector<Value> operands{o.q, o.k, o.v};
  if (o.mask) operands.push_back(o.mask);
  return r.tensor(r.builder.create("attention", operands, {{"scale", o.scale}, {"causal", options.is_causal}}).result(0));
}

detail::Attended detail::attention_with_weights(Arg query, Arg key, Arg value, const AttentionOptions& options,
                                                const std::function<Tensor(Tensor)>& dropout) {
  Recorder r(name, {&query, &key, &value, pointer(options.attn_mask)});
  const Operands o = operands_of(r, query, key, value, options);
  const Tensor q = r.tensor(o.q), v = r.tensor(o.v);
  const Scope scope("", Scope::Code::library, Scope::call_site(query.where()), q.recording);
  const Shape by_heads = o.q.shape();
  const int64_t queries = by_heads[-2], keys = o.k.shape()[-2];
  // The queries of heads that share keys stand one after the other.
  const auto grouped = [&](const Tensor& x) {
    Dims dims = o.k.shape().dims();
    dims[dims.size() - 2] = -1, dims.back() = x.shape()[-1];
    return reshape(x, dims);
  };
  const auto ungrouped = [&](const Tensor& x) {
    return reshape(x, joined(Dims(by_heads.begin(), by_heads.end() - 2), {queries, x.shape()[-1]}).dims());
  };
  const bool shares = o.q.shape().rank() > 2 && o.q.shape()[-3] != o.k.shape()[-3];
  const auto product = [&](const Tensor& a, const Tensor& b) { return shares ? ungrouped(matmul(grouped(a), b)) : matmul(a, b); };
  Tensor scores = product(q, transpose(r.tensor(o.k))) * o.scale;
  std::optional<Tensor> seen;
  if (o.mask && o.mask.dtype() == boolean) seen = r.tensor(o.mask);
  else if (o.mask) scores = scores + r.tensor(o.mask), seen = r.tensor(o.mask) > -std::numeric_limits<double>::infinity();
  if (options.is_causal) {
    const Tensor causal = reshape(arange(keys), {1, keys}) <= reshape(arange(queries), {queries, 1});
    seen = seen ? *seen && causal : causal;
  }
  // A number that is finite, so that a row that sees nothing has no nan; its weights are 0 behind the softmax.
  constexpr double hidden = -1e30;
  Tensor weights = softmax(seen ? select(*seen, scores, hidden) : scores, -1);
  if (seen) weights = select(*seen, weights, 0.0);
  const Tensor dropped = dropout ? dropout(weights) : weights;
  return {product(dropped, v), weights};
}

}  // namespace weft
