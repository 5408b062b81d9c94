#include "weft/passes/recompute.h"

#include <algorithm>
#include <optional>
#include <set>
#include <unordered_map>
#include <unordered_set>

#include "weft/ir/op_def.h"
#include "weft/ir/scalar.h"
#include "weft/passes/analysis/arithmetic_cost.h"
#include "weft/passes/analysis/dependencies.h"
#include "weft/passes/analysis/liveness.h"
#include "weft/passes/analysis/min_cut.h"
#include "weft/passes/analysis/nests.h"
#include "weft/passes/dce.h"
#include "weft/passes/fuse.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Kind;
using ir::Op;
using ir::Value;

// Costs are bytes of memory traffic. What is written is read into the cache first.
constexpr double read_cost = 1, write_cost = 2;
/// A nest looks through so many ops at most, and then has no more than fusion would give it.
constexpr size_t most_ops_looked_through = 48, most_ops_in_a_nest = 200;

/// A value with more readers is written in any case.
constexpr int most_readers = 64;
/// A nest that reads more values than that is left alone.
constexpr size_t most_values = 32;

constexpr double never = 1e30;  // more than any program's bytes

class Recomputation {
 public:
  Recomputation(ir::Graph& graph, double least_gain) : graph_(graph), least_gain_(least_gain) {}

  bool run() {
    open_nests();
    nests_.emplace(graph_);
    bool changed = false;
    // Nests that come later find what those before them no longer read.
    for (size_t i = 0; i < members_.size(); ++i) changed |= improve(i);
    dce(graph_);
    close_nests();
    return changed;
  }

 private:
  /// What is known of a value that a nest reads, or that leads to one.
  struct Node {
    Value value;
    double load, compute;  // never: it cannot be
  };

  /// The bodies' ops stand in the graph, each nest's in a list; the order of the nests is one that respects all dependencies.
  void open_nests() {
    for (auto at = graph_.ops().begin(); at != graph_.ops().end();) {
      Op& op = **at++;
      if (op.def().kind != Kind::nest) {
        place_[&op] = ++places_;
        continue;
      }
      Op* const before = graph_.previous(&op);
      Op* const behind = at == graph_.ops().end() ? nullptr : *at;
      take_out(op);
      members_.emplace_back();
      ++places_;
      for (Op* inner = graph_.previous(behind); inner != before; inner = graph_.previous(inner)) {
        members_.back().push_back(inner);
        nest_[inner] = members_.size() - 1;
        place_[inner] = places_;
      }
      std::reverse(members_.back().begin(), members_.back().end());
    }
  }

  void close_nests() {
    std::unordered_set<const Op*> left;
    for (const auto& op : graph_.ops()) left.insert(op);
    for (std::vector<Op*>& ops : members_) {
      std::erase_if(ops, [&](const Op* op) { return !left.contains(op); });
      if (!ops.empty()) make_nest(graph_, ops, read_outside(ops));
    }
    sort_by_dependencies(graph_);
  }

  bool is_inside(const Op* op, size_t nest) const {
    const auto found = nest_.find(op);
    return found != nest_.end() && found->second == nest;
  }
  bool is_in_a_nest(Value v) const { return !v.is_input() && nest_.contains(v.op()); }
  /// Is what it reads memory that a nest writes?
  bool is_of_a_nest(Value v) const { return is_in_a_nest(owner_of(v)); }

  std::vector<Value> read_outside(const std::vector<Op*>& ops) const {
    std::vector<Value> results;
    for (const Op* op : ops) {
      const size_t nest = nest_.at(op);
      for (Value v : op->results())
        if (graph_.is_output(v) || std::any_of(v.users().begin(), v.users().end(), [&](const Op* user) { return !is_inside(user, nest); }))
          results.push_back(v);
    }
    return results;
  }

  /// The nest of the ops as they are now: none, it is no nest any more.
  std::optional<LoopNest> nest_of(size_t nest) const { return nests_->nest_of(members_[nest], read_outside(members_[nest])); }

  /// What the nest reads from others.
  std::vector<Value> operands_of(size_t nest) const {
    std::vector<Value> operands;
    std::unordered_set<Value, ir::ValueHash> seen;
    for (const Op* op : members_[nest])
      for (Value v : op->operands())
        if ((v.is_input() || !is_inside(v.op(), nest)) && seen.insert(v).second) operands.push_back(v);
    return operands;
  }

  /// Per element of the value.
  static double arithmetic(const Op& op) {
    double cost = 0;
    for (const ir::ScalarNode& n : ir::scalar_of(op).nodes) cost += cost_of(n.primitive);
    return cost;
  }

  /// Computing the value where it is read, `visits` times each element.
  static double compute_cost(Value v, double visits) {
    if (v.is_input()) return never;
    const Op& op = *v.op();
    if (op.def().copies || !can_fuse(op)) return never;
    if (is_cheap(op) || op.def().kind == Kind::view) return 0;
    if (!op.def().is_elementwise()) return never;
    return arithmetic(op) * static_cast<double>(v.shape().numel()) * visits;
  }

  /// Notes the nests other than the maker that read the memory of `v`. False where somebody else does, or very many do: then it is
  /// written in any case.
  bool find_readers(Value v, size_t maker, std::set<size_t>& readers, int& left) const {
    if (graph_.is_output(v)) return false;
    for (const Op* user : v.users()) {
      count_work(1);
      if (--left < 0) return false;
      if (user->def().kind == Kind::view) {
        if (!find_readers(user->result(), maker, readers, left)) return false;
        continue;
      }
      const auto found = nest_.find(user);
      if (found == nest_.end()) return false;
      if (found->second != maker) readers.insert(found->second);
    }
    return true;
  }

  /// Reading the value at so many points of the nest, and writing it where nobody else makes it be written.
  double load_cost(Value v, size_t reader, double points) const {
    const auto bytes = static_cast<double>(v.type().bytes());
    const double read = read_cost * std::min(bytes, points * static_cast<double>(size_of(v.dtype())));
    const Value owner = owner_of(v);
    if (!is_in_a_nest(owner)) return read;
    std::set<size_t> readers{reader};
    int most = most_readers;
    if (!find_readers(owner, nest_.at(owner.op()), readers, most)) return read;
    return read + write_cost * bytes / static_cast<double>(readers.size());
  }

  /// May the nest read this? Not an input that somebody has replaced before.
  bool is_there_still(Value v, size_t nest) const {
    v = owner_of(v);
    if (!v.is_input()) return true;
    const int here = place_.at(members_[nest].front());
    for (const ir::Output& output : graph_.outputs())
      if (output.alias && graph_.input(*output.alias) == v && !output.value.is_input() && place_.at(output.value.op()) < here) return false;
    return true;
  }

  /// The values that lead to what the nest reads from other nests, operands first.
  std::vector<Node> nodes_for(size_t nest, const std::vector<Value>& needed, double points, bool may_read_replaced) const {
    std::vector<Node> nodes;
    std::unordered_set<Value, ir::ValueHash> seen;
    const std::vector<Value> own = replaced_by(nest);
    const auto is_needed = [&](Value v) { return std::find(needed.begin(), needed.end(), v) != needed.end(); };
    const auto visit = [&](const auto& self, Value v) -> void {
      if (!seen.insert(v).second) return;
      const double visits = std::max(1.0, points / static_cast<double>(std::max<int64_t>(v.shape().numel(), 1)));
      Node node{v, load_cost(v, nest, points), compute_cost(v, visits)};
      // A view inside a nest is no memory; nobody reads it but as what it shows.
      const bool is_inner_view = is_in_a_nest(v) && v.op()->def().kind == Kind::view && !is_needed(v);
      const bool replaced = !may_read_replaced && std::find(own.begin(), own.end(), owner_of(v)) != own.end();
      if (is_inner_view || replaced || !is_there_still(v, nest)) node.load = never;
      if (node.compute < never && seen.size() < most_ops_looked_through)
        for (Value operand : v.op()->operands()) self(self, operand);
      else node.compute = never;
      nodes.push_back(node);
    };
    for (Value v : needed) visit(visit, v);
    return nodes;
  }

  std::vector<Value> replaced_by(size_t nest) const {
    std::vector<Value> all;
    for (const Op* op : members_[nest])
      for (Value v : op->results())
        for (Value old : nests_->replaced_by(v)) all.push_back(old);
    return all;
  }

  /// Those to compute in the nest, operands first; none where storing them costs no more.
  std::vector<Value> choose(const std::vector<Node>& nodes, const std::vector<Value>& needed) const {
    std::unordered_map<Value, int, ir::ValueHash> number;
    for (size_t i = 0; i < nodes.size(); ++i) number[nodes[i].value] = static_cast<int>(i);
    // A value is read where its node `in` is on the source's side and `out` on the sink's, computed where both are on the sink's.
    const auto in = [](int i) { return 2 + 2 * i; };
    const auto out = [](int i) { return 3 + 2 * i; };
    MinCut cut(2 + 2 * static_cast<int>(nodes.size()));
    double stored = 0;
    for (int i = 0; i < static_cast<int>(nodes.size()); ++i) {
      const Node& node = nodes[static_cast<size_t>(i)];
      cut.add_edge(in(i), out(i), node.load);
      cut.add_edge(0, in(i), node.compute);
      if (node.compute < never)
        for (Value operand : node.value.op()->operands()) cut.add_edge(out(number.at(operand)), in(i), never);
    }
    for (Value v : needed) cut.add_edge(out(number.at(v)), 1, never), stored += nodes[static_cast<size_t>(number.at(v))].load;
    const std::vector<bool> sink_side = cut.sink_side();
    double cost = 0;
    std::vector<Value> chosen;
    for (int i = 0; i < static_cast<int>(nodes.size()); ++i) {
      const Node& node = nodes[static_cast<size_t>(i)];
      if (sink_side[static_cast<size_t>(in(i))]) cost += node.compute, chosen.push_back(node.value);
      else if (sink_side[static_cast<size_t>(out(i))]) cost += node.load;
    }
    if (stored - cost < least_gain_ || chosen.empty()) chosen.clear();
    return chosen;
  }

  bool improve(size_t nest) {
    std::vector<Value> needed;
    double most = 0;
    for (Value v : operands_of(nest))
      if (is_of_a_nest(v)) needed.push_back(v), most += (read_cost + write_cost) * static_cast<double>(v.type().bytes());
    if (needed.empty() || needed.size() > most_values || most < least_gain_) return false;
    const std::optional<LoopNest> loops = nest_of(nest);
    if (!loops) return false;
    const double points = static_cast<double>(loops->points()) * loops->stages;
    double stored = 0;
    for (Value v : needed) stored += load_cost(v, nest, points);
    if (stored < least_gain_) return false;
    // What the nest itself replaces may be read before, or it may not: the loops say.
    for (const bool may_read_replaced : {true, false}) {
      const std::vector<Value> chosen = choose(nodes_for(nest, needed, points, may_read_replaced), needed);
      if (chosen.empty()) return false;
      if (compute_in(nest, chosen)) return true;
    }
    return false;
  }

  /// Copies what computes the values into the nest; false, and nothing is changed, where it would be no nest then.
  bool compute_in(size_t nest, const std::vector<Value>& chosen) {
    std::vector<Op*>& ops = members_[nest];
    if (ops.size() + chosen.size() > most_ops_in_a_nest) return false;
    const std::vector<Op*> own = ops;
    std::unordered_map<Value, Value, ir::ValueHash> copy;
    std::vector<Op*> copies;
    std::set<size_t> makers;  // whose results become others
    for (Value v : chosen) {
      std::vector<Value> operands;
      if (is_of_a_nest(v)) makers.insert(nest_.at(owner_of(v).op()));
      for (Value operand : v.op()->operands()) {
        const auto found = copy.find(operand);
        operands.push_back(found == copy.end() ? operand : found->second);
        if (found == copy.end() && is_of_a_nest(operand)) makers.insert(nest_.at(owner_of(operand).op()));
      }
      Op& made = graph_.insert_copy(*v.op(), operands, own.front());
      copy[v] = made.result();
      copies.push_back(&made);
      nest_[&made] = nest;
      place_[&made] = place_.at(own.front());
    }
    const auto rewire = [&](const auto& from_to) {
      for (Op* op : own)
        for (int i = 0; i < static_cast<int>(op->operands().size()); ++i)
          if (const auto found = from_to.find(op->operand(i)); found != from_to.end()) op->set_operand(i, found->second);
    };
    rewire(copy);
    ops.insert(ops.begin(), copies.begin(), copies.end());
    count_work(static_cast<int64_t>(ops.size()));
    if (nest_of(nest) && std::all_of(makers.begin(), makers.end(), [&](size_t maker) { return nest_of(maker).has_value(); })) return true;
    std::unordered_map<Value, Value, ir::ValueHash> back;
    for (const auto& [original, copied] : copy) back[copied] = original;
    rewire(back);
    ops = own;
    for (auto at = copies.rbegin(); at != copies.rend(); ++at) {
      nest_.erase(*at), place_.erase(*at);
      graph_.erase(**at);
    }
    return false;
  }

  ir::Graph& graph_;
  double least_gain_;
  std::optional<Nests> nests_;
  std::vector<std::vector<Op*>> members_;  // per nest
  std::unordered_map<const Op*, size_t> nest_;
  std::unordered_map<const Op*, int> place_;  // of an op's nest, or its own
  int places_ = 0;
};

/// Does any nest read so much of what others write?
bool may_gain(const ir::Graph& graph, double least_gain) {
  const auto is_of_a_nest = [](Value v) { return !owner_of(v).is_input() && owner_of(v).op()->def().kind == Kind::nest; };
  return std::any_of(graph.ops().begin(), graph.ops().end(), [&](const Op* op) {
    double most = 0;
    count_work(1);
    if (op->def().kind == Kind::nest)
      for (Value v : op->operands())
        if (is_of_a_nest(v)) most += (read_cost + write_cost) * static_cast<double>(v.type().bytes());
    return most > 0 && most >= least_gain;
  });
}

}  // namespace

bool recompute(ir::Module& module, double least_gain) {
  if (!may_gain(module.graph(), least_gain)) return false;
  std::unique_ptr<ir::Graph> copy = clone(module.graph());
  if (!Recomputation(*copy, least_gain).run()) return false;
  module.set_graph(std::move(copy));
  return true;
}

bool recompute(ir::Module& module, const Target&) {
  constexpr double least_gain = 256 << 10;  // less stays in the caches
  return recompute(module, least_gain);
}

}  // namespace weft::passes
