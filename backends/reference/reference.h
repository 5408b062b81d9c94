#pragma once
// The oracle: interprets a graph at any stage (composites by their decomposition, fused bodies by their ops), slowly and
// obviously. Floating values of every dtype are computed in double and rounded only by `cast` (and when read from or
// written to memory of a narrower type); integers live in their own type and wrap.

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "weft/backends/program/backend.h"

namespace weft::reference {

/// A value during interpretation: `real` for a floating type, else `integer` (bools are 0 or 1).
struct Tensor {
  ir::Type type;
  std::vector<double> real;
  std::vector<int64_t> integer;

  Tensor() = default;
  /// Zeros.
  explicit Tensor(ir::Type type);
};

/// From and to memory holding elements of t.type.dtype, row-major.
Tensor from_memory(const ir::Type& type, const std::byte* data);
void to_memory(const Tensor& t, std::byte* data);

/// Rounds to what the type can hold: a double that f32 cannot becomes an infinity.
void round_to_type(Tensor& t);

/// Called after each op, of a body or a decomposition before that of the op which it belongs to. May change the results.
using Observer = std::function<void(const ir::Op& op, std::span<const Tensor* const> operands, std::span<Tensor> results)>;

/// The graph's outputs. `inputs` are in the graph's order and must have the inputs' types.
std::vector<Tensor> evaluate(const ir::Graph& graph, std::span<const Tensor> inputs);
/// Throws what the observer throws.
std::vector<Tensor> evaluate(const ir::Graph& graph, std::span<const Tensor> inputs, const Observer& observer);

/// A program that interprets `module` and writes aliased outputs over their inputs.
std::unique_ptr<Program> compile(const ir::Module& module);

std::shared_ptr<const Backend> backend();

}  // namespace weft::reference
