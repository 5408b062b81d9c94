#include "weft/backends/codegen/codegen.h"

#include <numeric>

#include "weft/backends/codegen/math/math.h"
#include "weft/backends/codegen/nest_emitter.h"
#include "weft/ir/equal.h"
#include "weft/ir/op_def.h"

namespace weft::codegen {
namespace {

/// A nest with the kernel's buffers for its operands and results.
struct Part {
  const ir::Op* fused;
  std::vector<int> inputs, outputs;
};

/// The nests of the op, in order.
std::vector<Part> parts_of(const ir::Op& op) {
  const int operands = static_cast<int>(op.operands().size());
  if (op.is("fused")) {
    Part part{&op, std::vector<int>(static_cast<size_t>(operands)), std::vector<int>(static_cast<size_t>(op.result_count()))};
    std::iota(part.inputs.begin(), part.inputs.end(), 0);
    std::iota(part.outputs.begin(), part.outputs.end(), operands);
    return {part};
  }
  const ir::Graph& body = op.body();
  const auto buffer_of = [&](ir::Value v) {
    if (v.is_input()) return v.index();
    for (size_t i = 0; i < body.outputs().size(); ++i)
      if (body.outputs()[i].value == v) return operands + static_cast<int>(i);
    throw InternalError("a nest's result is no result of its kernel");
  };
  std::vector<Part> parts;
  for (const auto& nest : body.ops()) {
    Part part{nest.get(), {}, {}};
    for (ir::Value v : nest->operands()) part.inputs.push_back(buffer_of(v));
    for (ir::Value v : nest->results()) part.outputs.push_back(buffer_of(v));
    parts.push_back(std::move(part));
  }
  return parts;
}

/// Every function of the body has code on the target.
void require_functions(const CodeShape& shape, const ir::Graph& body) {
  if (shape.has_libm()) return;
  for (const auto& op : body.ops()) {
    if (!op->def().is_elementwise()) continue;
    for (const ir::ScalarNode& node : ir::scalar_of(*op).nodes)
      if (const MathFunction* f = find_function(node.primitive); f && !inline_form(*f, node.dtype))
        throw Error("{}: the target '{}' has no {} of {} elements; cast to f32 before it, at {}", op->name(), shape.name(), f->name,
                    weft::name_of(node.dtype), to_string(op->locations()));
  }
}

/// From what the kernel computes and the layer it stands in.
std::string kernel_name(const ir::Op& op, size_t number) {
  std::string name = fmt::format("weft_k{:02}", number);
  if (op.is("kernel")) return name + fmt::format("_{}_nests", op.body().ops().size());
  int shown = 0;
  std::string scope;
  for (const auto& inner : op.body().ops()) {
    if ((inner->def().is_elementwise() || inner->def().kind == ir::Kind::reduction) && shown++ < 4) name += "_" + inner->def().name;
    for (const ir::Location& at : inner->locations())
      if (scope.empty()) scope = at.scope;
  }
  if (shown == 0) name += "_reorder";
  for (char& c : scope)
    if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
  return scope.empty() ? name : name + "__" + scope;
}

}  // namespace

bool is_serial(const ir::Op& op) { return op.is("kernel") && op.flag("serial"); }

int64_t emit_kernel(llvm::Module& module, const CodeShape& shape, const ir::Op& op, const std::string& name) {
  std::vector<EmittedNest> nests;
  for (const Part& part : parts_of(op)) {
    require_functions(shape, part.fused->body());
    const std::string nest_name = name + ".nest" + std::to_string(nests.size());
    nests.push_back(emit_nest(module, shape, part.fused->body(), nest_name, part.inputs, part.outputs));
  }
  return shape.emit_entry(module, name, nests, static_cast<int>(op.operands().size()) + op.result_count(), is_serial(op));
}

const Kernel& Kernels::of(const ir::Op& op) {
  for (const Kernel& known : all_)
    if (ir::same_computation(*known.op, op)) return known;
  Kernel kernel{kernel_name(op, all_.size()), &op};
  kernel.units = emit_kernel(module_, shape_, op, kernel.name);
  all_.push_back(std::move(kernel));
  return all_.back();
}

}  // namespace weft::codegen
