#include "weft/frontend/report/origin.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "weft/frontend/report/rows.h"
#include "weft/ir/op_def.h"
#include "weft/passes/lowered.h"

namespace weft::detail {
namespace {

using ir::Op;
using ir::Phase;
using Phases = std::unordered_map<const Op*, Phase>;

constexpr size_t most_names = 3;

/// "a, b, c", of more "a, b and 2 more".
std::string some_of(const std::vector<std::string>& names) {
  if (names.size() <= most_names) return fmt::format("{}", fmt::join(names, ", "));
  return fmt::format("{}, {} and {} more", names[0], names[1], names.size() - 2);
}

void add_new(std::vector<std::string>& names, std::string name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
}

/// Those that compute something of what the body reads, single numbers aside, and of their bodies.
void add_computing(const ir::Graph& body, std::vector<const Op*>& ops) {
  std::unordered_set<const Op*> of_inputs;
  for (const Op* op : body.ops()) {
    const auto reads = [&](ir::Value v) { return v.is_input() ? v.shape().numel() != 1 : of_inputs.contains(v.op()); };
    if (std::none_of(op->operands().begin(), op->operands().end(), reads)) continue;
    of_inputs.insert(op);
    if (op->def().is_region()) add_computing(op->body(), ops);
    else ops.push_back(op);
  }
}

/// The layers and lines of several ops, all of them: an update has those of every parameter, which are more than one op's lines may be.
class Places {
 public:
  void add(const ir::Locations& all) {
    for (const ir::Location& at : all) {
      if (!at.scope.empty()) add_new(layers_, at.scope);
      add_new(at.read ? read_ : sources_, to_string(ir::Location{at.file, at.line}));
    }
  }
  bool empty() const { return sources_.empty() && read_.empty(); }
  std::string layer() {
    std::sort(layers_.begin(), layers_.end(), in_natural_order);  // the same layers are one row
    return some_of(layers_);
  }
  /// The lines of the text only where there are none of the source.
  std::string source() {
    std::vector<std::string>& lines = sources_.empty() ? read_ : sources_;
    std::sort(lines.begin(), lines.end(), in_natural_order);  // so are the same lines
    return lines.empty() ? to_string(ir::Location{}) : some_of(lines);
  }

 private:
  std::vector<std::string> layers_, sources_, read_;
};

Phase last_of(ir::Phases phases) {
  Phase last = Phase::forward;
  for (Phase phase : ir::all_phases)
    if (phases.has(phase)) last = phase;
  return last;
}

/// The first that is not before; else the last.
Phase first_from(ir::Phases phases, Phase least) {
  for (Phase phase : ir::all_phases)
    if (phases.has(phase) && phase >= least) return phase;
  return last_of(phases);
}

/// Where it is needed first, when the readers' parts are known.
Phase needed_in(const Op& op, const Phases& known) {
  const ir::Phases made_for = op.locations().phases();
  // A gradient's product or convolution that the update alone reads, and into which something of it has gone, is the gradient's still.
  if (op.def().kind == ir::Kind::heavy) return first_from(made_for, Phase::forward);
  std::optional<Phase> first;
  for (ir::Value v : op.results()) {
    for (const Op* reader : v.users()) first = std::min(first.value_or(Phase::update), known.at(reader));
    for (const ir::Output& output : v.graph()->outputs())
      if (output.value == v && !output.alias && made_for.has(Phase::forward)) first = Phase::forward;
  }
  return first ? first_from(made_for, *first) : last_of(made_for);
}

/// Whether anybody but the step's caller reads a result.
bool is_read(const Op& op) {
  for (ir::Value v : op.results())
    if (!v.users().empty()) return true;
  return false;
}

}  // namespace

Phases running_phases(const ir::Graph& graph) {
  Phases phases;
  const std::vector<const Op*> ops(graph.ops().begin(), graph.ops().end());
  for (auto op = ops.rbegin(); op != ops.rend(); ++op) phases[*op] = needed_in(**op, phases);
  // Nothing runs before what it reads.
  for (const Op* op : ops) {
    Phase& phase = phases.at(op);
    Phase least = Phase::forward;
    for (ir::Value v : op->operands())
      if (!v.is_input()) least = std::max(least, phases.at(v.op()));
    if (least > phase) phase = is_read(*op) ? first_from(op->locations().phases(), least) : last_of(op->locations().phases());
  }
  return phases;
}

std::vector<const Op*> computing_ops(const Op& op) {
  std::vector<const Op*> ops;
  if (op.def().is_region())
    for (const auto& body : op.bodies()) add_computing(*body, ops);
  return ops.empty() ? std::vector{&op} : ops;
}

ir::Locations origin_lines(const Op& op) {
  if (!op.def().is_region()) return op.locations();
  ir::Locations lines;
  for (const Op* inner : computing_ops(op)) merge(lines, inner->locations());
  return lines.empty() ? op.locations() : lines.in(op.locations().phases());
}

Origin origin_of(const Op& op, Phase phase) {
  Places places;
  for (const Op* inner : computing_ops(op)) places.add(inner->locations());
  if (places.empty()) places.add(op.locations());
  return {op.def().is_region() ? "fused" : std::string(op.name()), places.layer(), places.source(), std::string(ir::name_of(phase))};
}

std::vector<Origin> launched_origins(const ir::Graph& planned) {
  const Phases phases = running_phases(planned);
  std::vector<Origin> all;
  for (const passes::LaunchedOp& launched : passes::launched_ops(planned))
    all.push_back(origin_of(*launched.op, phases.at(launched.outermost)));
  return all;
}

}  // namespace weft::detail
