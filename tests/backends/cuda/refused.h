#pragma once
// What GPUs have no code for.

#include <algorithm>

#include "weft/ir/graph.h"
#include "weft/ir/op_def.h"

namespace weft::test {

/// Is a sine or cosine in f64 taken anywhere?
inline bool is_refused(const ir::Graph& graph) {
  for (const auto& op : graph.ops()) {
    if (op->def().is_elementwise()) {
      const auto nodes = ir::scalar_of(*op).nodes;
      if (std::any_of(nodes.begin(), nodes.end(), [](const ir::ScalarNode& n) {
            return n.dtype == f64 && (n.primitive == ir::Primitive::sin || n.primitive == ir::Primitive::cos);
          }))
        return true;
    }
    for (const auto& body : op->bodies())
      if (is_refused(*body)) return true;
  }
  return false;
}

}  // namespace weft::test
