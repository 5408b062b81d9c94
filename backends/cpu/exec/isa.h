#pragma once
// How wide instructions may be in this process: "sse4", "avx2", "avx512", or "" for what the machine has.

#include <string>

namespace weft::cpu {

/// What the environment variable WEFT_MAX_ISA says; "" when it is unset. Throws weft::Error for another name.
std::string max_isa_of_environment();

/// Limits the instruction set that oneDNN uses; works only before its first use in the process. Without a call, the
/// environment's limit holds. Throws weft::Error for another name.
void limit_library_isa(const std::string& max_isa);

}  // namespace weft::cpu
