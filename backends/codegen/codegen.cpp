#include "weft/backends/codegen/codegen.h"

#include "weft/backends/codegen/math/math.h"
#include "weft/backends/codegen/nest_emitter.h"
#include "weft/ir/equal.h"
#include "weft/ir/op_def.h"
#include "weft/support/work.h"

namespace weft::codegen {
namespace {

/// Every function of the body has code on the target.
void require_functions(const CodeShape& shape, const ir::Graph& body) {
  if (shape.has_libm()) return;
  for (const auto& op : body.ops()) {
    if (!op->def().is_elementwise()) continue;
    for (const ir::ScalarNode& node : ir::scalar_of(*op).nodes)
      if (const MathFunction* f = find_function(node.primitive); f && !inline_form(*f, node.dtype))
        throw Error(ErrorKind::device, "the target '{}' has no {} of {} elements; cast to f32 before it", shape.name(), f->name,
                    weft::name_of(node.dtype))
            .of(op->name())
            .at(to_string(op->locations()));
  }
}

/// From what the kernel computes and the layer it stands in.
std::string kernel_name(const ir::Op& op, size_t number) {
  std::string name = fmt::format("weft_k{:02}", number);
  if (op.def().kind == ir::Kind::launch) return name + fmt::format("_{}_nests", op.body().ops().size());
  int shown = 0;
  std::string scope;
  for (const auto& inner : op.body().ops()) {
    if ((inner->def().is_elementwise() || inner->def().kind == ir::Kind::reduction) && shown++ < 4) name += "_" + inner->def().name;
    for (const ir::Location& at : inner->locations())
      if (scope.empty()) scope = at.scope;
  }
  if (shown == 0) name += "_reorder";
  if (!scope.empty()) name += "__" + scope;
  for (char& c : name)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return name;
}

}  // namespace

bool is_serial(const ir::Op& op) { return op.def().kind == ir::Kind::launch && op.flag("serial"); }

EmittedNest Nests::of(const ir::Op& fused, const std::string& name, int lanes, const std::vector<int>& buffers) {
  const size_t hash = ir::computation_hash(fused);
  for (auto [at, end] = known_.equal_range(hash); at != end; ++at)
    if (ir::same_computation(*at->second.first, fused)) return {at->second.second.function, at->second.second.units, buffers};
  EmittedNest nest = emit_nest(module_, lanes, fused.body(), name);
  count_work(static_cast<int64_t>(fused.body().ops().size()));
  nest.buffers = buffers;
  known_.emplace(hash, std::pair(&fused, nest));
  return nest;
}

namespace {

/// `op` is as its code has it.
std::vector<EntryPoint> emit(llvm::Module& module, const CodeShape& shape, const ir::Op& op, std::vector<Overwritten> overwritten,
                             const std::string& name, Nests& nests) {
  KernelTable table(op);
  table.overwritten = std::move(overwritten);
  for (const KernelPart& part : table.parts) require_functions(shape, part.nest->body());
  return shape.emit_kernel(module, name, op, table, nests);
}

/// Of the op as the program has it.
std::vector<Overwritten> overwritten_for(const CodeShape& shape, const ir::Op& op) {
  return shape.reorders_nests() && is_serial(op) ? overwritten_operands(op) : std::vector<Overwritten>();
}

}  // namespace

std::vector<EntryPoint> emit_kernel(llvm::Module& module, const CodeShape& shape, const ir::Op& op, const std::string& name) {
  const std::unique_ptr<ir::Graph> counted = counted_from_first_read(op);
  Nests nests(module);
  return emit(module, shape, counted ? *counted->ops().front() : op, overwritten_for(shape, op), name, nests);
}

const Kernel& Kernels::of(const ir::Op& op) {
  std::unique_ptr<ir::Graph> counted = counted_from_first_read(op);
  const ir::Op& code = counted ? *counted->ops().front() : op;
  std::vector<Overwritten> overwritten = overwritten_for(shape_, op);
  const size_t hash = ir::computation_hash(code);
  for (auto [at, end] = known_.equal_range(hash); at != end; ++at)
    if (at->second.overwritten == overwritten && ir::same_computation(*at->second.op, code)) return *at->second.kernel;
  Kernel kernel{kernel_name(op, all_.size()), &op};
  kernel.entries = emit(module_, shape_, code, overwritten, kernel.name, nests_);
  all_.push_back(std::move(kernel));
  known_.emplace(hash, Known{&code, std::move(overwritten), &all_.back()});
  if (counted) counted_.push_back(std::move(counted));
  return all_.back();
}

}  // namespace weft::codegen
