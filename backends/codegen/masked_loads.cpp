#include "weft/backends/codegen/masked_loads.h"

#include <llvm/Analysis/InstSimplifyFolder.h>
#include <llvm/Analysis/TargetTransformInfo.h>
#include <llvm/IR/IRBuilder.h>
#include <llvm/IR/IntrinsicInst.h>
#include <llvm/IR/Module.h>

#include <numeric>
#include <vector>

namespace weft::codegen {
namespace {

using Builder = llvm::IRBuilder<llvm::InstSimplifyFolder>;

/// Lanes first to first + count - 1. Of what is computed lane by lane, it is computed of the operands' lanes, so that it is known
/// where those are constants.
llvm::Value* lanes_of(Builder& b, llvm::Value* v, int first, int count) {
  if (auto* op = llvm::dyn_cast<llvm::BinaryOperator>(v))
    return b.CreateBinOp(op->getOpcode(), lanes_of(b, op->getOperand(0), first, count), lanes_of(b, op->getOperand(1), first, count));
  std::vector<int> lanes(static_cast<size_t>(count));
  std::iota(lanes.begin(), lanes.end(), first);
  return b.CreateShuffleVector(v, lanes);
}

llvm::Value* joined(Builder& b, llvm::Value* x, llvm::Value* y) {
  const auto lanes = [](llvm::Value* v) { return llvm::cast<llvm::FixedVectorType>(v->getType())->getNumElements(); };
  const unsigned from = lanes(x), more = lanes(y);
  // A shuffle wants two vectors of one length.
  std::vector<int> widened(from, -1), order(from + more);
  std::iota(widened.begin(), widened.begin() + more, 0);
  std::iota(order.begin(), order.end(), 0);
  return b.CreateShuffleVector(x, more == from ? y : b.CreateShuffleVector(y, widened), order);
}

void cut(llvm::IntrinsicInst& load, int count) {
  auto* type = llvm::cast<llvm::FixedVectorType>(load.getType());
  Builder b(load.getParent(), load.getIterator(), llvm::InstSimplifyFolder(load.getModule()->getDataLayout()));
  const llvm::Align alignment = llvm::cast<llvm::ConstantInt>(load.getArgOperand(1))->getAlignValue();
  const uint64_t bytes = type->getScalarSizeInBits() / 8;
  llvm::Value* whole = nullptr;
  for (int first = 0; first < static_cast<int>(type->getNumElements()); first += count) {
    llvm::Value* mask = lanes_of(b, load.getArgOperand(2), first, count);
    llvm::Value* otherwise = lanes_of(b, load.getArgOperand(3), first, count);
    auto* known = llvm::dyn_cast<llvm::Constant>(mask);
    llvm::Value* place = b.CreateConstGEP1_64(type->getElementType(), load.getArgOperand(0), static_cast<uint64_t>(first));
    auto* part = llvm::FixedVectorType::get(type->getElementType(), static_cast<unsigned>(count));
    const llvm::Align aligned = llvm::commonAlignment(alignment, static_cast<uint64_t>(first) * bytes);
    llvm::Value* loaded = known && known->isNullValue() ? otherwise : b.CreateMaskedLoad(part, place, aligned, mask, otherwise);
    whole = whole ? joined(b, whole, loaded) : loaded;
  }
  load.replaceAllUsesWith(whole);
  load.eraseFromParent();
}

}  // namespace

void cut_masked_loads(llvm::Function& function, const llvm::TargetTransformInfo& machine) {
  std::vector<llvm::IntrinsicInst*> wide;
  const auto bits = static_cast<unsigned>(machine.getRegisterBitWidth(llvm::TargetTransformInfo::RGK_FixedWidthVector).getFixedValue());
  for (llvm::BasicBlock& block : function)
    for (llvm::Instruction& i : block)
      if (auto* call = llvm::dyn_cast<llvm::IntrinsicInst>(&i); call && call->getIntrinsicID() == llvm::Intrinsic::masked_load) {
        auto* type = llvm::cast<llvm::FixedVectorType>(call->getType());
        const unsigned count = bits / type->getScalarSizeInBits();
        // What the machine has no instruction for becomes a branch a lane.
        if (count > 1 && type->getNumElements() > count && !llvm::isa<llvm::Constant>(call->getArgOperand(2)) &&
            machine.isLegalMaskedLoad(llvm::FixedVectorType::get(type->getElementType(), count), llvm::Align(1)))
          wide.push_back(call);
      }
  for (llvm::IntrinsicInst* load : wide) cut(*load, static_cast<int>(bits / load->getType()->getScalarSizeInBits()));
}

}  // namespace weft::codegen
