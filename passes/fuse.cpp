#include "weft/passes/fuse.h"

#include <algorithm>
#include <optional>
#include <set>
#include <tuple>

#include "weft/ir/builder.h"
#include "weft/ir/equal.h"
#include "weft/passes/analysis/groups.h"
#include "weft/passes/analysis/nests.h"
#include "weft/passes/boundary_remarks.h"
#include "weft/passes/cse.h"
#include "weft/passes/dce.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Kind;
using ir::Op;
using ir::Value;

/// Enough for every kernel that pays, small enough to compile quickly. An op of many operands counts as several.
constexpr size_t max_ops_in_a_nest = 200;
/// So many values at most are joined by one nest; along the innermost axis, where each vector may lie in several, fewer.
constexpr size_t max_joined = 64, max_joined_innermost = 16;
/// So many ops at most are repeated to make a value again instead of storing it.
constexpr int max_repeated_ops = 64;
/// And so many to make an f32 value again from narrow ones.
constexpr int max_widened_ops = 8;

/// The same numbers in a wider type: who makes them again from the narrow ones reads fewer bytes than who reads them stored.
bool widens(const Op& op) {
  if (!op.def().converts) return false;
  const DType from = op.operand(0).dtype(), to = op.result().dtype();
  return is_floating(from) && is_floating(to) && size_of(from) < size_of(to);
}

/// By the op's number.
using Marks = std::vector<bool>;
size_t at(const Op* op) { return static_cast<size_t>(op->number()); }

/// A little arithmetic on such numbers, and on what is worth repeating anyway. What is no wider than them is stored in as few bytes.
bool follows_widened(const Op& op, const Marks& widened) {
  if (widens(op)) return true;
  if (size_of(op.result().dtype()) <= size_of(bf16)) return false;
  if (!op.def().is_elementwise() || ir::flops_of(op) > 4 * static_cast<double>(op.result().shape().numel())) return false;
  bool any = false;
  for (Value v : op.operands()) {
    const bool wide = !v.is_input() && widened[at(v.op())];
    if (!wide && (v.is_input() || !is_cheap(*v.op()))) return false;
    any = any || wide;
  }
  return any;
}

/// A view of memory that no nest writes: whoever reads it reads the memory.
bool shows_memory(const Op& op, const Marks& shows) {
  if (op.def().kind != Kind::view || !can_fuse(op)) return false;
  const Value v = op.operand(0);
  return v.is_input() || !can_fuse(*v.op()) || shows[at(v.op())];
}

class Fuser {
 public:
  Fuser(ir::Graph& graph, Remarks* remarks) : graph_(graph), remarks_(remarks) {}

  /// Without merging, every op ends alone.
  void run(bool merge) {
    split_wide_concats();
    if (merge) split_what_is_sliced(), repeat_cheap_ops();
    nests_.emplace(graph_);
    Groups groups(graph_);
    place_.resize(static_cast<size_t>(graph_.number_limit()));
    for (const auto& op : graph_.ops()) {
      place_[at(op)] = weight_.size();
      weight_.push_back(std::max<size_t>(op->operands().size(), 3) - 2);
    }
    if (!merge) return replace(groups);
    for (bool changed = true; changed;) {
      changed = false;
      for (const Edge& e : edges(groups)) changed |= try_merge(groups, e);
    }
    if (remarks_) say_boundaries(groups);
    replace(groups);
  }

 private:
  /// Two ops that would gain from being in one nest, and how many bytes of traffic that saves.
  struct Edge {
    Op* first;
    Op* second;
    Value value;  // that both have to do with
    int64_t bytes;
    bool siblings;
    bool sums_all;  // the second is a sum of everything

    auto rank() const { return std::tuple(siblings, sums_all, -bytes); }
  };

  /// A concat of many values becomes a concat of concats.
  void split_wide_concats() {
    for (Op* op : graph_.editable_ops()) {
      if (!is_concat(*op)) continue;
      const Shape& shape = op->result().shape();
      const int64_t axis = op->integer("axis");
      bool innermost = true;
      for (int d = static_cast<int>(axis) + 1; d < shape.rank(); ++d) innermost = innermost && shape[d] == 1;
      const size_t most = innermost ? max_joined_innermost : max_joined;
      if (op->operands().size() <= most) continue;
      ir::Builder b(graph_, op, op->locations());
      std::vector<Value> parts = op->operands();
      while (parts.size() > most) {
        std::vector<Value> joined;
        for (size_t i = 0; i < parts.size(); i += most) {
          const std::vector<Value> some(parts.begin() + static_cast<std::ptrdiff_t>(i),
                                        parts.begin() + static_cast<std::ptrdiff_t>(std::min(i + most, parts.size())));
          joined.push_back(some.size() == 1 ? some[0] : b(op->name(), some, {{"axis", axis}}));
        }
        parts = std::move(joined);
      }
      op->result().replace_all_uses_with(b(op->name(), parts, {{"axis", axis}}));
      graph_.erase(*op);
    }
  }

  /// Arithmetic of which only slices are read, in all no more than there is, is done on slices of its operands: each reader makes its own.
  void split_what_is_sliced() {
    const std::vector<Op*> ops = graph_.op_list();
    for (auto last = ops.rbegin(); last != ops.rend(); ++last) {
      Op& op = **last;
      if (!op.def().is_elementwise() || op.def().copies || graph_.is_output(op.result())) continue;
      if (is_read_in_slices(op.result())) split(op);
    }
  }

  static bool is_read_in_slices(Value v) {
    int64_t elements = 0;
    bool pays = false;
    for (const Op* user : v.users()) {
      if (!is_slice(*user)) return false;
      elements += user->result().shape().numel();
      for (const Op* reader : user->result().users()) pays = pays || can_fuse(*reader);
    }
    return pays && elements <= v.shape().numel();
  }

  /// Does it read a part of its operand, element by element?
  static bool is_slice(const Op& op) { return op.def().moved_back && op.operands().size() == 1 && !op.def().broadcasts; }

  void split(Op& op) {
    const std::vector<ir::Use> users(op.result().users().begin(), op.result().users().end());
    for (const ir::Use& use : users) {
      Op& slice = *use.op;
      ir::Builder b(graph_, &slice, op.locations());
      std::vector<Value> operands;
      for (Value v : op.operands()) operands.push_back(slice_of(b, slice, v));
      slice.result().replace_all_uses_with(b.copy(op, operands).result());
      graph_.erase(slice);
    }
    graph_.erase(op);
  }

  static Value slice_of(ir::Builder& b, const Op& slice, Value v) {
    if (!v.is_input() && v.op()->def().kind == Kind::constant)
      if (const auto& elements = v.op()->attribute<ir::Dense>("value"); elements.is_splat())
        return b.splat({v.dtype(), slice.result().shape()}, elements.at(0));
    return b.copy(slice, {v}).result();
  }

  /// Movements that join any number of values along an axis.
  static bool is_concat(const Op& op) {
    return op.def().kind == Kind::movement && op.def().operands.back().variadic && op.def().attribute_index("axis") >= 0;
  }

  /// The cheap ops whose repetition, with that of the cheap ops they read, stays small: where values are read twice at
  /// every step, the ops to repeat double at every step.
  Marks repeatable_ops() const {
    const auto limit = static_cast<size_t>(graph_.number_limit());
    std::vector<int> repeated(limit, 0);
    Marks result(limit), widened(limit), shows(limit);
    for (const auto& op : graph_.ops()) {
      const bool wide = follows_widened(*op, widened);
      shows[at(op)] = shows_memory(*op, shows);
      if (!wide && !is_cheap(*op) && !shows[at(op)]) continue;
      int count = 1;
      for (Value v : op->operands())
        if (!v.is_input() && result[at(v.op())]) count += repeated[at(v.op())];
      repeated[at(op)] = count;
      if (count > (wide ? max_widened_ops : max_repeated_ops)) continue;
      result[at(op)] = true;
      if (wide) widened[at(op)] = true;
    }
    return result;
  }

  /// Gives every reader a copy of its own of each cheap operand, so that it can go into the reader's nest. A cheap op
  /// whose value is an output stays as well.
  void repeat_cheap_ops() {
    const Marks repeatable = repeatable_ops();
    const std::vector<Op*> ops = graph_.op_list();
    std::vector<Op*> readers;
    for (auto last = ops.rbegin(); last != ops.rend(); ++last) {
      Op& op = **last;
      if (!repeatable[at(&op)]) continue;
      const Value v = op.result();
      readers.clear();
      for (const ir::Use& u : v.users())
        if (can_fuse(*u.op) && is_first_read(u, v)) readers.push_back(u.op);
      // One reader may keep the original, unless someone needs it as it is.
      const bool needed = graph_.is_output(v) || std::any_of(v.users().begin(), v.users().end(), [](Op* u) { return !can_fuse(*u); });
      for (size_t i = needed ? 0 : 1; i < readers.size(); ++i) {
        Op& copy = graph_.insert_copy(op, op.operands(), &op);
        for (int k = 0; k < static_cast<int>(readers[i]->operands().size()); ++k)
          if (readers[i]->operand(k) == v) readers[i]->set_operand(k, copy.result());
      }
    }
  }

  /// An op that reads a value twice is one reader.
  static bool is_first_read(const ir::Use& use, Value v) {
    const auto before = use.op->operands().first(static_cast<size_t>(use.operand));
    return std::find(before.begin(), before.end(), v) == before.end();
  }

  /// As they stand in the graph, so that what is fused does not depend on when a reader came.
  std::vector<Op*> in_order(const ir::Users& users) const {
    std::vector<Op*> all(users.begin(), users.end());
    std::sort(all.begin(), all.end(), [&](const Op* a, const Op* b) { return place_[at(a)] < place_[at(b)]; });
    return all;
  }

  std::vector<Edge> edges(const Groups& groups) const {
    std::vector<Edge> all;
    const auto consider = [&](Value v, Op* a, Op* b, bool siblings) {
      if (groups.of(a) == groups.of(b) || !can_fuse(*a) || !can_fuse(*b)) return;
      all.push_back({a, b, v, v.type().bytes(), siblings, b->def().kind == Kind::reduction && b->result().shape().numel() == 1});
    };
    const auto readers_of = [&](Value v) {
      Op* last = nullptr;
      for (Op* user : in_order(v.users())) {
        if (!v.is_input()) consider(v, v.op(), user, false);
        if (last) consider(v, last, user, true);
        last = user;
      }
    };
    for (const ir::Input& input : graph_.inputs()) readers_of(input.value());
    // Who reads what an update writes over, and the update: one pass over memory that is about to be replaced.
    for (const ir::Output& output : graph_.outputs()) {
      if (!output.alias || output.value.is_input()) continue;
      const Value old = graph_.input(*output.alias);
      for (Op* reader : in_order(old.users())) consider(old, reader, output.value.op(), true);
    }
    for (const auto& op : graph_.ops())
      for (Value v : op->results()) readers_of(v);
    // A sum of everything fits no other reduction's loops: it comes after those that may share a nest with its operand.
    std::stable_sort(all.begin(), all.end(), [](const Edge& x, const Edge& y) { return x.rank() < y.rank(); });
    count_work(static_cast<int64_t>(all.size()));
    return all;
  }

  /// Merges the groups of the edge's ends if they make one nest.
  bool try_merge(Groups& groups, const Edge& e) {
    const int a = groups.of(e.first), b = groups.of(e.second);
    if (a == b) return false;
    // Groups only grow, so their sizes tell whether this was tried before; and nothing outside makes it possible later.
    const std::tuple attempt(a, groups.size(a), b, groups.size(b), e.siblings);
    if (failed_.contains(attempt)) return false;
    count_work(1);
    if (why_apart(groups, a, b, e.siblings)) return failed_.insert(attempt), false;
    const size_t weight = weight_of(a, b);
    groups.merge(a, b);
    weight_[static_cast<size_t>(a)] = weight;
    return true;
  }

  size_t weight_of(int a, int b) const { return weight_[static_cast<size_t>(a)] + weight_[static_cast<size_t>(b)]; }

  /// The reason that decides; none where they make one nest.
  std::optional<Apart> why_apart(Groups& groups, int a, int b, bool siblings) const {
    if (weight_of(a, b) > max_ops_in_a_nest)
      return Apart{{"the nest would have too many ops", fmt::format("both have fewer than {} in all", max_ops_in_a_nest)}};
    if (groups.would_cycle(a, b)) return Apart{.reason = {}, .would_cycle = true};
    if (siblings && groups.size(a) + groups.size(b) > 2 && groups.share_a_result(a, b))
      return Apart{{"one waits for the other", "neither reads what the other makes"}};
    Apart apart;
    const std::vector<Op*> ops = groups.united(a, b);
    if (nests_->nest_of(ops, groups.results_read_outside(ops), &apart.reason)) return std::nullopt;
    return apart;
  }

  void say_boundaries(Groups& groups) {
    std::vector<Beside> beside;
    for (const Edge& e : edges(groups))
      if (e.siblings) beside.push_back({e.first, e.second, e.value});
    const auto why = [&](int a, int b, bool siblings) { return why_apart(groups, a, b, siblings); };
    remark_on_boundaries(graph_, groups, beside, why, *remarks_);
  }

  void replace(const Groups& groups) {
    for (int g = 0; g < groups.count(); ++g) {
      const std::vector<Op*>& ops = groups.ops(g);
      if (ops.empty() || !can_fuse(*ops[0])) continue;
      // A lone reshape is a view and a lone constant is memory: neither needs a kernel.
      if (ops.size() == 1 && (ops[0]->def().kind == Kind::view || ops[0]->def().kind == Kind::constant)) continue;
      make_nest(graph_, ops, groups.results_read_outside(ops));
    }
    sort_by_dependencies(graph_);
  }

  ir::Graph& graph_;
  Remarks* remarks_;
  std::optional<Nests> nests_;  // once the ops to fuse are settled
  std::vector<size_t> weight_;  // per group: what its ops count
  std::vector<size_t> place_;   // by the op's number: its place in the graph
  std::set<std::tuple<int, size_t, int, size_t, bool>> failed_;
};

/// What was fused before is taken apart, so that fusing again starts from single ops.
bool take_apart(ir::Graph& graph) {
  bool changed = false;
  for (auto at = graph.ops().begin(); at != graph.ops().end();) {
    Op& op = **at++;
    if (!op.def().is_region()) continue;
    take_out(op);
    changed = true;
  }
  return changed;
}

/// With an op that becomes a nest or part of one, fusing cannot leave the graph as it was.
bool will_change(const ir::Graph& graph) {
  const auto becomes_one = [](const auto& op) { return can_fuse(*op) && op->def().kind != Kind::view && op->def().kind != Kind::constant; };
  return std::any_of(graph.ops().begin(), graph.ops().end(), becomes_one);
}

}  // namespace

bool fuse(ir::Graph& graph, Remarks* remarks, Merge merge) {
  const std::unique_ptr<ir::Graph> before = will_change(graph) ? nullptr : clone(graph);
  while (take_apart(graph)) {}  // a kernel holds nests
  dce(graph);                   // a nest that computes nothing for anyone has no result to name
  Fuser(graph, remarks).run(merge == Merge::where_it_pays);
  dce(graph);
  return !before || !ir::equal(*before, graph);
}

void take_out(Op& region) {
  ir::Graph& graph = region.graph();
  const std::vector<Value> outputs = inline_body(region.body(), region.operands(), graph, &region);
  for (size_t i = 0; i < outputs.size(); ++i) {
    const Value old = region.result(static_cast<int>(i));
    const auto at = outputs.begin() + static_cast<std::ptrdiff_t>(i);
    const bool again = ir::Graph::is_output(old) && std::find(outputs.begin(), at, *at) != at;
    old.replace_all_uses_with(again ? ir::Builder(graph, &region, region.locations())("copy", {*at}) : *at);
  }
  graph.erase(region);
}

Op& make_nest(ir::Graph& graph, const std::vector<Op*>& ops, const std::vector<Value>& results) {
  Op& fused = outline(graph, "fused", ops, results);
  // What was repeated for several readers of one nest. Other equal ops may stand at different places of the nest.
  cse(fused.body(), [](const Op& op) { return is_cheap(op) || op.def().kind == Kind::view; });
  return fused;
}

bool fuse(ir::Module& module, const Target&, Remarks* remarks) { return fuse(module.graph(), remarks, Merge::where_it_pays); }

}  // namespace weft::passes
