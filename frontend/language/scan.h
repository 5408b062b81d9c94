#pragma once
// A loop over the steps of a sequence, recorded once: jax.lax.scan, which PyTorch has as torch._higher_order_ops.scan.
//
//   auto [last, all] = scan(h0, xs, [&](Tensor h, Tensor x) { return tanh(linear(x, w) + linear(h, u)); });
//
// `xs` has the steps along its first axis. The step sees the state and one slice and makes the next state; `last` is the state after
// the last step, `all` has what every step made along its first axis. The step is recorded once and compiled once, whatever the
// number of steps: it may use tensors and parameters from outside, modules, dropout (each step draws its own), and another scan. It is
// differentiated into a scan that runs the other way.
//
// What it may not do: record outputs or updates of parameters and buffers, which would hold what one step gave; let it return them.

#include <concepts>
#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "weft/frontend/language/tensor.h"

namespace weft {

struct ScanOptions {
  bool reverse = false;                // the last slice first; result i is still that of slice i
  std::optional<int64_t> length = {};  // the number of steps, where there is no sequence to tell
};

/// What one step makes: the states' successors, of the states' types and shapes, and results of any.
struct ScanStep {
  std::vector<Arg> states, results = {};
};

struct ScanResult {
  std::vector<Tensor> last;  // the states after the last step
  std::vector<Tensor> all;   // the steps' results, stacked along a new first axis
};

/// With any number of states and sequences:
///
///   const auto [last, all] = scan({h0, c0}, {xs}, [&](const std::vector<Tensor>& s, const std::vector<Tensor>& x) -> ScanStep { ... });
///
/// Throws weft::Error, naming the line: sequences without a first axis or of different lengths, a state that changes its type or its
/// shape, another number of states.
ScanResult scan(const std::vector<Arg>& init, const std::vector<Arg>& xs,
                const std::function<ScanStep(const std::vector<Tensor>&, const std::vector<Tensor>&)>& step, ScanOptions options = {},
                std::source_location at = std::source_location::current());

/// With one state and one sequence. The step returns the next state, which is also its result, or both as a pair.
template <class F>
  requires std::invocable<F, Tensor, Tensor>
std::pair<Tensor, Tensor> scan(Arg init, Arg xs, F step, ScanOptions options = {}) {
  const std::source_location at = init.where();
  const ScanResult result = scan(
      std::vector<Arg>{std::move(init)}, std::vector<Arg>{std::move(xs)},
      [&](const std::vector<Tensor>& states, const std::vector<Tensor>& slices) -> ScanStep {
        auto made = step(states[0], slices[0]);
        if constexpr (requires { made.second; }) return {{Arg(made.first, at)}, {Arg(made.second, at)}};
        else return {{Arg(made, at)}, {Arg(made, at)}};
      },
      options, at);
  return {result.last[0], result.all[0]};
}

}  // namespace weft
