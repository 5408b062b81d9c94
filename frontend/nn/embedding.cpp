#include "weft/frontend/nn/embedding.h"

#include "weft/frontend/language/init.h"
#include "weft/frontend/language/ops.h"

namespace weft::nn {

Embedding::Embedding(int64_t num_embeddings, int64_t embedding_dim, EmbeddingOptions options, std::source_location at)
    : padding_idx_(options.padding_idx), sparse_(options.sparse) {
  const detail::Making make{"nn::Embedding", at};
  Array rows = make.filled({num_embeddings, embedding_dim}, 0, options.dtype);
  init::normal(rows);
  weight = add("weight", Parameter("weight", std::move(rows)));
  if (!padding_idx_) return;
  make.require(*padding_idx_ >= -num_embeddings && *padding_idx_ < num_embeddings,
               fmt::format("padding_idx {} is no row of {}", *padding_idx_, num_embeddings));
  if (*padding_idx_ < 0) *padding_idx_ += num_embeddings;
  for (int64_t i = 0; i < embedding_dim; ++i) weight.array().set(*padding_idx_ * embedding_dim + i, 0);
}

Tensor Embedding::forward(Tensor x) { return embedding(x, weight, padding_idx_, sparse_); }

}  // namespace weft::nn
