#pragma once
// What the snippets of docs/from_pytorch.md name (from_pytorch.sh): declared, for they are compiled and not run. A section of the page
// has a namespace, beside what all share.

#include "weft/weft.h"

namespace from_pytorch {

using namespace weft;

extern Tensor x, y, a, b, c, p, v, w, index, mask;
extern int64_t i, n, axis;

namespace shapes_and_order {
extern Dims low, high;
}

namespace making_tensors {
extern Array array;
}

namespace order {
extern Tensor edges;
}

namespace indices {
extern Tensor src, weight;
}

namespace images {
extern Tensor grid, theta, places;
extern int64_t c, h, w;
}  // namespace images

namespace layers_losses_and_optimizers {
extern nn::EmbeddingBag bag;
extern Tensor weights, anchor, positive, negative, var, log_probs, targets, input_lengths, target_lengths;
extern int64_t d;
extern Parameter p;
extern nn::Linear head;
extern optim::AdamW opt;
extern std::vector<Parameter> others;
extern optim::StepLR schedule;
extern Trainer trainer;
nn::ModuleDict add(const char* name, nn::ModuleDict part);  // in a module
Parameter add(const char* name, Array values);
}  // namespace layers_losses_and_optimizers

namespace modules_and_training {
extern nn::Sequential net;
extern optim::Adam adam;
extern Array a, mask, weight, y;
extern Dataset data, train, test;
extern Graph graph;
extern Step step;
extern Trainer trainer;
extern Tensor scores, target;
extern Evaluation evaluation;
extern Metric f1;
extern Table table;
extern std::vector<double> weights;
extern std::vector<int64_t> lengths;
extern std::vector<std::vector<int64_t>> rows;
extern std::vector<SourceColumn> columns;
extern std::function<bool(Example&)> next;
extern Metric::Value value;
extern Example to;
extern std::string f, root;
extern int64_t n, epoch_size, h, w;
}  // namespace modules_and_training

namespace attention_and_transformers {
extern Tensor q, k, v, m, tgt, memory;
extern nn::MultiheadAttention mha;
extern nn::TransformerEncoderLayer layer;
extern nn::LayerNorm norm;
extern nn::TransformerEncoder encoder;
extern nn::TransformerDecoder decoder;
extern int64_t tokens, width;
}  // namespace attention_and_transformers

namespace recurrence {
extern Tensor h0, c0, xs, lengths;
extern nn::LSTM lstm;
extern nn::GRU gru;
Tensor f(Tensor h, Tensor x);
}  // namespace recurrence

}  // namespace from_pytorch
