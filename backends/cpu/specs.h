#pragma once
// Heavy ops as the calls that run them want them described.

#include <optional>

#include "weft/backends/cpu/exec/convolution.h"
#include "weft/backends/cpu/exec/indexing.h"
#include "weft/backends/cpu/exec/matmul.h"
#include "weft/ir/graph.h"

namespace weft::cpu {

/// What oneDNN can do behind a product.
struct Epilogue {
  std::optional<int> bias;    // the body input that is added along the last axis
  std::optional<int> addend;  // the body input that is added as it is
};

/// The epilogue that the body says, or none if oneDNN cannot do it.
std::optional<Epilogue> epilogue_of(const ir::Graph& body);

MatmulSpec matmul_spec(const ir::Op& op);

/// gather, scatter_add and scatter_rows: which rows of x are read or written.
IndexingSpec indexing_spec(const ir::Op& op);
/// coalesce: which of the rows are summed.
IndexingSpec coalesce_spec(const ir::Op& op);

}  // namespace weft::cpu
