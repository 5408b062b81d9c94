#include "weft/backends/cpu/exec/thin_code.h"

namespace weft::cpu {

const ThinKernels avx512_thin_kernels{"weft:avx512:thin", sums};

}  // namespace weft::cpu
