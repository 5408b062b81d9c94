#pragma once
// From planned ops to the pieces of a CPU program.

#include <optional>

#include "weft/backends/cpu/exec/task.h"
#include "weft/ir/graph.h"

namespace weft::cpu {

/// What oneDNN can do behind a product.
struct Epilogue {
  std::optional<int> bias;  // the body input that is added along the last axis
};

/// The epilogue that the body says, or none if oneDNN cannot do it.
std::optional<Epilogue> epilogue_of(const ir::Graph& body);

/// A library call or routine for a heavy op; its buffers are the op's operands in order, then its result.
std::unique_ptr<Task> lower_heavy(const ir::Op& op, int threads);

/// One line for people.
std::string describe(const ir::Op& op, const std::string& kernel);

}  // namespace weft::cpu
