#include "weft/backends/cpu/exec/dots_code.h"

namespace weft::cpu {

const DotsKernels avx2_dots_kernels{"weft:avx2:dots", dots};

}  // namespace weft::cpu
