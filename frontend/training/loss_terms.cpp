#include "weft/frontend/training/loss_terms.h"

#include <optional>
#include <unordered_map>

namespace weft::detail {
namespace {

using ir::Builder;
using ir::Op;
using ir::Value;

class Splitter {
 public:
  explicit Splitter(Builder& b) : b_(b) {}

  std::vector<LossTerm> split(Value v) {
    if (v.is_input() || !of_batch(v)) return {{v, {}}};
    const Op& op = *v.op();
    if (const int sign = op.def().adds) {
      std::vector<LossTerm> all = split(op.operand(0));
      for (const LossTerm& t : split(op.operand(1))) all.push_back({sign < 0 ? b_("neg", {t.numerator}) : t.numerator, t.count});
      return all;
    }
    if ((op.def().linear && op.def().is_elementwise()) || op.def().converts)
      return each(split(op.operand(0)), [&](Value n) { return b_.copy(op, {n}).result(); });
    if (op.def().multiplies())
      for (int i : {0, 1})
        if (!of_batch(op.operand(1 - i))) return each(split(op.operand(i)), [&](Value n) { return b_("mul", {n, op.operand(1 - i)}); });
    if (!op.is("div")) return {{v, {}}};
    if (!of_batch(op.operand(1))) return each(split(op.operand(0)), [&](Value n) { return b_("div", {n, op.operand(1)}); });
    const Value count = count_in(op.operand(1));
    return {count ? LossTerm{op.operand(0), count} : LossTerm{v, {}}};
  }

 private:
  template <class Change>
  static std::vector<LossTerm> each(std::vector<LossTerm> terms, const Change& change) {
    for (LossTerm& t : terms) t.numerator = change(t.numerator);
    return terms;
  }

  /// What of a divisor is a sum over the batch: a sum, and not what keeps it away from 0.
  Value count_in(Value v) {
    if (v.is_input()) return {};
    const Op& op = *v.op();
    if (op.def().kind == ir::Kind::reduction) return op.def().linear ? v : Value();
    const bool sum = op.def().adds == 1, bound = op.is("maximum") || op.is("clamp");
    if (sum && of_batch(op.operand(0)) && of_batch(op.operand(1))) return count_in(op.operand(0)) && count_in(op.operand(1)) ? v : Value();
    if (op.def().converts) return count_in(op.operand(0)) ? v : Value();
    if (!sum && !bound) return {};
    return count_in(op.operand(op.operands().size() > 1 && !of_batch(op.operand(0)) ? 1 : 0));
  }

  /// Does it depend on what is fed?
  bool of_batch(Value v) {
    if (v.is_input()) return v.graph()->inputs()[static_cast<size_t>(v.index())].role == ir::Role::batch;
    if (const auto known = of_batch_.find(v); known != of_batch_.end()) return known->second;
    bool any = false;
    for (const Value operand : v.op()->operands()) any = any || of_batch(operand);
    return of_batch_[v] = any;
  }

  Builder& b_;
  std::unordered_map<Value, bool, ir::ValueHash> of_batch_;
};

}  // namespace

std::vector<LossTerm> loss_terms(Builder& b, Value loss) {
  std::vector<LossTerm> counted;
  Value rest;
  for (const LossTerm& term : Splitter(b).split(loss)) {
    if (term.count) counted.push_back(term);
    else rest = rest ? b("add", {rest, term.numerator}) : term.numerator;
  }
  if (counted.empty()) return {{loss, {}}};
  if (rest) counted.push_back({rest, {}});
  return counted;
}

}  // namespace weft::detail
