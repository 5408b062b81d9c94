#pragma once
// Helpers of the frontend's tests.

#include <cmath>
#include <source_location>
#include <string>
#include <vector>

#include "weft/tests/catch.h"
#include "weft/weft.h"

namespace weft::testing {

/// "some_test.cpp:12" as weft writes it, for the line of the call plus `offset`.
inline std::string line(int offset = 0, std::source_location at = std::source_location::current()) {
  const std::string file = at.file_name();
  return (file.starts_with('/') ? file.substr(file.rfind('/') + 1) : file) + ":" + std::to_string(static_cast<int>(at.line()) + offset);
}

/// The locations of the op that made `tensor`: "file:line (scope)".
inline std::string where(const Tensor& tensor) { return to_string(tensor.value().op()->locations()); }

/// The elements of `tensor`, computed by the reference from nothing but constants and parameters.
inline std::vector<double> evaluate(Graph& graph, const Tensor& tensor) {
  graph.output("evaluated", tensor);
  Step step = compile(graph, Target::reference());
  const Array array = step()["evaluated"].array();
  std::vector<double> values;
  for (int64_t i = 0; i < array.shape().numel(); ++i) values.push_back(array.at(i));
  return values;
}

/// A tensor of these elements.
inline Tensor tensor(const std::vector<double>& values, Shape shape, DType dtype = f32) {
  Array array(dtype, std::move(shape));
  for (size_t i = 0; i < values.size(); ++i) array.set(static_cast<int64_t>(i), values[i]);
  return constant(array);
}

/// `count` points in the plane; the class says on which side of a line they are.
inline Dataset points(int64_t count, int64_t offset = 0) {
  Array x(f32, {count, 2}), y(i64, {count});
  for (int64_t i = 0; i < count; ++i) {
    const double angle = 2.4 * static_cast<double>(i + offset), radius = 0.3 + 0.1 * static_cast<double>((i + offset) % 9);
    x.set(2 * i, radius * std::cos(angle));
    x.set(2 * i + 1, radius * std::sin(angle));
    y.set(i, std::cos(angle) + 0.5 * std::sin(angle) > 0);
  }
  return {.inputs = std::move(x), .targets = std::move(y), .name = "points"};
}

/// Samples of y = slope x, to fit w x to.
inline Dataset line_of(double slope, int64_t count = 8) {
  Array x(f32, {count, 1}), y(f32, {count, 1});
  for (int64_t i = 0; i < count; ++i) x.set(i, 1 + 0.1 * static_cast<double>(i)), y.set(i, slope * x.at(i));
  return {.inputs = std::move(x), .targets = std::move(y), .name = "line"};
}

inline void require_close(const std::vector<double>& got, const std::vector<double>& want, double tolerance = 1e-6) {
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < got.size(); ++i) CHECK(got[i] == Approx(want[i]).epsilon(tolerance).margin(tolerance));
}

}  // namespace weft::testing
