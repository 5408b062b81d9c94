#include "weft/passes/boundary_remarks.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

#include "weft/ir/op_def.h"
#include "weft/passes/analysis/boundaries.h"
#include "weft/passes/analysis/nests.h"
#include "weft/passes/marks.h"

namespace weft::passes {
namespace {

using ir::Kind;
using ir::Op;
using ir::Value;

NoNest what_is_between(const Groups& groups, int a, int b) {
  const int group = groups.between(a, b);
  if (group < 0) return {"whether another op must run between them takes too long to find out", ""};
  const std::vector<Op*> ops = groups.ops(group);
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

NoNest why_outside(const Op& op, bool may_go_along) {
  if (op.def().kind == Kind::view) return {fmt::format("{} is no loop over its elements", op.name()), "it keeps or splits whole axes"};
  if (op.def().kind != Kind::heavy) return {fmt::format("{} is no loop over its elements", op.name()), ""};
  return {fmt::format("{} is a call of the target's own", op.name()),
          may_go_along && op.def().takes_epilogue ? "the target's call takes what follows along, which then alone reads its result" : ""};
}

bool reads(const Op& op, Value v) { return std::find(op.operands().begin(), op.operands().end(), v) != op.operands().end(); }

class Writer {
 public:
  Writer(const Groups& groups, const WhyApart& why_apart, Remarks& to) : groups_(groups), why_apart_(why_apart), to_(to) {}

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
    all_.push_back({"not fused", to_.of(*first.op(), first.type()), to_.of(second, second.result().type()), beside, std::move(no.why),
                    std::move(no.unless), bytes});
  }

  /// `direct` is what reads of the first: the second, or a view before it.
  NoNest told_apart(const Op& first, const Op& direct, const Op& second, bool siblings) const {
    for (const Op* op : {&first, &second, &direct})
      if (!can_fuse(*op)) return why_outside(*op, op == &first && can_fuse(second));
    const int a = groups_.of(&first), b = groups_.of(&direct);
    const Apart apart = why_apart_(a, b, siblings).value_or(Apart());
    return apart.would_cycle ? what_is_between(groups_, a, b) : apart.reason;
  }

  const Groups& groups_;
  const WhyApart& why_apart_;
  Remarks& to_;
  std::vector<Remark> all_;
  std::map<std::pair<int, int>, std::optional<size_t>> places_;  // in `all_`, of those beside each other
  std::set<std::tuple<int, int, const void*>> counted_;
};

}  // namespace

void remark_on_boundaries(const ir::Graph& graph, const Groups& groups, std::span<const Beside> beside, const WhyApart& why_apart,
                          Remarks& to) {
  Writer writer(groups, why_apart, to);
  for (const Boundary& b : boundaries(graph, groups)) writer.add(b);
  for (const Beside& b : beside) {
    const bool both_run = runs(groups, groups.of(b.first)) && runs(groups, groups.of(b.second));
    // An update that does not read what it replaces costs nothing beside who does.
    if (both_run && reads(*b.first, b.value) && reads(*b.second, b.value)) writer.add(b);
  }
  std::move(writer).say_dearest_first();
}

}  // namespace weft::passes
