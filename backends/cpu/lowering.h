#pragma once
// From planned ops to the pieces of a CPU program.

#include <optional>

#include "weft/backends/cpu/exec/convolution.h"
#include "weft/backends/cpu/exec/indexing.h"
#include "weft/backends/cpu/exec/matmul.h"
#include "weft/ir/graph.h"
#include "weft/ir/ops/convolution.h"

namespace weft::cpu {

/// What oneDNN can do behind a product.
struct Epilogue {
  std::optional<int> bias;    // the body input that is added along the last axis
  std::optional<int> addend;  // the body input that is added as it is
};

/// The epilogue that the body says, or none if oneDNN cannot do it.
std::optional<Epilogue> epilogue_of(const ir::Graph& body);

/// The product that a matmul asks for.
MatmulSpec matmul_spec(const ir::Op& op);

/// The convolution that an op convolution, convolution_data or convolution_weight asks for; and is the op one?
ConvolutionSpec convolution_spec(const ir::Op& op);
bool is_convolution(const ir::Op& op);
/// One of the three tensors of a convolution.
ConvolutionSpec convolution_spec(const ir::Convolution& c, ConvolutionSpec::Wanted wanted, int64_t slices = 1);

/// The rows that an op gather, scatter_add, scatter_rows or coalesce reads or writes.
IndexingSpec indexing_spec(const ir::Op& op);

/// A library call or routine for a heavy op; its buffers are the op's operands in order, then its results.
std::unique_ptr<Task> lower_heavy(const ir::Op& op);

/// One line for people: what is run, by which of the library's implementations if it is one, on what, for which source lines.
std::string describe(const ir::Op& op, const std::string& kernel, const std::string& implementation = {});

}  // namespace weft::cpu
