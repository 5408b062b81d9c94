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

/// The marks of an op and of all that it holds; of a loop nest only of that: its own lines are those of its ops.
void add_marks(const Op& op, std::set<int>& marks) {
  if (!op.def().is_region())
    for (int mark : passes::marks_of(op.locations())) marks.insert(mark);
  for (const auto& body : op.bodies())
    for (const Op* inner : body->ops()) add_marks(*inner, marks);
}

bool only_moves(const Op& op) {
  const ir::Kind kind = op.def().kind;
  return kind == ir::Kind::view || kind == ir::Kind::movement || kind == ir::Kind::constant;
}

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
  if (!module_.arena_bytes) return all;
  std::unordered_map<int, std::vector<int>> calls;  // by mark
  const std::vector<passes::LaunchedOp> launched = passes::launched_ops(module_.graph());
  for (size_t i = 0; i < launched.size(); ++i) {
    std::set<int> marks;
    add_marks(*launched[i].op, marks);
    for (int mark : marks) calls[mark].push_back(static_cast<int>(i));
  }
  const auto follow = [&](passes::Remark::Of& of) {
    if (const auto found = calls.find(of.mark); found != calls.end()) of.calls = found->second;
  };
  for (passes::Remark& remark : all) {
    follow(remark.of);
    if (remark.other) follow(*remark.other);
  }
  return all;
}

}  // namespace weft::detail
