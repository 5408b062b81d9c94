#pragma once
// GPU architectures by name.

#include <string_view>

#include "weft/support/number_text.h"

namespace weft::cuda {

/// 90 for "sm_90" and "sm_90a"; 0 for another name.
inline int arch_number(std::string_view arch) { return arch.starts_with("sm_") ? leading_number<int>(arch.substr(3)).value : 0; }

/// A name that ends in a letter is that of one GPU's own instructions, which no other has: neither an older nor a newer one.
inline bool is_for_one_gpu(std::string_view arch) { return !arch.empty() && (arch.back() < '0' || arch.back() > '9'); }

/// Does a GPU of the architecture `device` run code for `arch`?
inline bool runs_on(std::string_view arch, std::string_view device) {
  const int needed = arch_number(arch), there = arch_number(device);
  return needed > 0 && (is_for_one_gpu(arch) ? needed == there : needed <= there);
}

}  // namespace weft::cuda
