#include "weft/passes/autocast.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "weft/ir/builder.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Kind;
using ir::Op;
using ir::Value;

DType wider(DType a, DType b) {
  if (size_of(a) == size_of(b)) return a == b ? a : f32;  // f16 and bf16
  return size_of(b) > size_of(a) ? b : a;
}

/// Does it repeat another value, or show that in another shape?
bool repeats(Value v) { return !v.is_input() && (v.op()->def().broadcasts || v.op()->def().kind == Kind::view); }

const ir::Dense* splat_of(Value v) {
  if (v.is_input() || v.op()->def().kind != Kind::constant) return nullptr;
  const auto& elements = v.op()->attribute<ir::Dense>("value");
  return elements.is_splat() ? &elements : nullptr;
}

class Autocasting {
 public:
  Autocasting(ir::Graph& graph, DType low) : graph_(graph), low_(low) {}

  bool run() {
    for (Op* op : graph_.op_list()) visit(*op);
    restore_outputs();
    return changed_;
  }

 private:
  /// What the value repeats in the end.
  Value source_of(Value v) {
    Value source = v;
    while (repeats(source)) {
      count_work(1);
      const auto found = sources_.find(source);
      source = found == sources_.end() ? source.op()->operand(0) : found->second;
    }
    return sources_[v] = source;
  }

  /// A scalar, repeated or not: it has no say in the type of an op that has tensors too, as in PyTorch.
  bool is_number(Value v) {
    const Value source = source_of(v);
    return source.shape().rank() == 0 || splat_of(source);
  }

  /// A parameter that is repeated.
  bool is_bias(Value v) {
    const Value source = source_of(v);
    return source.is_input() && graph_.inputs()[static_cast<size_t>(source.index())].role == ir::Role::parameter &&
           source.shape().numel() < v.shape().numel();
  }

  /// Is the operand one whose type autocast may choose?
  static bool takes_part(const Op& op, size_t i) {
    const auto& specs = op.def().operands;
    const ir::OperandSpec& spec = specs[std::min(i, specs.size() - 1)];
    return !spec.type && !spec.index && is_floating(op.operands()[i].dtype());
  }

  DType recorded_type(Value v) const {
    const auto found = recorded_.find(v);
    return found == recorded_.end() ? v.dtype() : found->second;
  }

  /// The widest type of the operands that take part, and whether they were of one type when recorded.
  struct Operands {
    std::optional<DType> widest = {}, recorded = {};
    bool mixed = false;
  };
  Operands operands_of(const Op& op) {
    Operands all;
    std::optional<DType> of_numbers;
    for (size_t i = 0; i < op.operands().size(); ++i) {
      if (!takes_part(op, i)) continue;
      const Value v = op.operands()[i];
      std::optional<DType>& widest = is_number(v) ? of_numbers : all.widest;
      widest = wider(widest.value_or(v.dtype()), v.dtype());
      const DType before = recorded_type(v);
      all.mixed = all.mixed || before != all.recorded.value_or(before);
      all.recorded = before;
    }
    if (!all.widest) all.widest = of_numbers;
    return all;
  }

  /// A product in the low-precision type plus a bias is one too.
  bool adds_bias(const Op& op) {
    if (op.def().adds != 1) return false;
    const Value a = op.operand(0), b = op.operand(1);
    return (products_.contains(a) && is_bias(b)) || (products_.contains(b) && is_bias(a));
  }

  /// The type of the operands that take part; none: as they were recorded.
  std::optional<DType> type_for(const Op& op, const Operands& operands) {
    const ir::Autocast how = op.def().autocast_class();
    if (how == ir::Autocast::fixed || !op.bodies().empty() || operands.mixed) return std::nullopt;
    const DType widest = *operands.widest;
    if (size_of(widest) > size_of(f32)) return widest;
    if (how == ir::Autocast::low || adds_bias(op)) return low_;
    return how == ir::Autocast::wide ? f32 : widest;
  }

  void visit(Op& op) {
    count_work(1 + static_cast<int64_t>(op.operands().size()));
    const Operands operands = operands_of(op);
    if (!operands.widest) return;
    const std::optional<DType> type = type_for(op, operands);
    Builder builder(graph_, &op, op.locations());
    std::vector<Value> now = op.operands();
    bool same_types = true;
    for (size_t i = 0; i < now.size(); ++i) {
      if (takes_part(op, i)) now[i] = cast(builder, now[i], type.value_or(recorded_type(now[i])));
      same_types = same_types && now[i].dtype() == recorded_type(op.operands()[i]);
    }
    const std::vector<Value> before = op.operands();
    const bool is_product = type == low_ && (op.def().autocast_class() == ir::Autocast::low || adds_bias(op) || shows_product(op));
    if (same_types) {
      for (size_t i = 0; i < now.size(); ++i)
        if (now[i] != op.operands()[i]) op.set_operand(static_cast<int>(i), now[i]), changed_ = true;
      if (is_product) products_.insert(op.result());
    } else {
      replace(op, builder.copy(op, now), is_product);
    }
    drop_unused(before);
  }

  /// What was a number or repeated in its recorded type, and is so no more.
  void drop_unused(std::vector<Value> values) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (!values[i] || values[i].is_input() || !values[i].op()->is_unused()) continue;
      Op& op = *values[i].op();
      if (!op.def().broadcasts && op.def().kind != Kind::constant) continue;
      std::replace(values.begin(), values.end(), Value(values[i]), Value());
      erase(op);
    }
  }

  /// Another value may get the memory of its results.
  void erase(Op& op) {
    for (Value v : op.results()) recorded_.erase(v), products_.erase(v), sources_.erase(v);
    graph_.erase(op);
  }

  /// A product in another shape.
  bool shows_product(const Op& op) const { return op.def().kind == Kind::view && products_.contains(op.operand(0)); }

  void replace(Op& op, Op& by, bool is_product) {
    for (int i = 0; i < op.result_count(); ++i) {
      const Value before = op.result(i), now = by.result(i);
      if (now.dtype() != before.dtype()) recorded_[now] = before.dtype();
      before.replace_all_uses_with(now);
    }
    if (is_product) products_.insert(by.result());
    erase(op);
    changed_ = true;
  }

  /// What is repeated is cast before.
  Value cast(Builder& builder, Value v, DType type) {
    if (v.dtype() == type) return v;
    if (const ir::Dense* number = splat_of(v)) return builder.splat({type, v.shape()}, number->at(0));
    if (v.is_input() || !v.op()->def().broadcasts) return builder.cast(v, type);
    return builder.copy(*v.op(), {cast(builder, v.op()->operand(0), type)}).result();
  }

  void restore_outputs() {
    for (size_t i = 0; i < graph_.outputs().size(); ++i) {
      const ir::Output& output = graph_.outputs()[i];
      const DType type = recorded_type(output.value);
      if (output.value.dtype() != type) graph_.set_output(i, Builder(graph_, nullptr, output.locations).cast(output.value, type));
    }
  }

  ir::Graph& graph_;
  DType low_;
  std::unordered_map<Value, DType, ir::ValueHash> recorded_;  // of results that have another type now
  std::unordered_set<Value, ir::ValueHash> products_;         // in the low-precision type
  std::unordered_map<Value, Value, ir::ValueHash> sources_;   // of values that repeat others
  bool changed_ = false;
};

}  // namespace

void require_autocast_type(std::optional<DType> type, std::string_view target) {
  if (type && *type != bf16)
    throw Error("Target::{}: .autocast must be bf16, not {}", target, weft::name_of(*type))
        .hint("leave it out to compute in the types that are recorded");
}

bool autocast(ir::Module& module, const Target& target) {
  const std::optional<DType> type = target.autocast();
  return type && Autocasting(module.graph(), *type).run();
}

}  // namespace weft::passes
