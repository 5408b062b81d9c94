#include "weft/backends/cuda/exec/library_call.h"

#include <algorithm>

#include "weft/backends/cuda/exec/attention.h"
#include "weft/backends/cuda/exec/convolution.h"
#include "weft/backends/cuda/exec/product.h"

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

const LibraryCallKind* find_library_call(std::string_view call) {
  const auto* found = std::find_if(std::begin(kinds), std::end(kinds), [&](const LibraryCallKind& kind) { return kind.call == call; });
  return found == std::end(kinds) ? nullptr : found;
}

}  // namespace weft::cuda
