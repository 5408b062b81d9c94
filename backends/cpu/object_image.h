#pragma once
// From object files to an image that runs wherever it lies: what a linker does, once, when a program is compiled, so that whoever
// runs it later needs none.

#include <llvm/ADT/SmallVector.h>

#include <vector>

#include "weft/runtime/program_data.h"

namespace weft::cpu {

/// Position independent ELF for x86-64.
using ObjectFile = llvm::SmallVector<char, 0>;

/// Sections one behind the other, references between them and between objects resolved, and a slot for each address that only the
/// process knows. Throws InternalError for anything in an object that generated kernels have not.
MachineCode image_of(const std::vector<ObjectFile>& objects);

}  // namespace weft::cpu
