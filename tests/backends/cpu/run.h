#pragma once
// Runs a text through the passes and a backend on sample inputs.

#include <string>
#include <vector>

#include "weft/backends/cpu/cpu.h"
#include "weft/runtime/array.h"

namespace weft::test {

struct RunSetup {
  cpu::Options options = {};
  std::vector<std::string> passes = {};  // instead of the pipeline "compile"
};

/// The names of the outputs and their values.
struct Outputs {
  std::vector<std::string> names;
  std::vector<Array> values;
};

/// Deterministic inputs for the module's inputs after its training step was added: floating values in [-0.7, 1.3)
/// ([0.1, 0.9) for scalars and for states, which may be squares), integers in [0, 8).
std::vector<Array> sample_inputs(const std::string& text, uint64_t seed = 7);

/// A step of a program.
Outputs run(Program& program, std::vector<Array> inputs);
Outputs run_cpu(const std::string& text, std::vector<Array> inputs, const RunSetup& setup = {});
/// The LLVM code of the only kernel.
std::string kernel_of(const std::string& text);
/// How many functions the program's kernels consist of.
size_t kernel_functions(const std::string& text);
Outputs run_reference(const std::string& text, std::vector<Array> inputs);

/// Of their elements (tests/close.h).
double relative_difference(const Array& a, const Array& b);
bool same_bits(const Outputs& a, const Outputs& b);

}  // namespace weft::test
