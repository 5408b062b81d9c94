#include "weft/tests/frontend/layer_options.h"

namespace weft::testing {
namespace {

template <class M>
Subject padded(const json& arguments, const Options&) {
  const nn::PadAmounts amounts =
      arguments[0].is_array() ? nn::PadAmounts(arguments[0].get<Dims>()) : nn::PadAmounts(arguments[0].get<int64_t>());
  if constexpr (std::is_constructible_v<M, nn::PadAmounts, double>) return subject(M(amounts, arguments[1].get<double>()));
  else return subject(M(amounts));
}

Subject upsample(const json&, const Options& given) {
  InterpolateOptions o;
  read(given, "size", o.size), given.read("mode", o.mode), given.read("align_corners", o.align_corners);
  if (given.given.contains("scale_factor")) {
    const json& factor = given.given["scale_factor"];
    if (factor.is_array()) o.scale_factor.each = factor.get<std::vector<double>>();
    else o.scale_factor = factor.get<double>();
  }
  return subject(nn::Upsample(o));
}

UnfoldOptions unfold_options(const Options& given) {
  UnfoldOptions o;
  read(given, "dilation", o.dilation), read(given, "padding", o.padding), read(given, "stride", o.stride);
  return o;
}

Subject unfolded(const json& arguments, const Options& given) { return subject(nn::Unfold(per_axis(arguments[0]), unfold_options(given))); }
Subject folded(const json& arguments, const Options& given) {
  return subject(nn::Fold(per_axis(arguments[0]), per_axis(arguments[1]), unfold_options(given)));
}

template <class M>
Subject instance_norm(const json& arguments, const Options& given) {
  nn::InstanceNormOptions o;
  given.read("eps", o.eps), given.read("momentum", o.momentum), given.read("affine", o.affine);
  given.read("track_running_stats", o.track_running_stats);
  return subject(M(arguments[0], o));
}

Subject response_norm(const json& arguments, const Options& given) {
  nn::LocalResponseNormOptions o;
  given.read("alpha", o.alpha), given.read("beta", o.beta), given.read("k", o.k);
  return subject(nn::LocalResponseNorm(arguments[0], o));
}

/// A layer that is called with two tensors.
template <class M>
Subject of_two(M module) {
  const auto shared = std::make_shared<M>(std::move(module));
  return {shared, [shared](const std::vector<Tensor>& x) { return (*shared)(x.at(0), x.at(1)); }};
}

Subject bilinear(const json& arguments, const Options& given) {
  nn::BilinearOptions o;
  given.read("bias", o.bias);
  return of_two(nn::Bilinear(arguments[0], arguments[1], arguments[2], o));
}

Subject cosine(const json& a, const Options&) {
  return of_two(a.empty() ? nn::CosineSimilarity() : nn::CosineSimilarity(a[0].get<int64_t>(), a[1].get<double>()));
}

Subject distance(const json& a, const Options&) {
  return of_two(a.empty() ? nn::PairwiseDistance() : nn::PairwiseDistance(a[0].get<double>(), a[1].get<double>(), a[2].get<bool>()));
}

Subject bag(const json& arguments, const Options& given) {
  nn::EmbeddingBagOptions o;
  given.read("mode", o.mode), given.read("padding_idx", o.padding_idx), given.read("include_last_offset", o.include_last_offset);
  const auto shared = std::make_shared<nn::EmbeddingBag>(arguments[0], arguments[1], o);
  return {shared, [shared](const std::vector<Tensor>& x) { return x.size() == 1 ? (*shared)(x[0]) : (*shared)(x[0], x.at(1)); }};
}

}  // namespace

const std::map<std::string, Make>& image_layers() {
  static const std::map<std::string, Make> all{
      {"ZeroPad1d", padded<nn::ZeroPad1d>},
      {"ZeroPad2d", padded<nn::ZeroPad2d>},
      {"ZeroPad3d", padded<nn::ZeroPad3d>},
      {"ReflectionPad1d", padded<nn::ReflectionPad1d>},
      {"ReflectionPad2d", padded<nn::ReflectionPad2d>},
      {"ReflectionPad3d", padded<nn::ReflectionPad3d>},
      {"ReplicationPad1d", padded<nn::ReplicationPad1d>},
      {"ReplicationPad2d", padded<nn::ReplicationPad2d>},
      {"ReplicationPad3d", padded<nn::ReplicationPad3d>},
      {"CircularPad1d", padded<nn::CircularPad1d>},
      {"CircularPad2d", padded<nn::CircularPad2d>},
      {"CircularPad3d", padded<nn::CircularPad3d>},
      {"ConstantPad1d", padded<nn::ConstantPad1d>},
      {"ConstantPad2d", padded<nn::ConstantPad2d>},
      {"ConstantPad3d", padded<nn::ConstantPad3d>},
      {"Conv3d", convolution<nn::Conv3d>},
      {"ConvTranspose1d", transposed_convolution<nn::ConvTranspose1d>},
      {"ConvTranspose3d", transposed_convolution<nn::ConvTranspose3d>},
      {"MaxPool1d", max_pool<nn::MaxPool1d>},
      {"MaxPool3d", max_pool<nn::MaxPool3d>},
      {"AvgPool1d", avg_pool<nn::AvgPool1d>},
      {"AvgPool3d", avg_pool<nn::AvgPool3d>},
      {"AdaptiveAvgPool1d", adaptive_pool<nn::AdaptiveAvgPool1d>},
      {"AdaptiveAvgPool3d", adaptive_pool<nn::AdaptiveAvgPool3d>},
      {"AdaptiveMaxPool1d", adaptive_pool<nn::AdaptiveMaxPool1d>},
      {"AdaptiveMaxPool2d", adaptive_pool<nn::AdaptiveMaxPool2d>},
      {"AdaptiveMaxPool3d", adaptive_pool<nn::AdaptiveMaxPool3d>},
      {"Upsample", upsample},
      {"PixelShuffle", numbered<nn::PixelShuffle, int64_t>},
      {"PixelUnshuffle", numbered<nn::PixelUnshuffle, int64_t>},
      {"ChannelShuffle", numbered<nn::ChannelShuffle, int64_t>},
      {"Unfold", unfolded},
      {"Fold", folded},
      {"InstanceNorm1d", instance_norm<nn::InstanceNorm1d>},
      {"InstanceNorm2d", instance_norm<nn::InstanceNorm2d>},
      {"InstanceNorm3d", instance_norm<nn::InstanceNorm3d>},
      {"LocalResponseNorm", response_norm},
      {"Hardsigmoid", plain<nn::Hardsigmoid>},
      {"Tanhshrink", plain<nn::Tanhshrink>},
      {"CELU", numbered<nn::CELU>},
      {"Softshrink", numbered<nn::Softshrink>},
      {"Hardshrink", numbered<nn::Hardshrink>},
      {"Threshold", numbered<nn::Threshold>},
      {"GLU", numbered<nn::GLU, int64_t>},
      {"Softmin", numbered<nn::Softmin, int64_t>},
      {"Softmax2d", plain<nn::Softmax2d>},
      {"Bilinear", bilinear},
      {"CosineSimilarity", cosine},
      {"PairwiseDistance", distance},
      {"EmbeddingBag", bag},
  };
  return all;
}

}  // namespace weft::testing
