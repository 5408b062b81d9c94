#pragma once
// GPU architectures by name.

#include <string_view>

#include "weft/support/number_text.h"

namespace weft::cuda {

/// 90 for "sm_90" and "sm_90a"; 0 for another name.
inline int arch_number(std::string_view arch) { return arch.starts_with("sm_") ? leading_number<int>(arch.substr(3)).value : 0; }

}  // namespace weft::cuda
