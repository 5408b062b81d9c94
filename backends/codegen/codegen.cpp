#include "weft/backends/codegen/codegen.h"

#include <numeric>

#include "weft/backends/codegen/math/math.h"
#include "weft/backends/codegen/nest_emitter.h"
#include "weft/ir/equal.h"
#include "weft/ir/op_def.h"
#include "weft/support/work.h"

namespace weft::codegen {
namespace {

/// A nest with the kernel's buffers for its operands and results.
struct Part {
  const ir::Op* fused;
  std::vector<int> buffers;
};

/// The nests of the op, in order.
std::vector<Part> parts_of(const ir::Op& op) {
  const int operands = static_cast<int>(op.operands().size());
  if (op.is("fused")) {
    Part part{&op, std::vector<int>(static_cast<size_t>(operands + op.result_count()))};
    std::iota(part.buffers.begin(), part.buffers.end(), 0);
    return {part};
  }
  const ir::Graph& body = op.body();
  const auto buffer_of = [&](ir::Value v) {
    if (v.is_input()) return v.index();
    WEFT_CHECK(ir::Graph::is_output(v), "a nest's result is no result of its kernel");
    return operands + v.node()->outputs.front();
  };
  std::vector<Part> parts;
  for (const auto& nest : body.ops()) {
    Part part{nest, {}};
    for (ir::Value v : nest->operands()) part.buffers.push_back(buffer_of(v));
    for (ir::Value v : nest->results()) part.buffers.push_back(buffer_of(v));
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

EmittedNest Nests::of(const ir::Op& fused, const std::string& name, const std::vector<int>& buffers) {
  const size_t hash = ir::computation_hash(fused);
  if (shape_.shares_nests())
    for (auto [at, end] = known_.equal_range(hash); at != end; ++at)
      if (ir::same_computation(*at->second.first, fused)) return {at->second.second.function, at->second.second.units, buffers};
  require_functions(shape_, fused.body());
  EmittedNest nest = emit_nest(module_, shape_, fused.body(), name, buffers);
  count_work(static_cast<int64_t>(fused.body().ops().size()));
  nest.buffers = buffers;
  known_.emplace(hash, std::pair(&fused, nest));
  return nest;
}

int64_t emit_kernel(llvm::Module& module, const CodeShape& shape, const ir::Op& op, const std::string& name) {
  Nests nests(module, shape);
  return emit_kernel(module, shape, op, name, nests);
}

int64_t emit_kernel(llvm::Module& module, const CodeShape& shape, const ir::Op& op, const std::string& name, Nests& nests) {
  std::vector<EmittedNest> emitted;
  for (const Part& part : parts_of(op)) emitted.push_back(nests.of(*part.fused, name + ".nest" + std::to_string(emitted.size()), part.buffers));
  return shape.emit_entry(module, name, emitted, static_cast<int>(op.operands().size()) + op.result_count(), is_serial(op));
}

const Kernel& Kernels::of(const ir::Op& op) {
  const size_t hash = ir::computation_hash(op);
  for (auto [at, end] = known_.equal_range(hash); at != end; ++at)
    if (ir::same_computation(*at->second->op, op)) return *at->second;
  Kernel kernel{kernel_name(op, all_.size()), &op};
  kernel.units = emit_kernel(module_, shape_, op, kernel.name, nests_);
  all_.push_back(std::move(kernel));
  known_.emplace(hash, &all_.back());
  return all_.back();
}

}  // namespace weft::codegen
