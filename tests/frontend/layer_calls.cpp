#include "weft/tests/frontend/layer_calls.h"

#include <map>

#include "weft/tests/frontend/layer_options.h"

namespace weft::testing {
namespace {

template <class M>
Subject batch_norm(const json& arguments, const Options& given) {
  nn::BatchNormOptions o;
  given.read("eps", o.eps), given.read("momentum", o.momentum), given.read("affine", o.affine);
  given.read("track_running_stats", o.track_running_stats);
  return subject(M(arguments[0], o));
}

Subject linear(const json& arguments, const Options& given) {
  nn::LinearOptions o;
  given.read("bias", o.bias);
  return subject(nn::Linear(arguments[0], arguments[1], o));
}

Subject unflatten(const json& arguments, const Options&) { return subject(nn::Unflatten(arguments[0], arguments[1].get<Dims>())); }

Subject embedding(const json& arguments, const Options& given) {
  nn::EmbeddingOptions o;
  given.read("padding_idx", o.padding_idx);
  return subject(nn::Embedding(arguments[0], arguments[1], o));
}

Subject layer_norm(const json& arguments, const Options& given) {
  nn::LayerNormOptions o;
  given.read("eps", o.eps), given.read("elementwise_affine", o.elementwise_affine), given.read("bias", o.bias);
  return subject(nn::LayerNorm(arguments[0].get<Dims>(), o));
}

Subject rms_norm(const json& arguments, const Options& given) {
  nn::RMSNormOptions o;
  given.read("eps", o.eps), given.read("elementwise_affine", o.elementwise_affine);
  return subject(nn::RMSNorm(arguments[0].get<Dims>(), o));
}

Subject group_norm(const json& arguments, const Options& given) {
  nn::GroupNormOptions o;
  given.read("eps", o.eps), given.read("affine", o.affine);
  return subject(nn::GroupNorm(arguments[0], arguments[1], o));
}

Subject gelu(const json&, const Options& given) {
  std::string approximate = "none";
  given.read("approximate", approximate);
  return subject(nn::GELU(approximate));
}

/// Weights are lists.
void read_weight(const Options& given, const char* name, std::optional<Arg>& into) {
  if (!given.given.contains(name)) return;
  const auto numbers = given.given[name].get<std::vector<json>>();
  const bool matrix = numbers.at(0).is_array();
  std::vector<double> flat;
  for (const json& n : numbers) {
    if (matrix)
      for (const json& m : n) flat.push_back(m.get<double>());
    else flat.push_back(n.get<double>());
  }
  const auto rows = static_cast<int64_t>(numbers.size()), all = static_cast<int64_t>(flat.size());
  Array values(default_dtype(), matrix ? Shape{rows, all / rows} : Shape{all});
  for (int64_t i = 0; i < all; ++i) values.set(i, flat[static_cast<size_t>(i)]);
  into = Parameter(name, std::move(values));
}

/// A loss, its options filled in by `read`.
template <class Loss, class O>
Make loss(void (*read)(const Options&, O&)) {
  return [read](const json&, const Options& given) -> Subject {
    O o;
    given.read("reduction", o.reduction);
    read(given, o);
    const Loss function(o);
    return {nullptr, [function](const std::vector<Tensor>& x) {
              if constexpr (std::is_invocable_v<Loss, Tensor, Tensor, Tensor, Tensor>)
                return function(log_softmax(x.at(0), -1), x.at(1), x.at(2), x.at(3));
              else if constexpr (std::is_invocable_v<Loss, Tensor, Tensor, Tensor>) return function(x.at(0), x.at(1), x.at(2));
              else return function(x.at(0), x.at(1));
            }};
  };
}

const std::map<std::string, Make> losses{
    {"MSELoss", loss<nn::MSELoss, LossOptions>([](const Options&, LossOptions&) {})},
    {"L1Loss", loss<nn::L1Loss, LossOptions>([](const Options&, LossOptions&) {})},
    {"SmoothL1Loss", loss<nn::SmoothL1Loss, SmoothL1Options>([](const Options& given, SmoothL1Options& o) { given.read("beta", o.beta); })},
    {"HuberLoss", loss<nn::HuberLoss, HuberOptions>([](const Options& given, HuberOptions& o) { given.read("delta", o.delta); })},
    {"NLLLoss", loss<nn::NLLLoss, NllOptions>([](const Options& given, NllOptions& o) {
       given.read("ignore_index", o.ignore_index), read_weight(given, "weight", o.weight);
     })},
    {"CrossEntropyLoss", loss<nn::CrossEntropyLoss, CrossEntropyOptions>([](const Options& given, CrossEntropyOptions& o) {
       given.read("ignore_index", o.ignore_index), given.read("label_smoothing", o.label_smoothing);
       read_weight(given, "weight", o.weight);
     })},
    {"MultiMarginLoss", loss<nn::MultiMarginLoss, MultiMarginOptions>([](const Options& given, MultiMarginOptions& o) {
       given.read("p", o.p), given.read("margin", o.margin), read_weight(given, "weight", o.weight);
     })},
    {"BCELoss", loss<nn::BCELoss, BceOptions>([](const Options& given, BceOptions& o) { read_weight(given, "weight", o.weight); })},
    {"BCEWithLogitsLoss", loss<nn::BCEWithLogitsLoss, BceWithLogitsOptions>([](const Options& given, BceWithLogitsOptions& o) {
       read_weight(given, "weight", o.weight), read_weight(given, "pos_weight", o.pos_weight);
     })},
    {"KLDivLoss", loss<nn::KLDivLoss, KlDivOptions>([](const Options& given, KlDivOptions& o) { given.read("log_target", o.log_target); })},
    {"TripletMarginLoss", loss<nn::TripletMarginLoss, TripletMarginOptions>([](const Options& given, TripletMarginOptions& o) {
       given.read("margin", o.margin), given.read("p", o.p), given.read("eps", o.eps), given.read("swap", o.swap);
     })},
    {"MarginRankingLoss", loss<nn::MarginRankingLoss, MarginRankingOptions>(
                              [](const Options& given, MarginRankingOptions& o) { given.read("margin", o.margin); })},
    {"HingeEmbeddingLoss", loss<nn::HingeEmbeddingLoss, HingeEmbeddingOptions>(
                               [](const Options& given, HingeEmbeddingOptions& o) { given.read("margin", o.margin); })},
    {"SoftMarginLoss", loss<nn::SoftMarginLoss, LossOptions>([](const Options&, LossOptions&) {})},
    {"MultiLabelMarginLoss", loss<nn::MultiLabelMarginLoss, LossOptions>([](const Options&, LossOptions&) {})},
    {"MultiLabelSoftMarginLoss", loss<nn::MultiLabelSoftMarginLoss, MultiLabelSoftMarginOptions>(
                                     [](const Options& given, MultiLabelSoftMarginOptions& o) { read_weight(given, "weight", o.weight); })},
    {"PoissonNLLLoss", loss<nn::PoissonNLLLoss, PoissonNllOptions>([](const Options& given, PoissonNllOptions& o) {
       given.read("log_input", o.log_input), given.read("full", o.full), given.read("eps", o.eps);
     })},
    {"GaussianNLLLoss", loss<nn::GaussianNLLLoss, GaussianNllOptions>(
                            [](const Options& given, GaussianNllOptions& o) { given.read("full", o.full), given.read("eps", o.eps); })},
    {"CTCLoss", loss<nn::CTCLoss, CtcOptions>([](const Options& given, CtcOptions& o) {
       given.read("blank", o.blank), given.read("zero_infinity", o.zero_infinity);
     })},
    {"CosineEmbeddingLoss", loss<nn::CosineEmbeddingLoss, CosineEmbeddingOptions>(
                                [](const Options& given, CosineEmbeddingOptions& o) { given.read("margin", o.margin); })},
};

Subject attention(const json&, const Options& given) {
  AttentionOptions o;
  given.read("is_causal", o.is_causal), given.read("scale", o.scale), given.read("enable_gqa", o.enable_gqa);
  return {nullptr, [o](const std::vector<Tensor>& x) {
            AttentionOptions all = o;
            if (x.size() > 3) all.attn_mask = x[3];
            return scaled_dot_product_attention(x.at(0), x.at(1), x.at(2), all);
          }};
}

Subject rotary(const json&, const Options& given) {
  RotaryOptions o;
  int64_t position = 0;
  given.read("base", o.base), given.read("interleaved", o.interleaved), given.read("position", position);
  return {nullptr, [o, position](const std::vector<Tensor>& x) {
            RotaryOptions all = o;
            if (position > 0) all.position = Arg(position);
            return rotary_embedding(x.at(0), all);
          }};
}

Subject sinusoids(const json&, const Options& given) {
  double base = 10000;
  given.read("base", base);
  return {nullptr,
          [base](const std::vector<Tensor>& x) { return x.at(0) + sinusoidal_positions(x.at(0).shape()[-2], x.at(0).shape()[-1], base); }};
}

/// The operands behind the first `count` as the masks that the case names.
nn::DecoderMasks masks_of(const Options& given, const std::vector<Tensor>& x, size_t count) {
  std::vector<std::string> names;
  given.read("masks", names);
  nn::DecoderMasks masks;
  const std::map<std::string, std::optional<Arg>*> places{{"key_padding_mask", &masks.tgt.key_padding_mask},
                                                          {"src_key_padding_mask", &masks.tgt.key_padding_mask},
                                                          {"memory_key_padding_mask", &masks.memory.key_padding_mask},
                                                          {"attn_mask", &masks.tgt.attn_mask},
                                                          {"src_mask", &masks.tgt.attn_mask},
                                                          {"tgt_mask", &masks.tgt.attn_mask}};
  for (size_t i = 0; i < names.size(); ++i) *places.at(names[i]) = x.at(count + i);
  given.read("is_causal", masks.tgt.is_causal);
  return masks;
}

size_t masks_in(const Options& given) { return given.given.contains("masks") ? given.given["masks"].size() : 0; }

Subject multihead_attention(const json& arguments, const Options& given) {
  nn::MultiheadAttentionOptions o;
  given.read("bias", o.bias), given.read("kdim", o.kdim), given.read("vdim", o.vdim), given.read("batch_first", o.batch_first);
  bool weights = false;
  given.read("weights", weights);
  const auto module = std::make_shared<nn::MultiheadAttention>(arguments[0], arguments[1], o);
  return {module, [=, options = json(given.given)](const std::vector<Tensor>& x) {
            const Options all{options};
            const size_t tensors = x.size() - masks_in(all);
            const nn::AttentionMasks masks = masks_of(all, x, tensors).tgt;
            const Tensor &key = tensors == 1 ? x[0] : x[1], &value = tensors == 1 ? x[0] : x[2];
            if (!weights) return (*module)(x[0], key, value, masks);
            const auto [result, w] = module->with_weights(x[0], key, value, masks);
            return concat({reshape(result, {-1}), reshape(w, {-1})});
          }};
}

nn::TransformerLayerOptions transformer_options(const json& arguments, const Options& given) {
  nn::TransformerLayerOptions o;
  o.dim_feedforward = arguments[2];
  given.read("dropout", o.dropout), given.read("activation", o.activation), given.read("layer_norm_eps", o.layer_norm_eps);
  given.read("batch_first", o.batch_first), given.read("norm_first", o.norm_first), given.read("bias", o.bias);
  return o;
}

Subject encoder_layer(const json& arguments, const Options& given) {
  const auto module = std::make_shared<nn::TransformerEncoderLayer>(arguments[0], arguments[1], transformer_options(arguments, given));
  return {module, [module, options = json(given.given)](const std::vector<Tensor>& x) {
            return x.size() == 1 ? (*module)(x[0]) : (*module)(x[0], masks_of({options}, x, 1).tgt);
          }};
}

Subject decoder_layer(const json& arguments, const Options& given) {
  const auto module = std::make_shared<nn::TransformerDecoderLayer>(arguments[0], arguments[1], transformer_options(arguments, given));
  return {module,
          [module, options = json(given.given)](const std::vector<Tensor>& x) { return (*module)(x[0], x[1], masks_of({options}, x, 2)); }};
}

/// A stack of two layers, with a norm behind them.
template <class Stack, class Layer>
std::shared_ptr<Stack> stack(const json& arguments, const Options& given) {
  const Layer layer(arguments[0], arguments[1], transformer_options(arguments, given));
  return std::make_shared<Stack>(layer, 2, nn::LayerNorm({arguments[0].get<int64_t>()}));
}

Subject encoder(const json& arguments, const Options& given) {
  const auto module = stack<nn::TransformerEncoder, nn::TransformerEncoderLayer>(arguments, given);
  return {module, [module](const std::vector<Tensor>& x) { return (*module)(x.at(0)); }};
}

Subject decoder(const json& arguments, const Options& given) {
  const auto module = stack<nn::TransformerDecoder, nn::TransformerDecoderLayer>(arguments, given);
  return {module, [module](const std::vector<Tensor>& x) { return (*module)(x.at(0), x.at(1)); }};
}

Tensor flat(const std::vector<Tensor>& tensors) {
  std::vector<Tensor> parts;
  for (const Tensor& t : tensors) parts.push_back(reshape(t, {-1}));
  return concat(parts);
}

template <class Layer>
Subject recurrent(const json& arguments, const Options& given) {
  nn::RNNOptions o;
  if (arguments.size() > 2) o.num_layers = arguments[2];
  given.read("bias", o.bias), given.read("batch_first", o.batch_first), given.read("bidirectional", o.bidirectional);
  given.read("proj_size", o.proj_size), given.read("nonlinearity", o.nonlinearity);
  std::vector<std::string> names;
  given.read("given", names);
  const auto module = std::make_shared<Layer>(arguments[0], arguments[1], o);
  return {module, [module, names](const std::vector<Tensor>& x) {
            nn::RNNState state;
            const std::map<std::string, std::optional<Arg>*> places{{"h0", &state.h0}, {"c0", &state.c0}, {"lengths", &state.lengths}};
            for (size_t i = 0; i < names.size(); ++i) *places.at(names[i]) = x.at(1 + i);
            const nn::Recurrent::Result r = (*module)(x[0], state);
            return r.c.recording ? flat({r.output, r.h, r.c}) : flat({r.output, r.h});
          }};
}

template <class Cell>
Subject recurrent_cell(const json& arguments, const Options& given) {
  nn::RNNCellOptions o;
  given.read("bias", o.bias), given.read("nonlinearity", o.nonlinearity);
  const auto module = std::make_shared<Cell>(arguments[0], arguments[1], o);
  return {module, [module](const std::vector<Tensor>& x) {
            const auto state = [&](size_t i) { return i < x.size() ? std::optional<Arg>(x[i]) : std::nullopt; };
            if constexpr (std::same_as<Cell, nn::LSTMCell>) {
              const auto [h, c] = (*module)(x[0], state(1), state(2));
              return flat({h, c});
            } else {
              return flat({(*module)(x[0], state(1))});
            }
          }};
}

const std::map<std::string, Make> layers{
    {"Attention", attention},
    {"RNN", recurrent<nn::RNN>},
    {"LSTM", recurrent<nn::LSTM>},
    {"GRU", recurrent<nn::GRU>},
    {"RNNCell", recurrent_cell<nn::RNNCell>},
    {"LSTMCell", recurrent_cell<nn::LSTMCell>},
    {"GRUCell", recurrent_cell<nn::GRUCell>},
    {"Rotary", rotary},
    {"Sinusoids", sinusoids},
    {"MultiheadAttention", multihead_attention},
    {"TransformerEncoderLayer", encoder_layer},
    {"TransformerEncoder", encoder},
    {"TransformerDecoderLayer", decoder_layer},
    {"TransformerDecoder", decoder},
    {"BatchNorm1d", batch_norm<nn::BatchNorm1d>},
    {"BatchNorm2d", batch_norm<nn::BatchNorm2d>},
    {"BatchNorm3d", batch_norm<nn::BatchNorm3d>},
    {"Linear", linear},
    {"Conv1d", convolution<nn::Conv1d>},
    {"Conv2d", convolution<nn::Conv2d>},
    {"ConvTranspose2d", transposed_convolution<nn::ConvTranspose2d>},
    {"MaxPool2d", max_pool<nn::MaxPool2d>},
    {"AvgPool2d", avg_pool<nn::AvgPool2d>},
    {"AdaptiveAvgPool2d", adaptive_pool<nn::AdaptiveAvgPool2d>},
    {"Identity", plain<nn::Identity>},
    {"Flatten", plain<nn::Flatten>},
    {"Unflatten", unflatten},
    {"Dropout", numbered<nn::Dropout>},
    {"Embedding", embedding},
    {"LayerNorm", layer_norm},
    {"RMSNorm", rms_norm},
    {"GroupNorm", group_norm},
    {"ReLU", plain<nn::ReLU>},
    {"Sigmoid", plain<nn::Sigmoid>},
    {"Tanh", plain<nn::Tanh>},
    {"SELU", plain<nn::SELU>},
    {"SiLU", plain<nn::SiLU>},
    {"Mish", plain<nn::Mish>},
    {"Hardswish", plain<nn::Hardswish>},
    {"LogSigmoid", plain<nn::LogSigmoid>},
    {"GELU", gelu},
    {"LeakyReLU", numbered<nn::LeakyReLU>},
    {"PReLU", numbered<nn::PReLU, int64_t>},
    {"ELU", numbered<nn::ELU>},
    {"Softplus", numbered<nn::Softplus>},
    {"Hardtanh", numbered<nn::Hardtanh>},
    {"Softmax", numbered<nn::Softmax, int64_t>},
    {"LogSoftmax", numbered<nn::LogSoftmax, int64_t>},
};

}  // namespace

Subject make_subject(const json& c) {
  for (const auto* all : {&layers, &losses, &image_layers()})
    if (const auto found = all->find(c["module"].get<std::string>()); found != all->end())
      return found->second(c["arguments"], {c["options"]});
  throw Error("tests/frontend/layer_calls.cpp does not list {}", c["module"].get<std::string>());
}

}  // namespace weft::testing
