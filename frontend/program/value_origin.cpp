#include "weft/frontend/program/value_origin.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "weft/frontend/program/call_alone.h"
#include "weft/ir/op_def.h"

namespace weft::detail {
namespace {

using ir::Op;
using ir::Value;
using reference::Tensor;

ValueStatistics statistics(const Tensor& t) {
  return statistics_of(f64, reinterpret_cast<const std::byte*>(t.real.data()), static_cast<int64_t>(t.real.size()));
}

std::string element_text(const Tensor& t) {
  const auto at = std::find_if(t.real.begin(), t.real.end(), [](double x) { return !std::isfinite(x); });
  if (at == t.real.end()) return "";
  return fmt::format("element {} is {}", weft::to_string(t.type.shape.index_of(at - t.real.begin())),
                     std::isnan(*at) ? std::fabs(*at) : *at);
}

/// Is it ops that compute together?
bool is_group(const Op& op) { return op.def().kind == ir::Kind::nest || op.def().kind == ir::Kind::launch; }

/// What is known of a value that was computed.
struct Seen {
  ValueStatistics values;
  std::string element;
};

class Trace {
 public:
  /// `twin`: the call in a graph of its own.
  Trace(const Op& call, const Op& twin) : call_(call), twin_(twin) { note_owners(twin); }

  void saw(Value v, const Tensor& t) {
    if (is_floating(t.type.dtype)) seen_[v] = {statistics(t), element_text(t)};
  }

  /// The value that an op made so; null where it was given.
  Value made(Value v) {
    if (is_finite(v)) return {};
    const auto [known, is_new] = made_.try_emplace(v);
    if (is_new) {
      const Value origin = look(v);
      made_[v] = origin;
      return origin;
    }
    return known->second;
  }

  /// Of a value that `v`'s op, or where that is a group the op inside that gives it, made.
  ValueOrigin origin(Value v) const {
    const Seen& seen = seen_.at(v);
    while (is_group(*v.op())) v = v.op()->body().outputs()[static_cast<size_t>(v.index())].value;
    const Op& op = *v.op();
    ValueOrigin found{std::string(op.name()), op.locations(), seen.values, {}, seen.element};
    for (Value operand : op.operands()) {
      const auto read = seen_.find(inner(operand));
      if (read != seen_.end()) found.operands.push_back({name_of(operand), to_string(operand.type()), read->second.values});
    }
    return found;
  }

  bool is_finite(Value v) const { return !has_nan(v) && !has_infinity(v); }

 private:
  void note_owners(const Op& op) {
    for (const auto& body : op.bodies()) {
      owners_[body.get()] = &op;
      for (const Op* inside : body->ops()) note_owners(*inside);
    }
  }

  /// Past inputs of bodies to what they stand for, and past groups of ops to the op that gives their result.
  Value inner(Value v) const {
    while (true) {
      if (v.is_input()) {
        const auto owner = owners_.find(v.graph());
        if (owner == owners_.end() || !is_group(*owner->second)) return v;
        v = owner->second->operand(v.index());
      } else if (is_group(*v.op()) && v.op() != &twin_) {
        v = v.op()->body().outputs()[static_cast<size_t>(v.index())].value;
      } else {
        return v;
      }
    }
  }

  bool has_nan(Value v) const {
    const auto at = seen_.find(inner(v));
    return at != seen_.end() && at->second.values.nans > 0;
  }
  bool has_infinity(Value v) const {
    const auto at = seen_.find(inner(v));
    return at != seen_.end() && at->second.values.infinities > 0;
  }

  Value look(Value v) {
    const Value at = inner(v);
    if (at != v) return made(at);
    if (v.is_input() || v.op()->def().kind == ir::Kind::constant) return {};
    const Op& op = *v.op();
    if (is_group(op)) return made(op.body().outputs()[static_cast<size_t>(v.index())].value);
    bool read_nan = false, read_any = false;
    for (Value operand : op.operands()) {
      read_nan = read_nan || has_nan(operand), read_any = read_any || !is_finite(operand);
      if (has_nan(operand))
        if (const Value origin = made(operand)) return origin;
    }
    for (Value operand : op.operands())
      if (has_infinity(operand))
        if (const Value origin = made(operand)) return origin;
    return !read_any || (has_nan(v) && !read_nan) ? v : Value();
  }

  /// What who wrote the program knows it by.
  std::string name_of(Value v) const {
    v = inner(v);
    if (v.is_input() && v.graph() == &twin_.graph()) {
      v = call_.operand(v.index());
      while (!v.is_input() && v.op()->def().kind == ir::Kind::view) v = v.op()->operand(0);
    }
    return v.is_input() ? "'" + v.name() + "'" : std::string(v.op()->name());
  }

  const Op &call_, &twin_;
  std::unordered_map<const ir::Graph*, const Op*> owners_;
  std::unordered_map<Value, Seen, ir::ValueHash> seen_;
  std::unordered_map<Value, Value, ir::ValueHash> made_;
};

}  // namespace

std::optional<ValueOrigin> origin_of(const Op& call, std::span<const Tensor> operands, std::span<const Tensor> results) {
  const CallAlone alone(call);
  const Op& twin = alone.op();
  Trace trace(call, twin);
  for (size_t i = 0; i < operands.size(); ++i) trace.saw(alone.graph().inputs()[i].value(), operands[i]);
  if (is_group(call))
    reference::evaluate(alone.graph(), operands, [&](const Op& op, std::span<const Tensor* const>, std::span<Tensor> values) {
      for (size_t i = 0; i < values.size(); ++i) {
        reference::round_to_type(values[i]);
        trace.saw(op.result(static_cast<int>(i)), values[i]);
      }
    });
  bool hidden = false;  // what the reference does not compute so
  for (size_t i = 0; i < results.size(); ++i) {
    const Value v = twin.result(static_cast<int>(i));
    hidden = hidden || (is_group(call) && trace.is_finite(v) && !element_text(results[i]).empty());
    trace.saw(v, results[i]);
    if (const Value made = trace.made(v)) return trace.origin(made);
  }
  for (size_t i = 0; i < results.size() && hidden; ++i)
    if (const Value v = twin.result(static_cast<int>(i)); !trace.is_finite(v)) return trace.origin(v);
  return std::nullopt;
}

}  // namespace weft::detail
