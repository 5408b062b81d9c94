#include "weft/backends/cpu/exec/isa.h"

#include <cstdlib>
#include <dnnl.hpp>

#include "weft/support/error.h"

namespace weft::cpu {

std::string max_isa_of_environment() {
  const char* text = std::getenv("WEFT_MAX_ISA");
  const std::string isa = text ? text : "";
  if (isa.empty() || isa == "sse4" || isa == "avx2" || isa == "avx512") return isa;
  throw Error("WEFT_MAX_ISA must be sse4, avx2 or avx512, not '{}'", isa).hint("unset it for what the machine has");
}

void limit_library_isa(const std::string& max_isa) {
  // Refused once the library has been used; its first limit then holds.
  if (max_isa == "sse4") dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41);
  else if (max_isa == "avx2") dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
  else if (max_isa == "avx512") dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core);
  else if (!max_isa.empty()) throw Error("unknown instruction set \"{}\"", max_isa).hint("known are sse4, avx2, avx512");
}

}  // namespace weft::cpu
