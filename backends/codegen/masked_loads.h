#pragma once
// Masked loads that are wider than a register of the machine, cut into what one holds.
//
// LLVM 19 would cut them too, but where it finds then that no lane of a part is ever set, the mask being a constant and a
// condition that all lanes share, it loads that part whole: x86 with AVX2, elements of 32 bits. The lanes hold what lies behind,
// which may not even be the program's. Cut here, such a part is known to be the lanes that stand in for what is not loaded.

namespace llvm {
class Function;
class TargetTransformInfo;
}  // namespace llvm

namespace weft::codegen {

void cut_masked_loads(llvm::Function& function, const llvm::TargetTransformInfo& machine);

}  // namespace weft::codegen
