#pragma once
// PyTorch's functions in terms of weft's ops: names, defaults, negative axes and broadcasting.

#include <optional>
#include <string>
#include <vector>

#include "weft/ir/builder.h"
#include "weft/tests/ops/expected.h"

namespace weft::testing {

/// The result of the PyTorch function `op`; none when weft has no such op.
std::optional<ir::Value> torch_op(ir::Builder& b, const std::string& op, const std::vector<ir::Value>& operands, const json& attributes);

}  // namespace weft::testing
