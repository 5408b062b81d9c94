#include "weft/passes/boundary_remarks.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "weft/ir/op_def.h"
#include "weft/ir/value_names.h"
#include "weft/passes/analysis/boundaries.h"
#include "weft/passes/analysis/nests.h"
#include "weft/passes/marks.h"

namespace weft::passes {
namespace {

using ir::Kind;
using ir::Op;
using ir::Value;

/// Broadcasts and constants are made again inside the call.
bool is_repeated(Value v) { return !v.is_input() && (v.op()->def().broadcasts || v.op()->def().kind == Kind::constant); }

NoNest what_is_between(const Groups& groups, int a, int b) {
  const std::vector<int> all = groups.between(a, b);
  if (all.empty()) return {"whether another op must run between them takes too long to find out", ""};
  const auto running = std::find_if(all.begin(), all.end(), [&](int g) { return runs(groups, g); });
  if (running == all.end()) {
    const Op& view = *groups.ops(all[0]).front();
    return {fmt::format("{} {} ({}) lies between them, and is no loop over its elements", view.name(), to_string(view.result().type()),
                        to_string(without_marks(view.locations()))),
            "it keeps or splits whole axes"};
  }
  const std::vector<Op*> ops = groups.ops(*running);
  const auto reads_theirs = [&](const Op* op) {
    return std::any_of(op->operands().begin(), op->operands().end(),
                       [&](Value v) { return !v.is_input() && (groups.of(v.op()) == a || groups.of(v.op()) == b); });
  };
  const auto found = std::find_if(ops.begin(), ops.end(), reads_theirs);
  const Op& op = found == ops.end() ? *ops.front() : **found;
  return {fmt::format("another op must run between them: {} {} ({})", op.name(), to_string(op.result().type()),
                      to_string(without_marks(op.locations()))),
          fmt::format("{} reads neither, or neither needs it", op.name())};
}

bool reads(const Op& op, Value v) { return std::find(op.operands().begin(), op.operands().end(), v) != op.operands().end(); }

NoNest why_outside(const Op& op) {
  if (op.def().kind == Kind::view) return {fmt::format("{} is no loop over its elements", op.name()), "it keeps or splits whole axes"};
  if (op.def().kind != Kind::heavy) return {fmt::format("{} is no loop over its elements", op.name()), ""};
  return {fmt::format("{} is a call of the target's own", op.name()), ""};
}

/// Why the pass `epilogue` has left `next` behind a call that takes some ops along: the first of what it asks for that is not so.
NoNest why_behind(const Op& call, const Op& direct, const Op& next) {
  const std::string is_call = fmt::format("{} is a call of the target's own", call.name());
  if (call.result_count() > 1 || !call.bodies().empty()) return {is_call + ", and takes nothing more along", ""};
  if (&direct != &next) return {fmt::format("{}, and {} lies behind it", is_call, direct.name()), ""};
  if (!next.def().is_elementwise() || next.def().copies)
    return {fmt::format("{}, which takes only elementwise ops along, and {} is none", is_call, next.name()), ""};
  if (next.result().type() != call.result().type())
    return {fmt::format("{} that gives {}, and {} gives another type", is_call, to_string(call.result().type()), next.name()), ""};
  if (call.result().users().size() > 1 || call.graph().is_output(call.result()))
    return {is_call + ", and its result is read elsewhere too", fmt::format("{} alone reads it", next.name())};
  const auto is_as_large = [&](Value v) { return v != call.result() && v.type() == call.result().type() && !is_repeated(v); };
  if (std::any_of(next.operands().begin(), next.operands().end(), is_as_large))
    return {fmt::format("{}, and {} reads another value as large", is_call, next.name()), ""};
  return {is_call, fmt::format("the target's call takes {} along", next.name())};
}

class Writer {
 public:
  Writer(const ir::Graph& graph, const Groups& groups, const WhyApart& why_apart, Remarks& to)
      : groups_(groups), why_apart_(why_apart), to_(to), names_(graph) {}

  void add(const Boundary& b) {
    places_[pair_of(*b.value.op(), *b.reader)] = std::nullopt;
    add(b.value, *b.direct, *b.reader, false, b.bytes);
  }

  /// Two that both read several values have one line, of the first.
  void add(const Beside& b) {
    const std::pair both = pair_of(*b.first, *b.second);
    if (!counted_.emplace(both.first, both.second, b.value.node()).second) return;
    const int64_t bytes = b.value.type().bytes();
    const auto [place, is_new] = places_.try_emplace(both, all_.size());
    if (is_new) add(b.first->result(), *b.second, *b.second, true, bytes);
    else if (place->second) all_[*place->second].bytes += bytes;
  }

  void say_dearest_first() && {
    std::stable_sort(all_.begin(), all_.end(), [](const Remark& x, const Remark& y) { return x.bytes > y.bytes; });
    for (Remark& remark : all_) to_.add(std::move(remark));
  }

 private:
  std::pair<int, int> pair_of(const Op& a, const Op& b) const { return std::minmax({groups_.of(&a), groups_.of(&b)}); }

  void add(Value first, const Op& direct, Op& second, bool beside, int64_t bytes) {
    NoNest no = told_apart(*first.op(), direct, second, beside);
    Remark::Of of = to_.of(*first.op(), first.type()), other = to_.of(second, second.result().type());
    of.name = names_.of(first), other.name = names_.of(second.result());
    all_.push_back({"not fused", std::move(of), std::move(other), beside, std::move(no.why), std::move(no.unless), bytes});
  }

  /// `direct` is what reads of the first: the second, or a view before it.
  NoNest told_apart(const Op& first, const Op& direct, const Op& second, bool siblings) const {
    if (first.def().takes_epilogue && first.def().kind == Kind::heavy && !siblings && can_fuse(second))
      return why_behind(first, direct, second);
    for (const Op* op : {&first, &second, &direct})
      if (!can_fuse(*op)) return why_outside(*op);
    const int a = groups_.of(&first), b = groups_.of(&direct);
    const Apart apart = why_apart_(a, b, siblings).value_or(Apart());
    return apart.would_cycle ? what_is_between(groups_, a, b) : apart.reason;
  }

  const Groups& groups_;
  const WhyApart& why_apart_;
  Remarks& to_;
  ir::ValueNames names_;  // before marks
  std::vector<Remark> all_;
  std::map<std::pair<int, int>, std::optional<size_t>> places_;  // in `all_`, of those beside each other
  std::set<std::tuple<int, int, const void*>> counted_;
};

}  // namespace

void remark_on_boundaries(const ir::Graph& graph, const Groups& groups, std::span<const Beside> beside, const WhyApart& why_apart,
                          Remarks& to) {
  Writer writer(graph, groups, why_apart, to);
  for (const Boundary& b : boundaries(graph, groups)) writer.add(b);
  for (const Beside& b : beside) {
    const bool both_run = runs(groups, groups.of(b.first)) && runs(groups, groups.of(b.second));
    // An update that does not read what it replaces costs nothing beside who does.
    if (both_run && reads(*b.first, b.value) && reads(*b.second, b.value)) writer.add(b);
  }
  std::move(writer).say_dearest_first();
}

}  // namespace weft::passes
