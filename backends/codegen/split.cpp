#include "weft/backends/codegen/split.h"

#include <llvm/Bitcode/BitcodeWriter.h>
#include <llvm/IR/Instructions.h>
#include <llvm/IR/Module.h>
#include <llvm/Transforms/Utils/Cloning.h>

#include <algorithm>
#include <set>

#include "weft/backends/codegen/optimize.h"

namespace weft::codegen {
namespace {

using Functions = std::set<const llvm::GlobalValue*>;

/// What is compiled in one place: a function that others can call from elsewhere, and what of its callees must be beside it.
struct Unit {
  Functions functions;
  size_t instructions = 0;
};

void add(Unit& unit, const llvm::Function& function) {
  if (function.isDeclaration() || !unit.functions.insert(&function).second) return;
  unit.instructions += function.getInstructionCount();
  for (const llvm::BasicBlock& block : function)
    for (const llvm::Instruction& i : block)
      if (const auto* call = llvm::dyn_cast<llvm::CallBase>(&i))
        if (const llvm::Function* callee = call->getCalledFunction(); callee && callee->hasLocalLinkage()) add(unit, *callee);
}

std::vector<Unit> units_of(const llvm::Module& module) {
  std::vector<Unit> units;
  for (const llvm::Function& function : module) {
    if (function.isDeclaration() || function.hasLocalLinkage()) continue;
    units.emplace_back();
    add(units.back(), function);
  }
  return units;
}

/// The largest first, each to the part that has least.
std::vector<Unit> parts_of(std::vector<Unit> units, size_t count) {
  std::stable_sort(units.begin(), units.end(), [](const Unit& a, const Unit& b) { return a.instructions > b.instructions; });
  std::vector<Unit> parts(count);
  for (const Unit& unit : units) {
    Unit& part =
        *std::min_element(parts.begin(), parts.end(), [](const Unit& a, const Unit& b) { return a.instructions < b.instructions; });
    part.functions.insert(unit.functions.begin(), unit.functions.end());
    part.instructions += unit.instructions;
  }
  return parts;
}

/// Constants and declarations that only other parts use.
void drop_unused(llvm::Module& module) {
  for (llvm::GlobalVariable& constant : llvm::make_early_inc_range(module.globals()))
    if (constant.use_empty()) constant.eraseFromParent();
  for (llvm::Function& function : llvm::make_early_inc_range(module))
    if (function.isDeclaration() && function.use_empty()) function.eraseFromParent();
}

Bitcode bitcode_of(const llvm::Module& module) {
  Bitcode bitcode;
  llvm::raw_svector_ostream out(bitcode);
  llvm::WriteBitcodeToFile(module, out);
  return bitcode;
}

}  // namespace

std::vector<Bitcode> split(llvm::Module& module, size_t instructions, size_t most) {
  verify(module);
  for (llvm::Function& function : module) {
    if (!function.hasLocalLinkage() || !function.hasFnAttribute(llvm::Attribute::NoInline)) continue;
    function.setLinkage(llvm::GlobalValue::ExternalLinkage);
    function.setVisibility(llvm::GlobalValue::HiddenVisibility);
  }
  std::vector<Unit> units = units_of(module);
  size_t all = 0;
  for (const Unit& unit : units) all += unit.instructions;
  const size_t count = std::min({most, all / instructions + 1, std::max<size_t>(units.size(), 1)});
  if (count == 1) return {bitcode_of(module)};
  std::vector<Bitcode> split;
  for (const Unit& part : parts_of(std::move(units), count)) {
    llvm::ValueToValueMapTy twins;
    const auto alone = llvm::CloneModule(
        module, twins, [&](const llvm::GlobalValue* v) { return !llvm::isa<llvm::Function>(v) || part.functions.contains(v); });
    drop_unused(*alone);
    split.push_back(bitcode_of(*alone));
  }
  return split;
}

}  // namespace weft::codegen
