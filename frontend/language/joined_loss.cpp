#include "weft/frontend/language/joined_loss.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>
#include <unordered_set>

#include "weft/ir/order.h"

namespace weft::detail {
namespace {

using ir::Op;
using ir::Value;

class Joiner {
 public:
  Joiner(Recorder& r, const std::vector<int64_t>& rows)
      : r_(r), rows_(rows), total_(std::accumulate(rows.begin(), rows.end(), int64_t{0})) {}

  Value join(Value whole, const std::vector<Value>& parts) {
    if (std::all_of(parts.begin(), parts.end(), [&](Value p) { return p == whole; })) return whole;
    std::vector<Value> all{whole};
    all.insert(all.end(), parts.begin(), parts.end());
    if (const auto known = joined_.find(all); known != joined_.end()) return known->second;
    const Value result = join_ops(whole, parts);
    joined_.emplace(std::move(all), result);
    return result;
  }

 private:
  struct ByPlace {
    bool operator()(const std::vector<Value>& a, const std::vector<Value>& b) const {
      const auto before = [](Value x, Value y) { return std::less<>()(x.node(), y.node()); };
      return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(), before);
    }
  };

  Value join_ops(Value whole, const std::vector<Value>& parts) {
    for (Value part : parts)
      if (whole.is_input() || part.is_input() || part.op()->name() != whole.op()->name() || part.index() != whole.index() ||
          part.op()->operands().size() != whole.op()->operands().size())
        fail(whole, "is not the same for every part and the whole batch");
    for (Value part : parts)
      if (part.type() != whole.type()) fail(whole, "keeps rows apart, so that it is no number of the batch");
    const Op& op = *whole.op();
    if (reads_no_rows(op, parts)) return over_joined_operands(whole, parts);
    if (op.def().kind == ir::Kind::reduction || op.def().contracts()) return combined(whole, parts);
    if (op.def().kind == ir::Kind::composite) return join_decompositions(whole, parts);
    fail(whole, "picks rows");
  }

  /// Do the operands have the same types in the parts as in the whole? Then none of their axes is one of rows.
  static bool reads_no_rows(const Op& op, const std::vector<Value>& parts) {
    for (size_t i = 0; i < op.operands().size(); ++i)
      for (Value part : parts)
        if (part.op()->operands()[i].type() != op.operands()[i].type()) return false;
    return true;
  }

  Value over_joined_operands(Value whole, const std::vector<Value>& parts) {
    const Op& op = *whole.op();
    std::vector<Value> operands;
    for (size_t i = 0; i < op.operands().size(); ++i) {
      std::vector<Value> of_parts;
      for (Value part : parts) of_parts.push_back(part.op()->operands()[i]);
      operands.push_back(join(op.operands()[i], of_parts));
    }
    if (operands == op.operands()) return whole;
    if (!op.bodies().empty()) fail(whole, "has a body");
    r_.builder.set_locations(op.locations());
    return r_.builder.copy(op, operands).result(whole.index());
  }

  /// A reduction of rows to the same reduction of the parts' results; a contraction over rows is a sum.
  Value combined(Value whole, const std::vector<Value>& parts) {
    const Op& op = *whole.op();
    for (size_t i = 0; i < parts.size(); ++i) {
      const int64_t all = op.operand(0).shape().numel(), some = parts[i].op()->operand(0).shape().numel();
      if (all * rows_[i] != some * total_) fail(whole, "reduces what pairs the batch's rows with each other");
    }
    if (made_.contains(&op) && couples_rows(op, *parts[0].op())) fail(whole, "compares rows with what all of them have in common");
    r_.builder.set_locations(op.locations());
    const bool sums = op.def().contracts() || op.def().linear;
    Value result = parts[0];
    if (sums) {
      for (size_t i = 1; i < parts.size(); ++i) result = r_.builder("add", {result, parts[i]});
      return result;
    }
    Dims layer = whole.shape().dims();
    layer.insert(layer.begin(), 1);
    std::vector<Value> layers;
    for (Value part : parts) layers.push_back(r_.builder.reshape(part, Shape(layer)));
    return r_.builder(op.name(), {r_.builder("concat", layers, {{"axis", int64_t{0}}})}, {{"axes", Dims{0}}});
  }

  /// Does an op of the same decomposition reduce rows before this one does? A variance over rows does, by their mean.
  bool couples_rows(const Op& whole, const Op& part) const {
    for (size_t i = 0; i < whole.operands().size(); ++i) {
      const Value w = whole.operands()[i], p = part.operands()[i];
      if (w.is_input() || p.is_input() || !made_.contains(w.op())) continue;
      const bool reduces = w.type() == p.type() && !reads_no_rows(*w.op(), {p});
      if (reduces || couples_rows(*w.op(), *p.op())) return true;
    }
    return false;
  }

  Value join_decompositions(Value whole, const std::vector<Value>& parts) {
    const auto written_out = [&](Value v) {
      r_.builder.set_locations(v.op()->locations());
      const ir::Ops& ops = v.graph()->ops();
      const size_t before = ops.size();
      const Value result = ir::decompose(r_.builder, *v.op())[static_cast<size_t>(v.index())];
      for (auto at = std::next(ops.begin(), static_cast<std::ptrdiff_t>(before)); at != ops.end(); ++at) made_.insert(*at);
      return result;
    };
    std::vector<Value> of_parts;
    for (Value part : parts) of_parts.push_back(written_out(part));
    return join(written_out(whole), of_parts);
  }

  [[noreturn]] void fail(Value v, const char* what) const {
    const std::string which =
        v.is_input() ? fmt::format("the input '{}'", v.name()) : fmt::format("{} at {}", v.op()->name(), to_string(v.op()->locations()));
    throw Error("the loss of a batch cannot be put together from its parts: {} {}", which, what)
        .of("micro_batches")
        .at(to_string(r_.where()))
        .hint("let the loss be made of sums, means and extremes over rows, or take one part");
  }

  Recorder& r_;
  const std::vector<int64_t>& rows_;
  int64_t total_;
  std::map<std::vector<Value>, Value, ByPlace> joined_;
  std::unordered_set<const Op*> made_;  // by decompositions
};

}  // namespace

Value joined_loss(Recorder& r, Value whole, const std::vector<Value>& parts, const std::vector<int64_t>& rows) {
  return Joiner(r, rows).join(whole, parts);
}

}  // namespace weft::detail
