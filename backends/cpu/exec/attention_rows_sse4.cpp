#include "weft/backends/cpu/exec/attention_rows_code.h"

namespace weft::cpu {

const AttentionRows sse4_attention_rows = all_rows;

}  // namespace weft::cpu
