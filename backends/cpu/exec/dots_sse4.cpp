#include "weft/backends/cpu/exec/dots_code.h"

namespace weft::cpu {

const DotsKernels sse4_dots_kernels{"weft:sse4:dots", dots};

}  // namespace weft::cpu
