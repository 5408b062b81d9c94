#include "weft/backends/cpu/exec/machine_speed_code.h"

namespace weft::cpu {

const SpeedLoops avx512_speed_loops = all_loops;

}  // namespace weft::cpu
