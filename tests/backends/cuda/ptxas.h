#pragma once
// NVIDIA's assembler, where it is installed.

#include <string>
#include <vector>

namespace weft::test {

/// Why PTX cannot be assembled here; empty when it can. `version` is what the assembler must be at least, as "12.1".
std::string why_no_ptxas(double version = 11.8);

/// What ptxas says of the texts, which are assembled together, for `arch` in place of the one that they name; empty when it accepts
/// them.
std::string assemble(const std::vector<std::string>& texts, const std::string& arch);

/// What a kernel takes of a processor.
struct KernelResources {
  std::string name;
  int registers = 0, stack_bytes = 0, spilled_bytes = 0;
};
/// Of every kernel of the texts; none where ptxas refuses one.
std::vector<KernelResources> resources_of(const std::vector<std::string>& texts, const std::string& arch);
/// Which of them keep something on the stack, a line each; or that there are none.
std::string on_stack(const std::vector<std::string>& texts, const std::string& arch);

}  // namespace weft::test
