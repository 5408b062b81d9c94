#include "weft/backends/cpu/exec/thin_code.h"

namespace weft::cpu {

const ThinKernels avx2_thin_kernels{"weft:avx2:thin", sums};

}  // namespace weft::cpu
