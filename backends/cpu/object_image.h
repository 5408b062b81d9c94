#pragma once
// From an object file to an image that runs wherever it lies: what a linker does, once, when a program is compiled, so that whoever
// runs it later needs none.

#include <span>

#include "weft/runtime/program_data.h"

namespace weft::cpu {

/// Sections one behind the other, references between them resolved, and a slot for each address that only the process knows.
/// `object` is position independent ELF for x86-64; throws InternalError for anything in it that generated kernels have not.
MachineCode image_of(std::span<const char> object);

}  // namespace weft::cpu
