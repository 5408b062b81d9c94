#pragma once
// NVIDIA's assembler, where it is installed.

#include <string>
#include <vector>

namespace weft::test {

/// Why PTX cannot be assembled here; empty when it can. `version` is what the assembler must be at least, as "12.1".
std::string why_no_ptxas(double version = 11.8);

/// What ptxas says of the texts, which are assembled together, for `arch`; empty when it accepts them.
std::string assemble(const std::vector<std::string>& texts, const std::string& arch);

/// Which of their kernels keep something on the stack, in the assembler's words.
std::string on_stack(const std::vector<std::string>& texts, const std::string& arch);

}  // namespace weft::test
