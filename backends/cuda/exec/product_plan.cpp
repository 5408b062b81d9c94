// Products by cuBLASLt: which of its algorithms runs one.

#include "weft/backends/cuda/exec/lt_product.h"
#include "weft/backends/cuda/exec/product_tuning.h"

namespace weft::cuda {
namespace {

/// The library does not say that it reads the operand of a gradient before it writes over it.
bool overwrites_operand(const ProductSpec& spec, const Launch& launch) {
  return spec.activation == Activation::gelu_gradient && launch.buffers[2].conflicts(launch.buffers[spec.result_buffer()]);
}

}  // namespace

std::unique_ptr<LibraryCall> plan_product(const std::shared_ptr<Context>& context, const CallDescriptor& call, const Launch& launch) {
  const ProductSpec spec = product_spec(call);
  if (!cublaslt().why.empty() || !is_for_library(spec) || overwrites_operand(spec, launch)) return nullptr;
  const bool has_scratch = launch.buffers.size() > spec.buffers();
  const size_t workspace = has_scratch ? static_cast<size_t>(launch.buffers.back().bytes) : 0;
  std::unique_ptr<LtProduct> product;
  context->with_current([&] {
    const std::shared_ptr<LtHandle> handle = LtHandle::of(context);
    product = std::make_unique<LtProduct>(spec, workspace, handle);
    if (!handle->usable()) return product.reset();
    const std::optional<MatmulAlgorithm> measured = measured_algorithm(spec.algorithm, *context);
    if (measured && product->runs(*measured)) return product->use(*measured);
    const std::vector<MatmulAlgorithm> proposed = product->proposals(4);
    if (proposed.empty()) product.reset();
    else product->use(proposed.front());
  });
  return product;
}

}  // namespace weft::cuda
