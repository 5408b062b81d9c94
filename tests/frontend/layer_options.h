#pragma once
// How a stored case's arguments and options become weft's.

#include <map>
#include <string>

#include "weft/tests/frontend/layer_calls.h"

namespace weft::testing {

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

/// None is -1.
inline PerAxis per_axis(const json& given) {
  if (!given.is_array()) return PerAxis(given.get<int64_t>());
  Dims all;
  for (const json& one : given) all.push_back(one.is_null() ? -1 : one.get<int64_t>());
  return PerAxis(all);
}

inline void read(const Options& options, const char* name, PerAxis& into) {
  if (options.given.contains(name)) into = per_axis(options.given[name]);
}

using Make = std::function<Subject(const json& arguments, const Options&)>;

template <class M>
Subject subject(M module) {
  auto shared = std::make_shared<M>(std::move(module));
  return {shared, [shared](const std::vector<Tensor>& x) { return (*shared)(x.at(0)); }};
}

template <class M>
Subject convolution(const json& arguments, const Options& given) {
  nn::ConvOptions o;
  read(given, "stride", o.stride), read(given, "dilation", o.dilation), given.read("groups", o.groups), given.read("bias", o.bias);
  given.read("padding_mode", o.padding_mode);
  if (const json padding = given.given.value("padding", json(0)); padding.is_string()) o.padding = padding.get<std::string>();
  else if (padding.is_array()) o.padding = padding.get<Dims>();
  else o.padding = padding.get<int64_t>();
  return subject(M(arguments[0], arguments[1], per_axis(arguments[2]), o));
}

template <class M>
Subject transposed_convolution(const json& arguments, const Options& given) {
  nn::ConvTransposeOptions o;
  read(given, "stride", o.stride), read(given, "padding", o.padding), read(given, "output_padding", o.output_padding);
  read(given, "dilation", o.dilation), given.read("groups", o.groups), given.read("bias", o.bias);
  return subject(M(arguments[0], arguments[1], per_axis(arguments[2]), o));
}

template <class M>
Subject max_pool(const json& arguments, const Options& given) {
  MaxPoolOptions o;
  read(given, "stride", o.stride), read(given, "padding", o.padding), read(given, "dilation", o.dilation);
  given.read("ceil_mode", o.ceil_mode);
  return subject(M(per_axis(arguments[0]), o));
}

template <class M>
Subject avg_pool(const json& arguments, const Options& given) {
  AvgPoolOptions o;
  read(given, "stride", o.stride), read(given, "padding", o.padding);
  given.read("ceil_mode", o.ceil_mode), given.read("count_include_pad", o.count_include_pad);
  given.read("divisor_override", o.divisor_override);
  return subject(M(per_axis(arguments[0]), o));
}

template <class M>
Subject adaptive_pool(const json& arguments, const Options&) {
  return subject(M(per_axis(arguments[0])));
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
  if constexpr (std::is_constructible_v<M, T>) return subject(M(arguments.at(0).get<T>()));
  else throw Error("a case gives a layer another number of arguments");
}

/// Layers for images and what else tests/expected/images.py names.
const std::map<std::string, Make>& image_layers();

}  // namespace weft::testing
