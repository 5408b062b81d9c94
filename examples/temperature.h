#pragma once
// Eleven readings of an unknown thermometer, and two models of it: what lessons 1 and 5 share.

#include "weft/weft.h"

struct Readings {
  std::vector<float> t_u = {35.7f, 55.9f, 58.2f, 81.9f, 56.3f, 48.9f, 33.9f, 21.8f, 48.4f, 60.4f, 68.4f};  // unknown units
  std::vector<float> t_c = {0.5f, 14.0f, 15.0f, 28.0f, 11.0f, 8.0f, 3.0f, -4.0f, 6.0f, 13.0f, 21.0f};      // degrees Celsius
};

/// From a table with the columns t_u and t_c; the eleven above if `path` is empty.
inline Readings read_temperatures(const std::string& path) {
  Readings r;
  if (path.empty()) return r;
  const weft::Table table = weft::read_csv(path);
  r.t_u.assign(table.column("t_u").begin(), table.column("t_u").end());
  r.t_c.assign(table.column("t_c").begin(), table.column("t_c").end());
  if (r.t_u.empty()) throw weft::Error("{}: no readings", path);
  return r;
}

/// The same as a data set: inputs t_u and targets t_c, f32 [N, 1].
inline weft::Dataset read_temperature_set(const std::string& path) {
  const Readings r = read_temperatures(path);
  const auto n = static_cast<int64_t>(r.t_u.size());
  weft::Dataset data = weft::Dataset::from(weft::Array::of({n, 1}, r.t_u), weft::Array::of({n, 1}, r.t_c));
  data.name = "temperatures";
  return data;
}

inline std::vector<double> numbers(const weft::Array& array) {
  const auto all = array.values<float>();
  return {all.begin(), all.end()};
}

/// A model: its parameters and what it predicts from a temperature in unknown units.
struct Model {
  std::vector<weft::Parameter> parameters;
  std::function<weft::Tensor(weft::Tensor)> predict;

  std::vector<double> values() const {
    std::vector<double> all;
    for (const weft::Parameter& p : parameters) all.push_back(p.array().at(0));
    return all;
  }
};

inline Model line(double w0, double b0) {
  weft::Parameter w("w", {w0}), b("b", {b0});
  return {{w, b}, [=](weft::Tensor t_u) { return w * t_u + b; }};
}

inline Model parabola(double w1_0, double w2_0, double b0) {
  weft::Parameter w1("w1", {w1_0}), w2("w2", {w2_0}), b("b", {b0});
  return {{w1, w2, b}, [=](weft::Tensor t_u) { return w2 * pow(t_u, 2) + w1 * t_u + b; }};
}

/// What the model makes of these temperatures.
inline std::vector<double> predictions(const Model& model, const std::vector<float>& t_u, const weft::Target& target) {
  weft::Graph graph("predictions");
  graph.output("t_c", model.predict(graph.input("t_u", weft::f32, {static_cast<int64_t>(t_u.size())})));
  weft::Step step = weft::compile(graph, target);
  const std::vector<float> t_c = step({{"t_u", t_u}})["t_c"].values<float>();
  return {t_c.begin(), t_c.end()};
}
