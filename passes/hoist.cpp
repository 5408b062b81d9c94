#include "weft/passes/hoist.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "weft/ir/builder.h"
#include "weft/ir/ops/loop.h"

namespace weft::passes {
namespace {

using ir::Builder;
using ir::Graph;
using ir::Kind;
using ir::Op;
using ir::Scan;
using ir::Value;
using Values = std::unordered_set<Value, ir::ValueHash>;

class Hoisting {
 public:
  explicit Hoisting(Op& loop) : loop_(loop), scan_(ir::scan_of(loop)), body_(loop.body()) {}

  bool run() {
    find_same();
    for (const Op* op : body_.ops())
      if (!is_same(*op)) want(op->operands(), needs_memory(*op));
    for (const ir::Output& output : body_.outputs()) want({output.value}, true);
    if (hoisted_.empty()) return false;
    copy_out();
    return true;
  }

 private:
  bool is_same(const Op& op) const { return same_.contains(op.result(0)); }

  /// What is the same in every step: what follows from the loop's last operands and constants alone.
  void find_same() {
    for (int i = scan_.carried + scan_.sliced; i < scan_.operands(); ++i) {
      same_.insert(body_.input(i));
      follows_from_[body_.input(i)] = body_.input(i).type().bytes();
    }
    for (const Op* op : body_.ops()) {
      const auto& operands = op->operands();
      if (!std::all_of(operands.begin(), operands.end(), [&](Value v) { return same_.contains(v); })) continue;
      int64_t largest = 0;
      for (Value v : operands) largest = std::max(largest, follows_from_[v]);
      for (Value v : op->results()) same_.insert(v), follows_from_[v] = largest;
    }
  }

  /// Does it show what it reads in another form, at no cost to most readers?
  static bool shows(const Op& op) {
    const Kind kind = op.def().kind;
    if (kind == Kind::view || kind == Kind::constant || kind == Kind::index || op.def().broadcasts) return true;
    return kind == Kind::movement && op.operands().size() == 1 && op.result().type().bytes() <= op.operand(0).type().bytes();
  }

  /// Does it read its operands where they are stored? Other ops may compute them on the way.
  static bool needs_memory(const Op& op) { return op.def().kind == Kind::heavy || op.def().kind == Kind::loop; }

  bool stays(Value v, bool stored) const {
    if (shows(*v.op())) return true;
    return v.op()->def().kind == Kind::elementwise && !stored && v.type().bytes() > follows_from_.at(v);
  }

  /// The body reads these in every step, `stored` or not: where they are the same, what they take to compute is moved.
  void want(std::vector<Value> open, bool stored) {
    while (!open.empty()) {
      const Value v = open.back();
      open.pop_back();
      if (v.is_input() || !same_.contains(v)) continue;
      if (stays(v, stored)) {
        if ((stored ? wanted_stored_ : wanted_).insert(v).second)
          open.insert(open.end(), v.op()->operands().begin(), v.op()->operands().end());
      } else if (std::find(hoisted_.begin(), hoisted_.end(), v) == hoisted_.end()) {
        hoisted_.push_back(v);
      }
    }
  }

  /// The ops that what is hoisted follows from.
  std::unordered_set<const Op*> ops_to_copy() const {
    std::unordered_set<const Op*> ops;
    std::vector<Value> open = hoisted_;
    while (!open.empty()) {
      const Value v = open.back();
      open.pop_back();
      if (v.is_input() || !ops.insert(v.op()).second) continue;
      open.insert(open.end(), v.op()->operands().begin(), v.op()->operands().end());
    }
    return ops;
  }

  void copy_out() {
    const std::unordered_set<const Op*> ops = ops_to_copy();
    std::unordered_map<Value, Value, ir::ValueHash> outside;
    for (int i = 0; i < scan_.operands(); ++i) outside[body_.input(i)] = loop_.operand(i);
    Builder builder(loop_.graph(), &loop_);
    for (const Op* op : body_.ops()) {
      if (!ops.contains(op)) continue;
      builder.set_locations(op->locations());
      std::vector<Value> operands;
      for (Value v : op->operands()) operands.push_back(outside.at(v));
      const Op& copy = builder.copy(*op, operands);
      for (Value v : op->results()) outside[v] = copy.result(v.index());
    }
    std::vector<Value> operands = loop_.operands();
    for (Value v : hoisted_) {
      operands.push_back(outside.at(v));
      v.replace_all_uses_with(body_.add_input(free_name(), v.type()));
    }
    builder.set_locations(loop_.locations());
    const Op& by =
        ir::make_scan(builder, operands, scan_.carried, scan_.sliced, scan_.length, scan_.reverse, loop_.exchange_body(0, nullptr));
    for (Value v : loop_.results()) v.replace_all_uses_with(by.result(v.index()));
    loop_.graph().erase(loop_);
  }

  std::string free_name() const {
    std::string name = fmt::format("same.{}", body_.inputs().size());
    while (body_.find_input(name)) name += "'";
    return name;
  }

  Op& loop_;
  const Scan scan_;
  Graph& body_;
  Values same_, wanted_, wanted_stored_;
  std::unordered_map<Value, int64_t, ir::ValueHash> follows_from_;  // bytes of the largest operand that it follows from
  std::vector<Value> hoisted_;
};

}  // namespace

bool hoist(ir::Module& module) {
  bool changed = false;
  for (Op* op : module.graph().editable_ops())
    if (ir::is_loop(*op) && !op->flag("placed")) changed |= Hoisting(*op).run();
  return changed;
}

}  // namespace weft::passes
