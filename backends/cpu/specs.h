#pragma once
// Heavy ops as the calls that run them want them described.

#include "weft/backends/cpu/exec/attention.h"
#include "weft/backends/cpu/exec/convolution.h"
#include "weft/backends/cpu/exec/indexing.h"
#include "weft/backends/cpu/exec/matmul.h"
#include "weft/backends/cpu/exec/sort.h"
#include "weft/ir/graph.h"

namespace weft::cpu {

MatmulSpec matmul_spec(const ir::Op& op);

/// attention and attention_gradient.
AttentionSpec attention_spec(const ir::Op& op);

/// sort: which rows, and what of their order.
SortSpec sort_spec(const ir::Op& op);

/// gather, scatter_add and scatter_rows: which rows of x are read or written.
IndexingSpec indexing_spec(const ir::Op& op);
/// coalesce: which of the rows are summed.
IndexingSpec coalesce_spec(const ir::Op& op);

}  // namespace weft::cpu
