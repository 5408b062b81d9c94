#pragma once
// Programs whose kernels become PTX.

#include <memory>
#include <string>
#include <vector>

#include "weft/backends/cuda/ptx.h"
#include "weft/ir/module.h"

namespace weft::test {

struct PtxCase {
  std::string name;
  std::shared_ptr<const ir::Module> module;  // planned
  cuda::Ptx ptx;
};

/// Writes loops out, as `expand` does for a GPU. The program's composites are decomposed.
void write_out_loops(ir::Module& module);

/// The training step of examples/02_fashion_mnist, after all passes.
ir::Module fashion_mnist(bool adam);

/// The PTX of that example, with both optimizers.
const std::vector<PtxCase>& fashion_mnist_cases();
/// Of the programs in tests/passes, each in f32 and in f64 or bf16.
const std::vector<PtxCase>& program_cases();
/// Of random graphs, which draw over all ops; f64 sin and cos, which a GPU has no code for, are left out.
const std::vector<PtxCase>& random_cases();
/// All of these.
std::vector<PtxCase> all_cases();

}  // namespace weft::test
