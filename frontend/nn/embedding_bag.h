#pragma once
// torch.nn.EmbeddingBag.

#include <optional>
#include <string>

#include "weft/frontend/nn/layers.h"

namespace weft::nn {

struct EmbeddingBagOptions {
  std::string mode = "mean";  // "sum" or "max"
  /// A row that starts at 0, is not trained and counts as not there; negative: counted from the end.
  std::optional<int64_t> padding_idx = {};
  bool include_last_offset = false;  // the last offset is the number of indices, and starts no bag
  std::optional<DType> dtype = {};   // default_dtype() unless given
};

/// Rows of a table [num_embeddings, embedding_dim], by index, reduced over bags. Bags are the rows of an index [bags, n], i64, or runs of
/// one [n], which begin at `offsets` [bags], i64, ascending from 0. A bag of nothing gives 0. Rows start in N(0, 1).
class EmbeddingBag : public Layer {
 public:
  /// Throws weft::Error, naming the line, when a size is negative, padding_idx is no row, the mode unknown or the dtype not floating.
  EmbeddingBag(int64_t num_embeddings, int64_t embedding_dim, EmbeddingBagOptions options = {},
               std::source_location at = std::source_location::current());
  /// An index [bags, n]. Throws weft::Error for another.
  Tensor forward(Tensor index) override;
  /// An index [n]; not with "max".
  Tensor operator()(Arg index, Arg offsets);
  /// Each row times a weight of the index's shape, in mode "sum".
  Tensor weighted(Arg index, Arg per_sample_weights);
  using Module::operator();

  Parameter weight;  // [num_embeddings, embedding_dim]

 private:
  Tensor kept(const Tensor& index) const;

  EmbeddingBagOptions options_;
};

}  // namespace weft::nn
