#include "weft/backends/cpu/exec/attention_rows_code.h"

namespace weft::cpu {

const AttentionRows avx2_attention_rows = all_rows;

}  // namespace weft::cpu
