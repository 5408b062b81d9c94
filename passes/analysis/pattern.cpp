#include "weft/passes/analysis/pattern.h"

#include <algorithm>
#include <unordered_map>

#include "weft/ir/equal.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Dense;
using ir::Graph;
using ir::Kind;
using ir::Op;
using ir::Value;

bool commutes(const ir::OpDef& def) { return def.adds == 1 || def.multiplies(); }

const Dense& elements_of(const Op& constant) { return constant.attribute<Dense>("value"); }

bool same_constant(const Op& a, const Op& b) {
  const Dense &x = elements_of(a), &y = elements_of(b);
  return x.type().dtype == y.type().dtype && x.is_splat() && y.is_splat() && x.bytes() == y.bytes();
}

class Search {
 public:
  Search(const Graph& pattern, const Shape& shape) : shape_(shape) { found_.inputs.resize(pattern.inputs().size()); }

  bool is_like(Value v, Value wanted) {
    count_work(1);
    if (v.type() != ir::Type{wanted.dtype(), shape_}) return false;
    if (wanted.is_input()) {
      Value& bound = found_.inputs[static_cast<size_t>(wanted.index())];
      if (!bound) bound = v;
      return bound == v;
    }
    if (v.is_input()) return false;
    if (wanted.op()->def().kind == Kind::constant) return v.op()->def().kind == Kind::constant && same_constant(*v.op(), *wanted.op());
    if (const auto known = known_.find(wanted.op()); known != known_.end()) return known->second == v;
    if (!is_like(*v.op(), *wanted.op())) return false;
    known_.emplace(wanted.op(), v);
    found_.ops.push_back(v.op());
    return true;
  }
  PatternMatch take() { return std::move(found_); }

 private:
  bool is_like(Op& op, const Op& wanted) {
    if (!op.def().is_elementwise() || !ir::same_computation(op, wanted) || op.operands().size() != wanted.operands().size()) return false;
    const PatternMatch found = found_;
    const auto known = known_;
    if (are_like(op, wanted, false)) return true;
    if (!commutes(op.def())) return false;
    found_ = found, known_ = known;
    return are_like(op, wanted, true);
  }
  bool are_like(const Op& op, const Op& wanted, bool swapped) {
    const int count = static_cast<int>(op.operands().size());
    for (int i = 0; i < count; ++i)
      if (!is_like(op.operand(swapped ? count - 1 - i : i), wanted.operand(i))) return false;
    return true;
  }

  Shape shape_;
  PatternMatch found_;
  std::unordered_map<const Op*, Value> known_;  // by the pattern's op
};

}  // namespace

std::optional<PatternMatch> find_pattern(const Graph& pattern, Value root, Value first) {
  Search search(pattern, root.shape());
  if (!search.is_like(first, pattern.input(0)) || !search.is_like(root, pattern.outputs()[0].value)) return std::nullopt;
  PatternMatch found = search.take();
  if (found.ops.empty() || std::any_of(found.inputs.begin(), found.inputs.end(), [](Value v) { return !v; })) return std::nullopt;
  return found;
}

Value apply_pattern(ir::Builder& builder, const Graph& pattern, const std::vector<Value>& operands) {
  std::unordered_map<const Op*, Value> made;
  const auto of = [&](Value v) { return v.is_input() ? operands[static_cast<size_t>(v.index())] : made.at(v.op()); };
  for (const Op* op : pattern.ops()) {
    if (op->def().kind == Kind::constant) {
      const Dense& element = elements_of(*op);
      made[op] = builder("constant", {}, {{"value", Dense::repeated({element.type().dtype, operands[0].shape()}, element.bytes())}});
      continue;
    }
    std::vector<Value> inputs;
    for (const Value v : op->operands()) inputs.push_back(of(v));
    made[op] = builder.copy(*op, std::move(inputs)).result();
  }
  return of(pattern.outputs()[0].value);
}

}  // namespace weft::passes
