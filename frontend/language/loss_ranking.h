#pragma once
// Losses that compare pairs and triples: which is nearer, which is larger. As in loss.h.

#include <string>

#include "weft/frontend/language/loss.h"

namespace weft {

struct TripletMarginOptions {
  double margin = 1;  // positive
  double p = 2;       // of the norm
  double eps = 1e-6;  // added to the differences
  bool swap = false;  // whether the positive's distance to the negative counts where that is nearer (Balntas et al. 2016)
  std::string reduction = "mean";
};

/// max(0, d(anchor, positive) - d(anchor, negative) + margin) with pairwise_distance as d; shapes [N, D] or [D] broadcast.
struct TripletMargin {
  Tensor operator()(Arg anchor, Arg positive, Arg negative, TripletMarginOptions options = {}) const;
};
inline constexpr TripletMargin triplet_margin_loss;

struct MarginRankingOptions {
  double margin = 0;
  std::string reduction = "mean";
};

/// max(0, -target (input1 - input2) + margin): target is 1 where input1 should be larger, -1 where input2 should.
struct MarginRanking {
  Tensor operator()(Arg input1, Arg input2, Arg target, MarginRankingOptions options = {}) const;
};
inline constexpr MarginRanking margin_ranking_loss;

struct HingeEmbeddingOptions {
  double margin = 1;
  std::string reduction = "mean";
};

/// The input, a distance, where target is 1, and max(0, margin - input) where it is -1.
struct HingeEmbedding {
  Tensor operator()(Arg input, Arg target, HingeEmbeddingOptions options = {}) const;
};
inline constexpr HingeEmbedding hinge_embedding_loss;

namespace nn {

using TripletMarginLoss = Criterion<TripletMargin, TripletMarginOptions>;
using MarginRankingLoss = Criterion<MarginRanking, MarginRankingOptions>;
using HingeEmbeddingLoss = Criterion<HingeEmbedding, HingeEmbeddingOptions>;

}  // namespace nn
}  // namespace weft
