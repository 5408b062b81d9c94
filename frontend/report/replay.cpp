#include "weft/frontend/report/replay.h"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "weft/frontend/report/origin.h"
#include "weft/ir/op_def.h"
#include "weft/passes/lowered.h"
#include "weft/passes/marks.h"

namespace weft::detail {
namespace {

using ir::Op;

int count_ops(const ir::Graph& graph) {
  int count = 0;
  for (const Op* op : graph.ops()) {
    ++count;
    for (const auto& body : op->bodies()) count += count_ops(*body);
  }
  return count;
}

bool only_moves(const Op& op) {
  const ir::Kind kind = op.def().kind;
  return kind == ir::Kind::view || kind == ir::Kind::movement || kind == ir::Kind::constant;
}

/// Where marked ops have gone.
struct Place {
  std::set<int> calls;
  std::set<const Op*> nests;
};
using Places = std::unordered_map<int, Place>;  // by mark

/// The marks of an op and of all that it holds; of a loop nest only of that: its own lines are those of its ops.
void add_marks(const Op& op, int call, const Op* nest, Places& places) {
  if (!op.def().is_region()) {
    for (int mark : passes::marks_of(op.locations())) {
      Place& place = places[mark];
      place.calls.insert(call);
      if (nest) place.nests.insert(nest);
    }
  }
  if (op.def().kind == ir::Kind::nest) nest = &op;
  for (const auto& body : op.bodies())
    for (const Op* inner : body->ops()) add_marks(*inner, call, nest, places);
}

/// Follows reorders into the kernels in which they ended: what goes along with other things that a kernel computes moves nothing more, and
/// of what nothing is left there is nothing to say. A boundary between such a kernel and what it reorders for needs no reason besides.
class Reorders {
 public:
  explicit Reorders(const Places& places) : places_(places) {}

  void follow(std::vector<passes::Remark>& remarks) {
    for (const passes::Remark& r : remarks)
      if (r.reorders) marks_.insert(r.of.mark);
    std::erase_if(remarks, [&](passes::Remark& r) { return r.reorders && !settle(r); });
    for (passes::Remark& r : remarks)
      if (r.reorders && r.bytes > 0)
        for (const Op* nest : place_of(r)->nests) by_nest_[nest].push_back(&r);
    std::vector<bool> kept;  // first, since remarks on reorders learn from others
    for (const passes::Remark& r : remarks) kept.push_back(r.reorders || !r.other || r.beside || !is_explained(r));
    size_t at = 0;
    std::erase_if(remarks, [&](const passes::Remark&) { return !kept[at++]; });
  }

 private:
  /// A kernel that does nothing else; one that moves elements for the program's own sake as well would be there anyway.
  bool is_reorder(const Op* nest) const {
    const auto is_part = [&](const Op* op) {
      if (op->def().kind != ir::Kind::movement) return only_moves(*op);
      const std::vector<int> marks = passes::marks_of(op->locations());
      return std::any_of(marks.begin(), marks.end(), [&](int mark) { return marks_.contains(mark); });
    };
    const ir::Ops& ops = nest->body().ops();
    return std::all_of(ops.begin(), ops.end(), is_part);
  }

  const Place* place_of(const passes::Remark& r) const {
    const auto found = places_.find(r.of.mark);
    return found == places_.end() ? nullptr : &found->second;
  }

  bool settle(passes::Remark& r) const {
    const Place* place = place_of(r);
    if (!place || place->nests.empty()) return false;
    if (std::any_of(place->nests.begin(), place->nests.end(), [&](const Op* nest) { return is_reorder(nest); })) return true;
    r.bytes = 0;
    r.why += "; it is made along with what else its kernel computes";
    return true;
  }

  /// Where a reorder is for a view, this is where it is known who reads that.
  bool is_explained(const passes::Remark& boundary) {
    const Place* place = place_of(boundary);
    if (!place) return false;
    bool explained = false;
    for (const Op* nest : place->nests)
      for (passes::Remark* reorder : by_nest_[nest]) {
        if (!reorder->other) continue;
        std::vector<int>& calls = reorder->other->calls;
        if (calls.empty()) calls = boundary.other->calls;
        explained = explained || calls == boundary.other->calls;
      }
    return explained;
  }

  const Places& places_;
  std::set<int> marks_;  // of what reorders
  std::unordered_map<const Op*, std::vector<passes::Remark*>> by_nest_;
};

}  // namespace

Replay::Replay(const ir::Module& recorded, const passes::Target& target)
    : module_(recorded.clone()), target_(target), remarks_(count_ops(recorded.graph())) {
  number(module_.graph());
}

void Replay::number(const ir::Graph& graph) {
  for (Op* op : graph.ops()) {
    for (const auto& body : op->bodies()) number(*body);
    passes::add_mark(*op, static_cast<int>(recorded_.size()));
    recorded_.emplace_back(op->name());
    moves_.push_back(only_moves(*op));
  }
}

passes::PassRun Replay::run(const std::string& pass) { return passes::run(module_, {pass}, target_, {.remarks = &remarks_}).front(); }

void Replay::run(const std::vector<std::string>& passes) {
  for (const std::string& pass : passes) run(pass);
}

std::vector<int> Replay::made_of(const Op& op) const {
  std::set<int> numbers;
  for (const Op* inner : computing_ops(op))
    for (int mark : passes::marks_of(inner->locations()))
      if (mark < remarks_.first_mark()) numbers.insert(mark);
  return {numbers.begin(), numbers.end()};
}

std::vector<std::vector<std::string>> Replay::recorded_of(const ir::Graph& planned) const {
  const std::vector<passes::LaunchedOp> ours = passes::launched_ops(module_.graph()), theirs = passes::launched_ops(planned);
  const auto alike = [](const passes::LaunchedOp& a, const passes::LaunchedOp& b) {
    return &a.op->def() == &b.op->def() && a.op->result_count() == b.op->result_count() && a.op->result().type() == b.op->result().type();
  };
  if (!std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end(), alike)) return {};
  std::vector<std::vector<std::string>> all;
  for (const passes::LaunchedOp& launched : ours) {
    std::vector<int> numbers = made_of(*launched.op);
    const auto moves = [&](int n) { return moves_[static_cast<size_t>(n)]; };
    if (!std::all_of(numbers.begin(), numbers.end(), moves)) std::erase_if(numbers, moves);
    std::vector<std::string>& names = all.emplace_back();
    for (int n : numbers)
      if (const std::string& name = recorded_[static_cast<size_t>(n)]; std::find(names.begin(), names.end(), name) == names.end())
        names.push_back(name);
  }
  return all;
}

std::vector<passes::Remark> Replay::remarks() const {
  std::vector<passes::Remark> all = remarks_.all();
  if (module_.arena_bytes) {
    Places places;
    const std::vector<passes::LaunchedOp> launched = passes::launched_ops(module_.graph());
    for (size_t i = 0; i < launched.size(); ++i) add_marks(*launched[i].op, static_cast<int>(i), nullptr, places);
    const auto follow = [&](passes::Remark::Of& of) {
      if (const auto found = places.find(of.mark); found != places.end())
        of.calls.assign(found->second.calls.begin(), found->second.calls.end());
    };
    for (passes::Remark& remark : all) {
      follow(remark.of);
      if (remark.other) follow(*remark.other);
    }
    Reorders(places).follow(all);
  }
  passes::sort_by_worth(all);
  return all;
}

}  // namespace weft::detail
