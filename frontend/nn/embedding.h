#pragma once
// torch.nn.Embedding.

#include <optional>

#include "weft/frontend/nn/layers.h"

namespace weft::nn {

struct EmbeddingOptions {
  /// A row that starts at 0 and is not trained; negative: counted from the end.
  std::optional<int64_t> padding_idx = {};
  /// The table's gradient is row-sparse: of the rows that were looked up. For optim::SparseAdam; others make it dense.
  bool sparse = false;
  std::optional<DType> dtype = {};  // default_dtype() unless given
};

/// A table of num_embeddings rows, looked up by index: x [...] i64, y [..., embedding_dim]. Rows start in N(0, 1).
class Embedding : public Layer {
 public:
  /// Throws weft::Error, naming the line, when a size is negative, padding_idx is no row, or the dtype is not floating.
  Embedding(int64_t num_embeddings, int64_t embedding_dim, EmbeddingOptions options = {},
            std::source_location at = std::source_location::current());
  Tensor forward(Tensor x) override;

  Parameter weight;  // [num_embeddings, embedding_dim]

 private:
  std::optional<int64_t> padding_idx_;
  bool sparse_;
};

}  // namespace weft::nn
