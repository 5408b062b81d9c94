#include "weft/backends/cpu/exec/dots_code.h"

namespace weft::cpu {

const DotsKernels avx512_dots_kernels{"weft:avx512:dots", dots};

}  // namespace weft::cpu
