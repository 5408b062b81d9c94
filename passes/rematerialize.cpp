#include "weft/passes/rematerialize.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <unordered_map>

#include "weft/ir/op_def.h"
#include "weft/ir/ops/loop.h"
#include "weft/passes/analysis/largest_values.h"
#include "weft/passes/analysis/liveness.h"
#include "weft/passes/analysis/nests.h"
#include "weft/passes/dce.h"
#include "weft/passes/loops.h"
#include "weft/passes/partial_region.h"
#include "weft/passes/plan.h"
#include "weft/support/error.h"
#include "weft/support/memory.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Kind;
using ir::Op;
using ir::Value;

/// So many ops are run again at most for one value.
constexpr size_t most_ops_of_a_value = 12;
/// A matrix product does so many operations in the time in which a byte comes from memory.
constexpr double flops_of_a_byte = 16;

class Rematerialization {
 public:
  Rematerialization(ir::Graph& graph, const Target& target) : graph_(graph), target_(target), nests_(graph) {}

  /// Until no more than `goal` bytes are live at once; false: nothing more can be done for that.
  bool run(int64_t goal) {
    for (goal_ = goal, look(); peak() > goal_; look())
      if (!improve()) return false;
    return true;
  }

  /// What is live where most is.
  std::vector<Value> living_at_peak() {
    look();
    std::vector<Value> all;
    const auto place = static_cast<int>(std::max_element(live_.begin(), live_.end()) - live_.begin());
    for (const Interval& i : intervals_)
      if (i.begin <= place && place <= i.end) all.push_back(i.value);
    return all;
  }

 private:
  /// A value that is to be computed again for the first of its readers that come late, and by which ops.
  struct Choice {
    Value value;
    int reader = 0;
    std::vector<std::pair<Op*, std::set<int>>> ops;  // in the order of the graph, with the results that are wanted
    double cost = 0;                                 // of a byte that it frees
  };

  /// Takes note of the order, and of what is live when.
  void look() {
    ops_ = graph_.op_list();
    place_.clear();
    for (size_t i = 0; i < ops_.size(); ++i) place_[ops_[i]] = static_cast<int>(i);
    intervals_ = arena_intervals(graph_);
    end_.clear();
    for (const Interval& i : intervals_) end_[i.value] = i.end;
    live_ = live_bytes(graph_, target_);
    replaced_.clear();
    for (const ir::Output& output : graph_.outputs())
      if (output.alias && !output.value.is_input()) replaced_[graph_.input(*output.alias)] = place_.at(output.value.op());
    count_work(static_cast<int64_t>(ops_.size()));
  }

  int64_t peak() const { return live_.empty() ? 0 : *std::max_element(live_.begin(), live_.end()); }
  /// What is too much, over the whole step.
  double excess() const {
    double sum = 0;
    for (const int64_t bytes : live_) sum += static_cast<double>(std::max<int64_t>(bytes - goal_, 0));
    return sum;
  }

  bool improve() {
    const auto place = static_cast<int>(std::max_element(live_.begin(), live_.end()) - live_.begin());
    std::vector<Choice> choices;
    for (const Interval& i : intervals_)
      if (i.begin < place && place < i.end && i.end < static_cast<int>(ops_.size()))
        if (std::optional<Choice> choice = choice_for(i.value, place)) choices.push_back(*std::move(choice));
    std::stable_sort(choices.begin(), choices.end(), [](const Choice& x, const Choice& y) { return x.cost < y.cost; });
    return std::any_of(choices.begin(), choices.end(), [&](const Choice& choice) { return try_choice(choice); });
  }

  // --- What can be computed again --------------------------------------------------------------------------------------------

  std::optional<Choice> choice_for(Value v, int place) const {
    Choice choice{.value = v};
    choice.reader = static_cast<int>(ops_.size());
    for (const Op* reader : memory_readers(v)) {
      const int at = place_.at(reader);
      if (at == place) return std::nullopt;
      if (at > place) choice.reader = std::min(choice.reader, at);
    }
    Chosen chosen;
    if (!choose(v, place, choice.reader, chosen)) return std::nullopt;
    double cost = 0;
    for (Op* op : ops_)
      if (const auto found = chosen.find(op); found != chosen.end()) choice.ops.emplace_back(op, found->second), cost += cost_of(*op);
    choice.cost = cost / static_cast<double>(std::max<int64_t>(v.type().bytes(), 1));
    return choice;
  }

  /// Ops, and which of their results.
  using Chosen = std::unordered_map<const Op*, std::set<int>>;

  /// Adds what makes v, and what is before it whose results are gone where most is live.
  bool choose(Value v, int place, int reader, Chosen& chosen) const {
    Op& op = *v.op();
    if (chosen.size() >= most_ops_of_a_value || !may_be_made_again(v)) return false;
    if (!chosen[&op].insert(v.index()).second) return true;
    const auto is_there = [&](Value operand) {
      const Value owner = owner_of(operand);
      if (owner.is_input()) {
        const auto replaced = replaced_.find(owner);
        return replaced == replaced_.end() || replaced->second >= reader;
      }
      if (owner.op()->def().kind == Kind::constant) return true;
      const auto end = end_.find(owner);
      // What is live there anyway may stay to the reader. Else it is made again, too.
      return (end != end_.end() && end->second >= place) || choose(owner, place, reader, chosen);
    };
    if (!op.def().is_region()) return std::all_of(op.operands().begin(), op.operands().end(), is_there);
    const std::set<int> operands = operands_of(op, {v.index()});
    return std::all_of(operands.begin(), operands.end(), [&](int operand) { return is_there(op.operand(operand)); });
  }

  /// Is it a value of the arena, and not what takes an input's place?
  bool may_be_made_again(Value v) const {
    if (ir::is_loop(*v.op()) || v.op()->def().kind == Kind::view) return false;
    return std::none_of(graph_.outputs().begin(), graph_.outputs().end(),
                        [&](const ir::Output& output) { return output.alias && owner_of(output.value) == v; });
  }

  /// In bytes from memory.
  static double cost_of(const Op& op) {
    double bytes = 0;
    for (const Value v : op.operands()) bytes += static_cast<double>(v.type().bytes());
    for (const Value v : op.results()) bytes += static_cast<double>(v.type().bytes());
    return bytes + (op.def().flops ? op.def().flops(op) / flops_of_a_byte : 0);
  }

  // --- Computing it again ----------------------------------------------------------------------------------------------------

  using Copies = std::unordered_map<Value, Value, ir::ValueHash>;

  struct Rewired {
    Op* op;
    int operand;
    Value before;
  };

  /// Undone where that helps nobody.
  bool try_choice(const Choice& choice) {
    const int64_t peak_before = peak();
    const double excess_before = excess();
    std::vector<Op*> made;
    Copies copies;
    Op* const reader = ops_[static_cast<size_t>(choice.reader)];
    for (const auto& [op, results] : choice.ops)
      if (!make_again(*op, results, copies, reader, made)) {
        erase(made);
        return false;
      }
    std::vector<Rewired> rewired;
    for (Op* late : memory_readers(choice.value)) {
      if (place_.at(late) < choice.reader || late->def().kind == Kind::view) continue;
      for (int i = 0; i < static_cast<int>(late->operands().size()); ++i) {
        const Value before = late->operand(i);
        if (owner_of(before) != choice.value) continue;
        rewired.push_back({late, i, before});
        late->set_operand(i, copied(before, copies, reader, made));
      }
    }
    look();
    if (peak() <= peak_before && excess() < excess_before) return true;
    for (const Rewired& r : rewired) r.op->set_operand(r.operand, r.before);
    erase(made);
    look();
    return false;
  }

  void erase(const std::vector<Op*>& made) {
    for (auto op = made.rbegin(); op != made.rend(); ++op) graph_.erase(**op);
  }

  /// False: it cannot be.
  bool make_again(const Op& op, const std::set<int>& results, Copies& copies, Op* reader, std::vector<Op*>& made) {
    if (!op.def().is_region()) {
      std::vector<Value> operands;
      for (const Value v : op.operands()) operands.push_back(copied(v, copies, reader, made));
      made.push_back(&graph_.insert_copy(op, operands, reader));
      for (int i = 0; i < op.result_count(); ++i) copies[op.result(i)] = made.back()->result(i);
      return true;
    }
    std::map<int, Value> operands;
    for (const int i : operands_of(op, results)) operands[i] = copied(op.operand(i), copies, reader, made);
    const auto again = passes::make_again(graph_, op, results, operands, nests_, reader, made);
    if (again)
      for (const auto& [i, v] : *again) copies[op.result(i)] = v;
    return again.has_value();
  }

  /// The value of the copies that stands for v: itself where none does, and of a view of one a view of the other.
  Value copied(Value v, Copies& copies, Op* reader, std::vector<Op*>& made) {
    if (const auto found = copies.find(v); found != copies.end()) return found->second;
    if (v.is_input() || v.op()->def().kind != Kind::view) return v;
    std::vector<Value> operands;
    for (const Value operand : v.op()->operands()) operands.push_back(copied(operand, copies, reader, made));
    // A view of what is there all along may stand after the reader.
    if (operands.front() == v.op()->operand(0) && place_.contains(v.op()) && place_.at(v.op()) < place_.at(reader)) return copies[v] = v;
    made.push_back(&graph_.insert_copy(*v.op(), operands, reader));
    return copies[v] = made.back()->result();
  }

  ir::Graph& graph_;
  const Target& target_;
  const Nests nests_;
  int64_t goal_ = 0;
  std::vector<Op*> ops_;
  std::unordered_map<const Op*, int> place_;
  std::vector<Interval> intervals_;
  std::unordered_map<Value, int, ir::ValueHash> end_;       // of arena values
  std::vector<int64_t> live_;                               // per op
  std::unordered_map<Value, int, ir::ValueHash> replaced_;  // of inputs: by the op of that number
};

[[noreturn]] void refuse(int64_t needed, int64_t limit, std::vector<Value> living) {
  throw Error("what the step computes in between needs {}, and it may have {} (memory_limit): nothing more can be computed again",
              bytes_text(static_cast<uint64_t>(needed)), bytes_text(static_cast<uint64_t>(limit)))
      .hint(fmt::format("a smaller batch needs less; the largest of what is there at once: {}", largest_of(std::move(living))));
}

/// Gives loops the memory that their bodies take.
bool plan_bodies(ir::Module& module, const Target& target) {
  return on_loop_bodies(module, [&](ir::Module& body) {
    const bool changed = plan_bodies(body, target);
    return plan(body, target) || changed;
  });
}

}  // namespace

bool rematerialize(ir::Module& module, const Target& target) {
  const std::optional<int64_t> limit = target.memory_limit();
  if (!limit) return false;
  const bool planned_a_body = plan_bodies(module, target);
  const auto planned_bytes = [&] {
    ir::Module copy = module.clone();
    plan(copy, target);
    return copy.arena_bytes.value_or(0);
  };
  int64_t needed = planned_bytes();
  if (needed <= *limit) return planned_a_body;
  // A plan may be a little larger than what is live at once: then the goal is as much smaller.
  constexpr int tries = 6;
  Rematerialization again(module.graph(), target);
  int64_t goal = *limit;
  for (int i = 0; i < tries && needed > *limit; ++i) {
    const bool met = again.run(goal);
    dce(module.graph());
    needed = planned_bytes();
    if (needed > *limit && !met) refuse(needed, *limit, again.living_at_peak());
    goal -= needed - *limit;
  }
  if (needed > *limit) refuse(needed, *limit, again.living_at_peak());
  return true;
}

void require_memory_limit(std::optional<int64_t> limit, std::string_view target) {
  if (limit && *limit < 1) throw Error("Target::{}: .memory_limit must be positive, not {}", target, *limit);
}

}  // namespace weft::passes
