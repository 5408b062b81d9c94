#include "weft/tests/passes/evaluated.h"

#include "weft/backends/reference/reference.h"
#include "weft/support/philox.h"

namespace weft::testing {

std::vector<double> output_of(const ir::Module& module) {
  std::vector<reference::Tensor> inputs;
  for (const ir::Input& input : module.graph().inputs()) {
    reference::Tensor t(input.node->type);
    for (size_t e = 0; e < t.real.size(); ++e)
      t.real[e] = uniform_from_bits(random_bits(3, static_cast<uint32_t>(inputs.size()), 0, e)) - 0.5;
    inputs.push_back(std::move(t));
  }
  return reference::evaluate(module.graph(), inputs)[0].real;
}

}  // namespace weft::testing
