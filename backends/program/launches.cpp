#include "weft/backends/program/launches.h"

#include <algorithm>

#include "weft/backends/program/ports.h"
#include "weft/ir/op_def.h"
#include "weft/ir/ops/loop.h"
#include "weft/passes/analysis/largest_values.h"
#include "weft/passes/analysis/liveness.h"
#include "weft/passes/analysis/placement.h"
#include "weft/passes/lowered.h"

namespace weft::program {
namespace {

using ir::Op;
using ir::Value;

/// Memory for a constant, and its elements.
Array array_of(const Op& op) try {
  Array array(op.result().dtype(), op.result().shape(), std::source_location());
  const auto& d = op.attribute<ir::Dense>("value");
  const size_t size = size_of(d.type().dtype);
  for (size_t i = 0; i < static_cast<size_t>(d.type().shape.numel()); ++i)
    std::copy_n(d.bytes().data() + (d.is_splat() ? 0 : i * size), size, array.data() + i * size);
  return array;
} catch (const OutOfMemory& e) {
  throw OutOfMemory("a constant at {}: {}", to_string(op.locations()), e.what());
}

/// One line for people: what is run, by which of the library's implementations if it is one, on what, for which source lines.
std::string describe(const Op& op, const std::string& name) {
  const bool call = op.def().kind == ir::Kind::heavy;
  std::string text = call ? std::string(op.name()) : name;
  for (size_t i = 0; i < op.operands().size(); ++i) text += (i ? ", " : " (") + to_string(op.operands()[i].type());
  text += op.operands().empty() ? " (" : "";
  text += ") ->";
  for (Value v : op.results()) text += " " + to_string(v.type());
  if (call && !name.empty()) text += "  by " + name;
  return text + "  # " + to_string(op.locations());
}

/// What the planned values of a graph reach to, where that is less than what the text says: it may give the arena any size.
int64_t arena_bytes(const ir::Module& module, const passes::Target& target) {
  int64_t bytes = 0;
  for (const passes::Interval& i : passes::arena_intervals(module.graph())) {
    const int64_t lines = std::max<int64_t>(1, (i.value.type().bytes() + target.alignment() - 1) / target.alignment());
    bytes = std::max(bytes, *i.value.offset() + lines * target.alignment());
  }
  return std::min(*module.arena_bytes, bytes);
}

/// Where the values of a graph lie: the program's, or a loop's body.
class Places {
 public:
  /// `inputs`: where those of a body lie; of the program they are its own. `arena`: where a body's begins.
  explicit Places(const ir::Graph& graph, std::vector<BufferPlace> inputs = {}, BufferPlace arena = {})
      : placement_(passes::placement_of(graph)), inputs_(std::move(inputs)), arena_(std::move(arena)) {}

  void add_constant(Value v, int64_t number) { constants_[v] = number; }

  BufferPlace of(Value v) const {
    const passes::Place& p = placement_.at(v);
    BufferPlace place;
    switch (p.kind) {
      case passes::Place::Kind::input:
        if (inputs_.empty()) place.kind = BufferPlace::Kind::input, place.position = p.position;
        else place = inputs_[static_cast<size_t>(p.position)];
        break;
      case passes::Place::Kind::arena: place = arena_, place.position += p.position; break;
      case passes::Place::Kind::constant: place.kind = BufferPlace::Kind::constant, place.position = constants_.at(p.owner); break;
    }
    place.bytes = v.type().bytes();
    place.written = false;
    return place;
  }

 private:
  passes::Placement placement_;
  std::vector<BufferPlace> inputs_;
  BufferPlace arena_;
  std::unordered_map<Value, int64_t, ir::ValueHash> constants_;
};

class Launches {
 public:
  Launches(const ir::Module& module, const passes::Target& target, Lowering& lowering)
      : graph_(module.graph()), target_(target), lowering_(lowering) {
    list_.arena_bytes = arena_bytes(module, target);
  }

  LaunchList run() {
    Places places(graph_);
    lower(graph_, places);
    count_work();
    list_.inputs = input_ports(graph_);
    list_.outputs = output_ports(graph_);
    for (const ir::Output& o : graph_.outputs()) list_.output_places.push_back(places.of(o.value));
    return std::move(list_);
  }

 private:
  void lower(const ir::Graph& graph, Places& places) {
    for (const Op* op : graph.ops()) lower(*op, places);
  }

  void lower(const Op& op, Places& places) {
    switch (op.def().kind) {
      case ir::Kind::view: return;
      case ir::Kind::constant:
        places.add_constant(op.result(), static_cast<int64_t>(list_.constants.size()));
        return list_.constants.push_back(array_of(op));
      case ir::Kind::nest:
      case ir::Kind::launch: return add(op, places, lowering_.kernel(op), ir::bytes_of(op) > target_.serial_bytes());
      case ir::Kind::heavy: return add(op, places, call_of(op), true);
      case ir::Kind::loop: return repeat(op, places);
      case ir::Kind::elementwise:
      case ir::Kind::reduction:
      case ir::Kind::movement:
      case ir::Kind::index:
      case ir::Kind::composite: break;
    }
    throw InternalError(fmt::format("{} is not lowered, at {}", op.name(), to_string(op.locations())));
  }

  /// The library may refuse what a text asks for: another one's scratch memory, formats that it does not know together.
  Lowering::Made call_of(const Op& op) const try { return lowering_.call(op); } catch (Error& e) {
    e.of(op.name()).at(ir::written_at(op.locations()));
    throw;
  }

  /// The body's launches, in a loop; what they touch of a slice moves with it.
  void repeat(const Op& op, const Places& outer) {
    const ir::Scan s = ir::scan_of(op);
    std::vector<BufferPlace> inputs;
    for (int i = 0; i < s.operands(); ++i) {
      if (s.is_sliced(i)) inputs.push_back(slice_of(outer.of(op.operand(i)), s, op.body().input(i).type()));
      else inputs.push_back(outer.of(s.is_carried(i) ? op.result(i) : op.operand(i)));
    }
    for (int i = s.carried; i < s.carried + s.stacked; ++i)
      inputs.push_back(slice_of(outer.of(op.result(i)), s, op.body().outputs()[static_cast<size_t>(i)].value.type()));
    const Value last = op.result(op.result_count() - 1);
    Places places(op.body(), std::move(inputs), ir::is_scratch(last) ? outer.of(last) : BufferPlace());
    const size_t loop = list_.loops.size(), first = list_.launches.size();
    list_.loops.push_back({first, first, s.length});
    ++depth_;
    lower(op.body(), places);
    --depth_;
    list_.loops[loop].last = list_.launches.size();
    for (size_t i = first; i < list_.launches.size(); ++i) {
      std::string& description = list_.launches[i].description;
      description = fmt::format("{} x {}", s.length, description);
    }
    if (first == list_.launches.size()) list_.loops.erase(list_.loops.begin() + static_cast<std::ptrdiff_t>(loop), list_.loops.end());
  }

  void count_work() {
    const std::vector<passes::LaunchedOp> launched = passes::launched_ops(graph_);
    WEFT_CHECK(launched.size() == list_.launches.size(), "{} launches were made of {} ops", list_.launches.size(), launched.size());
    for (size_t i = 0; i < launched.size(); ++i)
      list_.launches[i].flops = launched[i].flops(), list_.launches[i].bytes = launched[i].bytes();
  }

  BufferPlace slice_of(BufferPlace all, const ir::Scan& s, const ir::Type& slice) const {
    const int64_t bytes = slice.bytes();
    const int64_t start = s.reverse && s.length > 0 ? (s.length - 1) * bytes : 0;
    all.offset += start;
    all.steps.resize(depth_, 0);
    all.steps.push_back(s.reverse ? -bytes : bytes);
    return all;
  }

  void add(const Op& op, const Places& places, const Lowering::Made& made, bool parallel) {
    Launch launch{.buffers = {}, .parallel = parallel, .description = describe(op, made.name)};
    for (Value v : op.operands()) launch.buffers.push_back(places.of(v));
    for (Value v : op.results()) {
      launch.buffers.push_back(places.of(v));
      launch.buffers.back().written = true;
    }
    if (made.buffers != launch.buffers.size())
      throw Error("the call takes {} buffers here, not {}: it needs no memory to work in", made.buffers, launch.buffers.size())
          .of(op.name())
          .at(ir::written_at(op.locations()));
    list_.launches.push_back(std::move(launch));
  }

  const ir::Graph& graph_;
  const passes::Target& target_;
  Lowering& lowering_;
  LaunchList list_;
  size_t depth_ = 0;  // loops around what is lowered
};

}  // namespace

void require_planned(const ir::Module& module, const passes::Target& target) {
  if (module.target != target.name() || module.stage != "plan")
    throw Error("the module is at stage '{}' for target '{}'; the {} backend needs one that has been planned for '{}'", module.stage,
                module.target, target.name(), target.name());
  if (!module.arena_bytes) throw Error("the module is at stage 'plan', but its header does not say how large its arena is: arena = BYTES");
  passes::verify_lowered(module, target);
  if (static_cast<uint64_t>(arena_bytes(module, target)) > memory_limit()) throw no_arena(module, target);
}

LaunchList launches_of(const ir::Module& module, const passes::Target& target, Lowering& lowering) {
  return Launches(module, target, lowering).run();
}

OutOfMemory no_arena(const ir::Module& module, const passes::Target& target) {
  const auto refusal =
      out_of_memory(fmt::format("the arena of '{}'", module.graph().name()), static_cast<uint64_t>(arena_bytes(module, target)));
  std::vector<ir::Value> values;
  for (const passes::Interval& i : passes::arena_intervals(module.graph())) values.push_back(i.value);
  const std::string largest = passes::largest_of(std::move(values));
  return OutOfMemory("{}.{} A smaller batch needs less", refusal.what(), largest.empty() ? "" : " Largest: " + largest + ".");
}

}  // namespace weft::program
