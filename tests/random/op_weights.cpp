#include "weft/tests/random/op_weights.h"
#include "weft/ir/registry.h"

#include <numeric>
#include <unordered_map>

#include "weft/ir/ops/optimizer.h"
#include "weft/ir/ops/with_gradient.h"
#include "weft/support/philox.h"

namespace weft::test {
namespace {

using ir::Kind;
using ir::OpDef;
using passes::Rewrite;

/// Of every kind, whatever it has of ops. Constants are drawn as operands; regions come from the passes.
double share(Kind kind) {
  switch (kind) {
    case Kind::elementwise: return 40;
    case Kind::composite: return 18;
    case Kind::movement: return 14;
    case Kind::reduction: return 12;
    case Kind::heavy: return 10;
    case Kind::view: return 5;
    case Kind::index: return 3;
    case Kind::constant:
    case Kind::nest:
    case Kind::launch:
    case Kind::loop: return 0;
  }
  return 0;
}

}  // namespace

std::vector<const Rewrite*> all_rewrites() {
  std::vector<const Rewrite*> rows;
  for (const auto* table : {&passes::arithmetic_rewrites(), &passes::movement_rewrites(), &passes::contraction_rewrites()})
    for (const Rewrite& row : *table) rows.push_back(&row);
  return rows;
}

OpWeights::OpWeights(Dice& dice) {
  std::unordered_map<std::string_view, int> equations;
  for (const Rewrite* row : all_rewrites()) ++equations[row->op];
  std::unordered_map<int, double> total;
  for (const OpDef* def : ir::registry().all()) {
    // Updates come with train blocks: their own derivatives, which nobody takes, are differences of nearly equal numbers.
    if (share(def->kind) == 0 || ir::find_optimizer(def->name) || ir::has_gradient_body(*def)) continue;
    defs_.push_back(def);
    weights_.push_back((1 + equations[def->name]) * dice.pick(std::vector<double>{0.3, 1, 3}));
    total[static_cast<int>(def->kind)] += weights_.back();
  }
  for (size_t i = 0; i < defs_.size(); ++i) weights_[i] *= share(defs_[i]->kind) / total[static_cast<int>(defs_[i]->kind)];
  sum_ = std::accumulate(weights_.begin(), weights_.end(), 0.0);
}

const OpDef& OpWeights::draw(Dice& dice) const {
  double at = sum_ * uniform_from_bits(static_cast<uint32_t>(dice(size_t{1} << 32)));
  for (size_t i = 0; i + 1 < defs_.size(); ++i)
    if ((at -= weights_[i]) < 0) return *defs_[i];
  return *defs_.back();
}

}  // namespace weft::test
