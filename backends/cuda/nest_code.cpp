#include "weft/backends/cuda/nest_code.h"

#include <llvm/IR/Module.h>

#include <algorithm>

#include "weft/backends/codegen/kernel_buffers.h"
#include "weft/backends/cuda/block_scalars.h"
#include "weft/backends/cuda/thread_code.h"
#include "weft/support/error.h"

namespace weft::cuda {

using codegen::Mapping;

namespace {

/// Of the start of an operand or result; an operand that is read through slices starts anywhere.
constexpr uint64_t buffer_alignment = 64;

/// Might the planner write that result over the operand? Only where the operand is read at the elements that are replaced
/// (passes/analysis/aliasing.h).
bool may_be_replaced(int input, size_t output, const NestSource& source, const codegen::NestAccesses& accesses) {
  if (source.body.outputs()[output].value.type() != source.body.inputs()[static_cast<size_t>(input)].value().type()) return false;
  ir::IndexMap written = source.nest.outputs[output];
  for (ir::Affine& a : written) a.coefficients.resize(source.nest.extents.size());
  return std::all_of(accesses.reads.begin(), accesses.reads.end(),
                     [&](const codegen::OperandRead& r) { return r.input != input || r.map == written; });
}

}  // namespace

NestSource::NestSource(llvm::Module& m, const ir::Graph& graph, std::span<const int> numbers, const std::vector<bool>& written)
    : module(m), body(graph), buffers(numbers) {
  passes::NoNest no;
  auto found = passes::analyze(passes::region_of(body), &no);
  WEFT_CHECK(found, "the body of a fused op is no loop nest: {}", no.why);
  nest = std::move(*found);
  const codegen::NestAccesses accesses = codegen::accesses_of(body, nest);
  for (int i = 0; i < static_cast<int>(body.inputs().size()); ++i) {
    invariant.push_back(!written[static_cast<size_t>(i)]);
    for (size_t o = 0; o < body.outputs().size(); ++o) {
      if (!may_be_replaced(i, o, *this, accesses)) continue;
      invariant.back() = false;
      replaces_per_point = replaces_per_point || nest.output_stage[o] == nest.stages;
    }
  }
  for (size_t l = 0; l < nest.extents.size(); ++l)
    if (!nest.reduced[l]) points *= nest.extents[l];
}

NestFunction::NestFunction(const NestSource& from, const Mapping& how, codegen::Loops run, int lanes, const std::string& name,
                           bool has_elements)
    : source(from), mapping(how), loops(std::move(run)), b(from.module.getContext()), build(b) {
  llvm::LLVMContext& context = b.getContext();
  auto* type =
      llvm::FunctionType::get(b.getVoidTy(), {b.getPtrTy(), b.getPtrTy(shared_space), b.getPtrTy(global_space), b.getInt32Ty()}, false);
  function = llvm::Function::Create(type, llvm::Function::InternalLinkage, name, source.module);
  // A call would keep its arguments in memory.
  function->addFnAttr(llvm::Attribute::AlwaysInline);
  b.SetInsertPoint(llvm::BasicBlock::Create(context, "entry", function));
  index_type = mapping.is_wide ? b.getInt64Ty() : b.getInt32Ty();
  thread = b.CreateZExt(thread_number(b, mapping.threads), index_type);
  shared = function->getArg(1), scratch = function->getArg(2);
  block = b.CreateZExt(function->getArg(3), index_type);
  const size_t count = source.body.inputs().size();
  llvm::Type* pointer = b.getPtrTy(global_space);
  for (size_t i = 0; i < source.buffers.size(); ++i) {
    llvm::Value* place = b.CreateConstInBoundsGEP1_64(pointer, function->getArg(0), static_cast<uint64_t>(source.buffers[i]));
    codegen::ValueBuffer buffer{b.CreateLoad(pointer, place), buffer_alignment};
    if (i < count) {
      if (codegen::is_read_through_slices(source.body.inputs()[i].value())) buffer.alignment = 1;
      buffer.is_invariant = source.invariant[i];
    }
    (i < count ? inputs : outputs).push_back(buffer);
  }
  values.emplace(b, build, source.body, source.nest, loops, lanes, inputs, outputs, index_type);
  if (has_elements) share_scalars();
}

/// One thread computes them, all others read them.
void NestFunction::share_scalars() {
  const std::vector<ir::Value> scalars = block_scalars(source.body, source.nest);
  if (scalars.empty()) return;
  const auto place = [&](size_t i) { return b.CreateConstInBoundsGEP1_64(b.getInt8Ty(), shared, 8 * i); };
  values->when(b.CreateICmpEQ(thread, index(0)), "scalars", [&] {
    for (size_t i = 0; i < scalars.size(); ++i)
      store_exchanged(b, values->eval(scalars[i], values->scalar_map(scalars[i])), place(i), index(0));
  });
  barrier(b);
  for (size_t i = 0; i < scalars.size(); ++i)
    scalars_.emplace_back(scalars[i], load_exchanged(b, codegen::register_type(b.getContext(), scalars[i].dtype()), place(i), index(0)));
  tell_scalars(*values);
  shared_bytes = (8 * scalars.size() + 15) / 16 * 16;
}

codegen::ValueEmitter NestFunction::values_of(codegen::LoopBuilder& builder, const codegen::Loops& run, int lanes) {
  return codegen::ValueEmitter(b, builder, source.body, source.nest, run, lanes, inputs, outputs, index_type);
}

void NestFunction::set_point(const std::vector<int>& kept, llvm::Value* number) {
  for (auto at = kept.rbegin(); at != kept.rend(); ++at) {
    const bool outermost = std::next(at) == kept.rend();
    llvm::Value* extent = index(std::max<int64_t>(1, extent_of(*at)));
    values->set_index(*at, outermost ? number : b.CreateURem(number, extent));
    if (!outermost) number = b.CreateUDiv(number, extent);
  }
}

bool NestFunction::each_of_block(int64_t end, const std::function<void(llvm::Value*)>& body) {
  if (end <= mapping.blocks) {
    build.scope([&] { body(block); });
    return false;
  }
  build.loop(block, index(end), index(mapping.blocks), "unit", body);
  return true;
}

NestCode emit_nest(llvm::Module& module, const ir::Graph& body, const std::string& name, std::span<const int> buffers,
                   const std::vector<bool>& written, const codegen::MappingLimits& limits) {
  const NestSource source(module, body, buffers, written);
  if (source.points == 0) return {};
  const Mapping mapping = codegen::choose_mapping(body, source.nest, limits);
  if (source.nest.has_reduction()) return emit_reduction(source, mapping, name);
  NestCode code;
  code.launches.push_back(mapping.kind == Mapping::Kind::tile ? emit_tiles(source, mapping, name, code.shared_bytes)
                                                              : emit_flat(source, mapping, name, code.shared_bytes));
  return code;
}

}  // namespace weft::cuda
