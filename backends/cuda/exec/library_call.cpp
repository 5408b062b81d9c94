#include "weft/backends/cuda/exec/library_call.h"

#include <algorithm>

#include "weft/backends/cuda/exec/attention.h"
#include "weft/backends/cuda/exec/convolution.h"
#include "weft/backends/cuda/exec/product.h"
#include "weft/support/error.h"

namespace weft::cuda {
namespace {

constexpr LibraryCallKind kinds[] = {
    {"product", require_product, plan_product},
    {"attention", require_attention, plan_attention},
    {"convolution", require_convolution, plan_convolution},
    {"convolution_data", require_convolution, plan_convolution},
    {"convolution_weight", require_convolution, plan_convolution},
};

}  // namespace

void require_buffers(std::string_view what, std::span<const int64_t> bytes, const Launch& launch) {
  const size_t given = launch.buffers.size();
  if (given != bytes.size() && given != bytes.size() + 1)
    throw Error(ErrorKind::file, "{} takes {} buffers, and scratch memory, not {}", what, bytes.size(), given);
  for (size_t i = 0; i < bytes.size(); ++i)
    if (launch.buffers[i].bytes < bytes[i])
      throw Error(ErrorKind::file, "buffer {} of {} has {} bytes and needs {}", i, what, launch.buffers[i].bytes, bytes[i]);
}

const LibraryCallKind* find_library_call(std::string_view call) {
  const auto* found = std::find_if(std::begin(kinds), std::end(kinds), [&](const LibraryCallKind& kind) { return kind.call == call; });
  return found == std::end(kinds) ? nullptr : found;
}

}  // namespace weft::cuda
