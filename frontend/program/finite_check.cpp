#include "weft/frontend/program/finite_check.h"

#include <algorithm>
#include <cstring>
#include <unordered_map>

#include "weft/frontend/program/call_reader.h"
#include "weft/frontend/program/value_origin.h"
#include "weft/ir/op_def.h"

namespace weft::detail {
namespace {

using ir::Op;
using ir::Value;

/// The source line if there is one, else that of the text.
ir::Location place_of(const ir::Locations& all) {
  const ir::Locations source = ir::source_lines(all);
  if (!source.empty()) return source[0];
  return all.empty() ? ir::Location() : all[0];
}

std::string part_of(const ir::Locations& all) { return all.empty() ? "" : fmt::format(", in the {} part", to_string(all.phases())); }

NotFinite not_finite(const ValueOrigin& origin, const std::string& when) {
  const ValueStatistics& v = origin.values;
  std::string text = fmt::format("{}: the result of {}{}{}", origin.element, origin.op, part_of(origin.locations), when);
  if (v.nans + v.infinities > 1) text += fmt::format(" ({} of {} elements are not finite)", v.nans + v.infinities, v.count);
  std::string read;
  for (const NotFinite::Operand& o : origin.operands)
    read += fmt::format("{}{} {} ({})", read.empty() ? "" : ", ", o.name, o.type, range_text(o.values));
  if (!read.empty()) text += "; it reads " + read;
  NotFinite error(text, origin.op);
  error.location = place_of(origin.locations), error.phases = origin.locations.phases();
  error.values = v;
  error.operands = origin.operands;
  error.at(to_string(origin.locations));
  return error;
}

/// The op that computes with a value first, inside of what it was fused into, behind slices, casts and the like. Null: none.
const Op* first_reader(Value v) {
  for (const Op* op : v.graph()->ops()) {
    const auto operands = op->operands();
    const auto at = std::find(operands.begin(), operands.end(), v);
    if (at == operands.end()) continue;
    const Op* reader = op;
    if (op->def().kind == ir::Kind::view || op->def().kind == ir::Kind::movement || op->def().converts) {
      reader = first_reader(op->result());
    } else if (!op->bodies().empty() && op->def().kind != ir::Kind::heavy) {
      reader = first_reader(op->body().input(static_cast<int>(at - operands.begin())));
      for (size_t i = 0; !reader && i < op->results().size(); ++i) reader = first_reader(op->result(static_cast<int>(i)));
    }
    if (reader) return reader;
  }
  return nullptr;
}

/// Throws for what is fed and is nan: no op makes that.
void check_inputs(const Program& program, const ir::Graph& graph, std::span<const Binding> inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Port& port = program.inputs()[i];
    if (!is_floating(port.dtype)) continue;
    const reference::Tensor t = reference::from_memory({port.dtype, port.shape}, inputs[i].read());
    const auto at = std::find_if(t.real.begin(), t.real.end(), [](double x) { return x != x; });
    if (at == t.real.end()) continue;
    const ir::Input& input = *graph.find_input(port.name);
    const Op* reader = first_reader(input.value());
    const ir::Locations& lines = reader ? reader->locations() : input.locations;
    std::string text = fmt::format("element {} of the input '{}' ({}) is nan", to_string(port.shape.index_of(at - t.real.begin())),
                                   port.name, name_of(input.role));
    if (reader) text += fmt::format("; the first to read it is {}{}", reader->name(), part_of(lines));
    NotFinite error(text, "input");
    error.location = place_of(lines), error.phases = lines.phases();
    error.values = statistics_of(port.dtype, inputs[i].read(), port.shape.numel());
    error.at(to_string(lines));
    throw error;
  }
}

class FiniteWatcher final : public CallReader {
 public:
  explicit FiniteWatcher(const ir::Module& planned) : CallReader(planned) {
    for (const ir::Output& o : planned.graph().outputs())
      if (o.alias) updates_[o.value] = o.name;
  }

  void after(const Call& call) override {
    const Op& op = op_of(call);
    ++checked.calls;
    bool all_finite = true;
    for (Value v : op.results()) {
      all_finite = all_finite && is_finite(call, v);
      if (is_floating(v.dtype()) && !ir::is_scratch(v)) checked.elements += v.shape().numel();
    }
    if (all_finite) return;
    if (const auto origin = origin_of(op, operands(call), results(call))) throw not_finite(*origin, pass_text(call));
    check_updates(call, op);
  }

  CheckedCalls checked;

 private:
  bool is_finite(const Call& call, Value v) const {
    if (!is_floating(v.dtype()) || ir::is_scratch(v)) return true;
    return first_not_finite(v.dtype(), result(call, v), v.shape().numel()) < 0;
  }

  /// An infinity that was fed has come into what is kept.
  void check_updates(const Call& call, const Op& op) const {
    for (Value v : op.results()) {
      const auto update = updates_.find(v);
      if (update == updates_.end() || is_finite(call, v)) continue;
      const int64_t at = first_not_finite(v.dtype(), result(call, v), v.shape().numel());
      NotFinite error(fmt::format("element {} of the new value of '{}' is {}{}", to_string(v.shape().index_of(at)), update->second,
                                  load_element(v.dtype(), result(call, v), at), part_of(op.locations())),
                      std::string(op.name()));
      error.location = place_of(op.locations()), error.phases = op.locations().phases();
      error.values = statistics_of(v.dtype(), result(call, v), v.shape().numel());
      error.at(to_string(op.locations()));
      throw error;
    }
  }

  std::unordered_map<Value, std::string, ir::ValueHash> updates_;  // by name
};

}  // namespace

Undo::Undo(const Program& program, std::span<const Binding> inputs) {
  for (const Port& output : program.outputs()) {
    if (!output.alias) continue;
    const Binding& binding = inputs[static_cast<size_t>(*output.alias)];
    const std::byte* bytes = binding.read();
    copies_.push_back({binding, {bytes, bytes + output.bytes()}});
  }
}

void Undo::restore() const {
  for (const Copy& copy : copies_)
    if (!copy.bytes.empty()) std::memcpy(copy.binding.write(), copy.bytes.data(), copy.bytes.size());
}

CheckedCalls run_finite(Program& program, const ir::Module& planned, std::span<const Binding> inputs) {
  check_inputs(program, planned.graph(), inputs);
  FiniteWatcher watcher(planned);
  program.run_watched(inputs, watcher);
  return watcher.checked;
}

}  // namespace weft::detail
