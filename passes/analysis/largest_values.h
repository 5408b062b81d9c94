#pragma once
// Where memory goes, in words.

#include <string>
#include <vector>

#include "weft/ir/graph.h"

namespace weft::passes {

/// "f32[64,512] of gelu at net.cpp:12, f32[..] .. and so on": the largest of the values, a few. A result of a kernel is of the op in it
/// that makes it.
std::string largest_of(std::vector<ir::Value> values);

}  // namespace weft::passes
