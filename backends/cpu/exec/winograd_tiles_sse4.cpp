#include "weft/backends/cpu/exec/winograd_tiles_code.h"

namespace weft::cpu {

const WinogradTiles sse4_winograd_tiles = all_tiles;

}  // namespace weft::cpu
