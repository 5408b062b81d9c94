#include "weft/backends/cpu/cpu.h"

#include <algorithm>
#include <map>

#include "weft/backends/codegen/codegen.h"
#include "weft/backends/codegen/host_shape.h"
#include "weft/backends/cpu/exec/cpu_program.h"
#include "weft/backends/cpu/exec/isa.h"
#include "weft/backends/cpu/heavy.h"
#include "weft/backends/cpu/jit.h"
#include "weft/ir/op_def.h"
#include "weft/passes/analysis/liveness.h"
#include "weft/passes/analysis/placement.h"
#include "weft/passes/lowered.h"
#include "weft/runtime/parallel.h"
#include "weft/support/memory.h"

namespace weft::cpu {
namespace {

using ir::Op;
using ir::Value;

/// Memory for a constant.
Array array_of(const Op& op) try {
  return Array(op.result().dtype(), op.result().shape(), std::source_location());
} catch (const OutOfMemory& e) {
  throw OutOfMemory("a constant at {}: {}", to_string(op.locations()), e.what());
}

/// One line for people: what is run, by which of the library's implementations if it is one, on what, for which source lines.
std::string describe(const Op& op, const std::string& kernel, const std::string& implementation = {}) {
  std::string text = kernel.empty() ? std::string(op.name()) : kernel;
  for (size_t i = 0; i < op.operands().size(); ++i) text += (i ? ", " : " (") + to_string(op.operands()[i].type());
  text += op.operands().empty() ? " (" : "";
  text += ") ->";
  for (ir::Value v : op.results()) text += " " + to_string(v.type());
  if (!implementation.empty()) text += "  by " + implementation;
  return text + "  # " + to_string(op.locations());
}

/// What the planned values of a graph reach to. A text may give the arena any size.
int64_t needed_bytes(const ir::Graph& graph) {
  int64_t bytes = 0;
  for (const passes::Interval& i : passes::arena_intervals(graph)) {
    const int64_t lines = std::max<int64_t>(1, (i.value.type().bytes() + target().alignment() - 1) / target().alignment());
    bytes = std::max(bytes, *i.value.offset() + lines * target().alignment());
  }
  return bytes;
}

int64_t arena_bytes(const ir::Module& module) { return std::min(*module.arena_bytes, needed_bytes(module.graph())); }

class Compiler {
 public:
  Compiler(const ir::Module& module, const Options& options)
      : graph_(module.graph()), jit_(std::make_shared<Jit>(options.max_isa)), kernels_(jit_->module(), shape_),
        placement_(passes::placement_of(graph_)) {
    parts_.threads = options.threads > 0 ? options.threads : available_cores();
    parts_.arena_bytes = arena_bytes(module);
  }

  ProgramParts run(std::vector<KernelText>* texts) {
    for (const auto& op : graph_.ops()) lower(*op);
    std::vector<std::string> names;
    for (const codegen::Kernel& kernel : kernels_.all()) names.push_back(kernel.name);
    jit_->finish(names, texts);
    for (Pending& p : pending_) finish(p);
    add_ports();
    parts_.code = jit_;
    return std::move(parts_);
  }

 private:
  /// A kernel whose address is known only once everything is compiled.
  struct Pending {
    size_t task;
    std::string name;
    int64_t units;
    std::vector<KernelTask::Pointer> pointers;
  };

  void lower(const Op& op) {
    switch (op.def().kind) {
      case ir::Kind::view: return;
      case ir::Kind::constant: return add_constant(op);
      case ir::Kind::nest:
      case ir::Kind::launch: return add_kernel(op);
      case ir::Kind::heavy: {
        auto task = call_of(op);
        task->description = describe(op, "", task->implementation);
        return add_task(op, std::move(task), true);
      }
      case ir::Kind::elementwise:
      case ir::Kind::reduction:
      case ir::Kind::movement:
      case ir::Kind::index:
      case ir::Kind::composite: break;
    }
    throw InternalError(fmt::format("{} is not lowered, at {}", op.name(), to_string(op.locations())));
  }

  /// The library may refuse what a text asks for: another one's scratch memory, formats that it does not know together.
  static std::unique_ptr<Task> call_of(const Op& op) {
    const HeavyOp* row = find_heavy(op);
    if (!row) throw Error("the cpu backend cannot run {}, at {}", op.name(), to_string(op.locations()));
    try {
      return row->make(op);
    } catch (const Error& e) {
      throw Error("{}: {}, at {}", op.name(), e.what(), ir::written_at(op.locations()));
    }
  }

  void add_constant(const Op& op) {
    const auto& d = op.attribute<ir::Dense>("value");
    Array array = array_of(op);
    const size_t size = size_of(d.type().dtype);
    for (size_t i = 0; i < static_cast<size_t>(d.type().shape.numel()); ++i)
      std::copy_n(d.bytes().data() + (d.is_splat() ? 0 : i * size), size, array.data() + i * size);
    constants_[op.result()] = static_cast<int64_t>(parts_.constants.size());
    parts_.constants.push_back(std::move(array));
  }

  void add_kernel(const Op& op) {
    const codegen::Kernel& kernel = kernels_.of(op);
    std::vector<KernelTask::Pointer> pointers;
    for (const codegen::KernelBuffer& b : codegen::buffers_of(op)) pointers.push_back({static_cast<size_t>(b.number), b.offset});
    pending_.push_back({parts_.tasks.size(), kernel.name, kernel.units, std::move(pointers)});
    descriptions_[parts_.tasks.size()] = describe(op, kernel.name);
    add_task(op, nullptr, ir::bytes_of(op) > target().serial_bytes());
  }

  void add_task(const Op& op, std::unique_ptr<Task> task, bool parallel) {
    PlacedTask placed{std::move(task), {}, parallel, ir::flops_of(op), static_cast<double>(ir::bytes_of(op))};
    for (Value v : op.operands()) placed.places.push_back(place(v));
    for (Value v : op.results()) {
      placed.places.push_back(place(v));
      placed.places.back().written = true;
    }
    if (placed.task && placed.task->buffers.size() != placed.places.size())
      throw Error("{}: the call takes {} buffers here, not {}: it needs no memory to work in, at {}", op.name(),
                  placed.task->buffers.size(), placed.places.size(), ir::written_at(op.locations()));
    parts_.tasks.push_back(std::move(placed));
  }

  void finish(Pending& p) {
    PlacedTask& placed = parts_.tasks[p.task];
    placed.task =
        std::make_unique<KernelTask>(reinterpret_cast<KernelTask::Function>(jit_->address(p.name)), p.units, std::move(p.pointers));
    placed.task->buffers.resize(placed.places.size(), nullptr);
    placed.task->description = descriptions_.at(p.task);
  }

  BufferPlace place(Value v) const {
    const passes::Place& p = placement_.at(v);
    switch (p.kind) {
      case passes::Place::Kind::input: return {BufferPlace::Kind::input, p.position, v.type().bytes()};
      case passes::Place::Kind::arena: return {BufferPlace::Kind::arena, p.position, v.type().bytes()};
      case passes::Place::Kind::constant: return {BufferPlace::Kind::constant, constants_.at(p.owner), v.type().bytes()};
    }
    return {};
  }

  void add_ports() {
    for (const ir::Input& i : graph_.inputs())
      parts_.inputs.push_back({i.node->name, i.node->type.dtype, i.node->type.shape, {}, to_string(i.locations)});
    for (const ir::Output& o : graph_.outputs()) {
      parts_.outputs.push_back({o.name, o.value.dtype(), o.value.shape(), o.alias, to_string(o.locations)});
      parts_.output_places.push_back(place(o.value));
    }
  }

  const ir::Graph& graph_;
  std::shared_ptr<Jit> jit_;
  codegen::HostShape shape_;
  codegen::Kernels kernels_;
  passes::Placement placement_;
  ProgramParts parts_;
  std::map<size_t, std::string> descriptions_;
  std::vector<Pending> pending_;
  std::unordered_map<Value, int64_t, ir::ValueHash> constants_;
};

}  // namespace

namespace {

/// Where the arena's bytes go: its largest values, with their lines.
std::string largest_values(const ir::Module& module) {
  std::vector<passes::Interval> values = passes::arena_intervals(module.graph());
  std::stable_sort(values.begin(), values.end(),
                   [](const auto& a, const auto& b) { return a.value.type().bytes() > b.value.type().bytes(); });
  std::string text;
  for (size_t i = 0; i < std::min<size_t>(3, values.size()); ++i)
    text += fmt::format("{} {} of {} at {}", i == 0 ? " Largest:" : ",", to_string(values[i].value.type()), values[i].value.op()->name(),
                        to_string(values[i].value.op()->locations()));
  return text;
}

OutOfMemory no_arena(const ir::Module& module) {
  const auto refusal = out_of_memory(fmt::format("the arena of '{}'", module.graph().name()), static_cast<uint64_t>(arena_bytes(module)));
  const std::string largest = largest_values(module);
  return OutOfMemory("{}.{} A smaller batch needs less", refusal.what(), largest.empty() ? "" : largest + ".");
}

}  // namespace

std::unique_ptr<Program> compile(const ir::Module& module, const Options& options, std::vector<KernelText>* kernels) {
  if (module.target != "cpu" || module.stage != "plan")
    throw Error("the module is at stage '{}' for target '{}'; the cpu backend needs one that has been planned for 'cpu'", module.stage,
                module.target);
  if (!module.arena_bytes) throw Error("the module is at stage 'plan', but its header does not say how large its arena is: arena = BYTES");
  passes::verify_lowered(module, target());  // the text may have been edited
  if (static_cast<uint64_t>(arena_bytes(module)) > memory_limit()) throw no_arena(module);
  Options limited = options;
  if (limited.max_isa.empty()) limited.max_isa = max_isa_of_environment();
  limit_library_isa(limited.max_isa);
  ProgramParts parts = Compiler(module, limited).run(kernels);
  try {
    return make_program(std::move(parts));
  } catch (const OutOfMemory&) {
    throw no_arena(module);
  }
}

}  // namespace weft::cpu
