#include "weft/backends/cpu/exec/machine_speed_code.h"

namespace weft::cpu {

const SpeedLoops sse4_speed_loops = all_loops;

}  // namespace weft::cpu
