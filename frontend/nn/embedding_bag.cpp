#include "weft/frontend/nn/embedding_bag.h"

#include <limits>

#include "weft/frontend/language/custom_op.h"
#include "weft/frontend/language/init.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/recorder.h"

namespace weft::nn {
namespace {

void require(bool holds, const Tensor& index, const char* what) {
  const Arg operand(index);
  if (!holds) weft::detail::Recorder("nn::EmbeddingBag", {&operand}).fail(what);
}

}  // namespace

EmbeddingBag::EmbeddingBag(int64_t num_embeddings, int64_t embedding_dim, EmbeddingBagOptions options, std::source_location at)
    : options_(std::move(options)) {
  const detail::Making make{"nn::EmbeddingBag", at};
  make.require(options_.mode == "mean" || options_.mode == "sum" || options_.mode == "max",
               "the mode is \"mean\", \"sum\" or \"max\", not \"" + options_.mode + "\"");
  Array rows = make.filled({num_embeddings, embedding_dim}, 0, options_.dtype);
  init::normal(rows);
  weight = add("weight", Parameter("weight", std::move(rows)));
  if (!options_.padding_idx) return;
  int64_t& padding = *options_.padding_idx;
  make.require(padding >= -num_embeddings && padding < num_embeddings,
               fmt::format("padding_idx {} is no row of {}", padding, num_embeddings));
  if (padding < 0) padding += num_embeddings;
  for (int64_t i = 0; i < embedding_dim; ++i) weight.array().set(padding * embedding_dim + i, 0);
}

/// Which indices count.
Tensor EmbeddingBag::kept(const Tensor& index) const {
  return options_.padding_idx ? index != *options_.padding_idx : ones(index.shape(), boolean);
}

Tensor EmbeddingBag::forward(Tensor index) {
  require(index.dim() == 2 && is_integer(index.dtype()), index, "the index must be integers, [bags, n], or [n] with offsets");
  const Tensor rows = embedding(index, weight, options_.padding_idx), here = kept(index), counted = unsqueeze(here, -1);
  if (options_.mode == "max") {
    if (index.size(1) == 0) return sum(rows, 1);
    const Tensor lowest = full_like(rows, -std::numeric_limits<double>::infinity());
    const Tensor largest = max_with_indices(select(counted, rows, lowest), 1).values;
    return select(unsqueeze(any(here, 1), -1), largest, zeros_like(largest));
  }
  const Tensor total = sum(options_.padding_idx ? select(counted, rows, zeros_like(rows)) : rows, 1);
  if (options_.mode == "sum") return total;
  return total / cast(unsqueeze(clamp(count_nonzero(here, 1), 1), -1), total.dtype());
}

Tensor EmbeddingBag::operator()(Arg index, Arg offsets) {
  const Entered entered(*this, index);
  const Tensor flat = entered.tensor(index), starts = entered.tensor(offsets);
  require(flat.dim() == 1 && is_integer(flat.dtype()) && starts.dim() == 1 && is_integer(starts.dtype()), flat,
          "with offsets, both must be integers, the index [n] and the offsets [bags]");
  require(options_.mode != "max", flat,
          "bags that begin at offsets have no mode \"max\"; use rows of an index [bags, n], with padding_idx");
  require(!options_.include_last_offset || starts.size(0) > 0, flat, "with include_last_offset there must be an offset");
  const int64_t n = flat.size(0), bags = starts.size(0) - (options_.include_last_offset ? 1 : 0), width = weight.shape()[1];
  const Tensor checked = weft::call("checked_index", {cast(starts, i64)}, {{"below", n + 1}, {"ascending", true}, {"what", "offsets"}});
  const Tensor first = slice(checked, 0, 0, bags);
  // The bag of a place: as many as begin there or before, less one.
  const Tensor bag = sum(cast(reshape(first, {1, bags}) <= reshape(arange(n), {n, 1}), i64), 1) - 1;
  const Tensor here = kept(flat), rows = embedding(flat, weight, options_.padding_idx);
  const Tensor counted = select(unsqueeze(here, -1), rows, zeros_like(rows));
  const Tensor total = scatter_add(zeros({bags, width}, rows.dtype()), bag, counted);
  if (options_.mode == "sum") return total;
  const Tensor count = scatter_add(zeros({bags}, i64), bag, cast(here, i64));
  return total / cast(unsqueeze(clamp(count, 1), -1), total.dtype());
}

Tensor EmbeddingBag::weighted(Arg index, Arg per_sample_weights) {
  const Entered entered(*this, index);
  const Tensor all = entered.tensor(index), scale = entered.tensor(per_sample_weights);
  require(options_.mode == "sum", all, "per_sample_weights are for mode \"sum\"");
  require(all.dim() == 2 && is_integer(all.dtype()) && scale.shape() == all.shape(), all,
          "the index must be integers, [bags, n], and the weights of its shape");
  const Tensor rows = embedding(all, weight, options_.padding_idx) * unsqueeze(scale, -1);
  return sum(options_.padding_idx ? select(unsqueeze(kept(all), -1), rows, zeros_like(rows)) : rows, 1);
}

}  // namespace weft::nn
