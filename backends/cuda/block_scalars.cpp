#include "weft/backends/cuda/block_scalars.h"

#include <algorithm>
#include <unordered_set>

#include "weft/backends/codegen/math/math.h"
#include "weft/ir/op_def.h"

namespace weft::cuda {
namespace {

/// Instructions, about, from which on the barrier is worth it.
constexpr int64_t dear = 100;

int64_t code_of(const ir::Op& op) {
  int64_t sum = 0;
  for (const ir::ScalarNode& n : ir::scalar_of(op).nodes) {
    const int64_t once = codegen::find_function(n.primitive) ? 40 : n.primitive == ir::Primitive::divide ? 10 : 1;
    sum += n.dtype == f64 ? 3 * once : once;
  }
  return sum;
}

/// What is computed where all loops stand, and what that needs.
std::unordered_set<const ir::Op*> needed_by_elements(const ir::Graph& body, const passes::LoopNest& nest) {
  int64_t points = 1;
  for (size_t l = 0; l < nest.extents.size(); ++l)
    if (!nest.reduced[l]) points *= nest.extents[l];
  std::unordered_set<const ir::Op*> needed;
  std::vector<const ir::Op*> all;
  for (const auto& op : body.ops()) all.push_back(op);
  for (auto at = all.rbegin(); at != all.rend(); ++at) {
    const ir::Op& op = **at;
    const ir::Users& users = op.result().users();
    if (!nest.has_reduction() || op.result().shape().numel() > points ||
        std::any_of(users.begin(), users.end(), [&](const ir::Use& use) { return needed.contains(use.op); }))
      needed.insert(&op);
  }
  return needed;
}

bool is_single(ir::Value v) { return v.shape().numel() == 1; }

}  // namespace

std::vector<ir::Value> block_scalars(const ir::Graph& body, const passes::LoopNest& nest) {
  const std::unordered_set<const ir::Op*> by_elements = needed_by_elements(body, nest);
  std::unordered_set<const ir::Op*> scalars;  // computed from single elements alone
  std::vector<ir::Value> needed;
  int64_t code = 0;
  for (const auto& op : body.ops()) {
    const bool is_scalar = by_elements.contains(op) && op->def().is_elementwise() && is_single(op->result()) &&
                           !nest.reduction_stage.contains(op) &&
                           std::all_of(op->operands().begin(), op->operands().end(), [&](ir::Value v) {
                             return is_single(v) && (v.is_input() || scalars.contains(v.op()) || v.op()->def().kind == ir::Kind::constant);
                           });
    if (!is_scalar) continue;
    scalars.insert(op);
    code += code_of(*op);
  }
  if (code < dear || nest.points() <= 1) return {};
  for (const auto& op : body.ops()) {
    if (!scalars.contains(op)) continue;
    const ir::Users& users = op->result().users();
    if (std::any_of(users.begin(), users.end(),
                    [&](const ir::Use& use) { return by_elements.contains(use.op) && !scalars.contains(use.op); }))
      needed.push_back(op->result());
  }
  return needed;
}

}  // namespace weft::cuda
