#include "weft/ir/equal.h"

#include <algorithm>
#include <unordered_map>

#include "weft/ir/op_def.h"
#include "weft/support/work.h"

namespace weft::ir {
namespace {

bool equal_lists(Attributes a, Attributes b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (!equal(a[i], b[i])) return false;
  return true;
}

bool equal_named(const NamedAttributes& a, const NamedAttributes& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i)
    if (a[i].first != b[i].first || !equal(a[i].second, b[i].second)) return false;
  return true;
}

bool equal_placed(Value a, Value b) { return a.type() == b.type() && a.offset() == b.offset(); }

}  // namespace

bool same_computation(const Op& a, const Op& b) {
  if (&a.def() != &b.def() || !equal_lists(a.attributes(), b.attributes()) || a.bodies().size() != b.bodies().size()) return false;
  for (size_t i = 0; i < a.bodies().size(); ++i)
    if (!equal(a.body(static_cast<int>(i)), b.body(static_cast<int>(i)), Compare::ignore_locations)) return false;
  return true;
}

size_t computation_hash(const Op& op) {
  size_t h = std::hash<std::string>{}(op.def().name);
  for (const Attribute& a : op.attributes()) h = h * 1000003 ^ hash_of(a);
  for (const auto& body : op.bodies())
    for (const auto& inner : body->ops()) {
      h = h * 1000003 ^ computation_hash(*inner);
      for (Value v : inner->results())
        for (int64_t extent : v.shape()) h = h * 31 ^ static_cast<size_t>(extent);
    }
  return h;
}

bool equal(const Graph& a, const Graph& b, Compare what) {
  const bool lines = what == Compare::everything;
  if (a.inputs().size() != b.inputs().size() || a.ops().size() != b.ops().size() || a.outputs().size() != b.outputs().size() ||
      (lines && a.name() != b.name()))
    return false;
  std::unordered_map<Value, Value, ValueHash> twin;
  for (size_t i = 0; i < a.inputs().size(); ++i) {
    const Input &x = a.inputs()[i], &y = b.inputs()[i];
    if (x.node->name != y.node->name || x.role != y.role || !equal_placed(x.value(), y.value()) ||
        (lines && source_lines(x.locations) != source_lines(y.locations)))
      return false;
    twin[x.value()] = y.value();
  }
  auto at = b.ops().begin();
  count_work(static_cast<int64_t>(a.ops().size()));
  for (const auto& x : a.ops()) {
    const Op& y = **at++;
    if (!same_computation(*x, y) || x->operands().size() != y.operands().size() || x->result_count() != y.result_count() ||
        (lines && source_lines(x->locations()) != source_lines(y.locations())))
      return false;
    if (lines)
      for (size_t i = 0; i < x->bodies().size(); ++i)
        if (!equal(x->body(static_cast<int>(i)), y.body(static_cast<int>(i)), what)) return false;
    for (int i = 0; i < static_cast<int>(y.operands().size()); ++i)
      if (twin.at(x->operand(i)) != y.operand(i)) return false;
    for (int i = 0; i < y.result_count(); ++i) {
      if (!equal_placed(x->result(i), y.result(i))) return false;
      twin[x->result(i)] = y.result(i);
    }
  }
  for (size_t i = 0; i < a.outputs().size(); ++i) {
    const Output &x = a.outputs()[i], &y = b.outputs()[i];
    if (x.name != y.name || twin.at(x.value) != y.value || x.alias != y.alias ||
        (lines && source_lines(x.locations) != source_lines(y.locations)))
      return false;
  }
  return true;
}

namespace {

bool equal_groups(const TrainGroup& a, const TrainGroup& b) {
  return a.name == b.name && a.inputs == b.inputs && a.optimizer == b.optimizer && equal_named(a.attributes, b.attributes);
}

bool equal_specs(const TrainSpec& a, const TrainSpec& b) {
  return a.loss == b.loss && a.inputs == b.inputs && a.optimizer == b.optimizer && a.keep == b.keep && a.clip_value == b.clip_value &&
         a.clip_norm == b.clip_norm && a.counters == b.counters && equal_named(a.attributes, b.attributes) &&
         std::equal(a.groups.begin(), a.groups.end(), b.groups.begin(), b.groups.end(), equal_groups);
}

}  // namespace

bool equal(const Module& a, const Module& b, Compare what) {
  if (a.target != b.target || a.stage != b.stage || a.arena_bytes != b.arena_bytes || a.train.has_value() != b.train.has_value())
    return false;
  if (a.train && !equal_specs(*a.train, *b.train)) return false;
  return equal(a.graph(), b.graph(), what);
}

}  // namespace weft::ir
