#include "weft/tests/frontend/layer_calls.h"

#include <map>

namespace weft::testing {
namespace {

/// Reads PyTorch's options; what a case does not name has weft's default.
struct Options {
  const json& given;

  template <class T>
  void read(const char* name, T& into) const {
    if (given.contains(name)) into = given[name].get<T>();
  }
  template <class T>
  void read(const char* name, std::optional<T>& into) const {
    if (!given.contains(name)) return;
    into = given[name].is_null() ? std::nullopt : std::optional<T>(given[name].get<T>());
  }
};

using Make = std::function<Subject(const json& arguments, const Options&)>;

template <class M>
Subject subject(M module) {
  auto shared = std::make_shared<M>(std::move(module));
  return {shared, [shared](const std::vector<Tensor>& x) { return (*shared)(x.at(0)); }};
}

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

template <class M>
Subject plain(const json&, const Options&) {
  return subject(M());
}

/// A layer that takes up to two numbers.
template <class M, class T = double>
Subject numbered(const json& arguments, const Options&) {
  if constexpr (std::is_default_constructible_v<M>)
    if (arguments.empty()) return subject(M());
  if constexpr (std::is_constructible_v<M, T, T>)
    if (arguments.size() == 2) return subject(M(arguments[0].get<T>(), arguments[1].get<T>()));
  return subject(M(arguments.at(0).get<T>()));
}

Subject gelu(const json&, const Options& given) {
  std::string approximate = "none";
  given.read("approximate", approximate);
  return subject(nn::GELU(approximate));
}

const std::map<std::string, Make> subjects{
    {"BatchNorm1d", batch_norm<nn::BatchNorm1d>},
    {"BatchNorm2d", batch_norm<nn::BatchNorm2d>},
    {"Linear", linear},
    {"Flatten", plain<nn::Flatten>},
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
  const auto found = subjects.find(c["module"].get<std::string>());
  if (found == subjects.end()) throw Error("tests/frontend/layer_calls.cpp does not list {}", c["module"].get<std::string>());
  return found->second(c["arguments"], {c["options"]});
}

}  // namespace weft::testing
