#pragma once
// The calls that a CPU program is made of, as descriptors and back.

#include <span>
#include <string_view>

#include "weft/backends/cpu/exec/attention.h"
#include "weft/backends/cpu/exec/code.h"
#include "weft/backends/cpu/exec/convolution.h"
#include "weft/backends/cpu/exec/indexing.h"
#include "weft/backends/cpu/exec/matmul.h"
#include "weft/backends/cpu/exec/sort.h"
#include "weft/backends/cpu/exec/task.h"
#include "weft/runtime/call_descriptor.h"

namespace weft::cpu {

/// Each takes the bytes of scratch memory that the plan gives; 0: none.
CallDescriptor describe(const MatmulSpec& spec, int64_t scratch_bytes);
CallDescriptor describe(const ConvolutionSpec& spec, int64_t scratch_bytes);
CallDescriptor describe(const AttentionSpec& spec, int64_t scratch_bytes);
CallDescriptor describe(const SortSpec& spec, int64_t scratch_bytes);
CallDescriptor describe_gather(const IndexingSpec& spec);
CallDescriptor describe_scatter_add(const IndexingSpec& spec, int64_t scratch_bytes);
CallDescriptor describe_scatter_rows(const IndexingSpec& spec);
CallDescriptor describe_coalesce(const IndexingSpec& spec, int64_t scratch_bytes);
/// A generated kernel: what its table points to, in `buffers` operands and results.
CallDescriptor describe_kernel(const std::string& name, int64_t units, size_t buffers, std::span<const KernelTask::Pointer> pointers);

/// What runs a call. `code` holds the kernels; null while nothing but library calls is made.
///
/// Throws weft::Error where there is no such call, where its descriptor is not as describe() makes it, and where the library refuses
/// it: the program was made for another one.
std::unique_ptr<Task> make_task(const CallDescriptor& call, const Code* code);

/// How many bytes a call may read or write of each of its buffers, scratch memory aside; empty where only its code knows.
Dims bytes_needed(const CallDescriptor& call);

}  // namespace weft::cpu
