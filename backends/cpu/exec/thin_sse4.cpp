#include "weft/backends/cpu/exec/thin_code.h"

namespace weft::cpu {

const ThinKernels sse4_thin_kernels{"weft:sse4:thin", sums};

}  // namespace weft::cpu
