#pragma once
// The nets of the benchmark's cases (cases.json), written in weft.

#include <weft/weft.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

namespace benchmark {

using Json = nlohmann::ordered_json;

/// The net of a case: what it computes, the parameters as the case names them, and its buffers.
struct Net {
  using Named = std::vector<std::pair<std::string, weft::Parameter>>;
  std::function<weft::Tensor(const weft::Tensor&)> forward;
  Named parameters, buffers;
};
Net net_of(const Json& a_case);

/// An element type and a shape.
struct Type {
  weft::DType dtype;
  weft::Shape shape;
};

weft::optim::Optimizer optimizer_of(const Json& a_case);

/// The case's training step, of inputs "x" and "y" with the output "loss"; a case's autocast is added to the options.
weft::Step step_of(const Json& a_case, const Net& net, const weft::optim::Optimizer& optimizer, const Type& x, const Type& y,
                   weft::cpu::Options options);

}  // namespace benchmark
