#include "weft/backends/cpu/exec/isa.h"

#include <cpuid.h>
#include <fmt/ranges.h>

#include <cstdlib>
#include <cstring>
#include <dnnl.hpp>

#include "weft/backends/cpu/exec/library.h"
#include "weft/support/error.h"

namespace weft::cpu {

std::string processor_name() {
  unsigned words[12] = {};
  for (unsigned i = 0; i < 3; ++i) __get_cpuid(0x80000002 + i, &words[4 * i], &words[4 * i + 1], &words[4 * i + 2], &words[4 * i + 3]);
  char text[sizeof words + 1] = {};
  std::memcpy(text, words, sizeof words);
  const std::string name = text;  // ends with blanks, or begins with them
  const size_t from = name.find_first_not_of(' '), to = name.find_last_not_of(' ');
  return from == std::string::npos ? "unknown processor" : name.substr(from, to - from + 1);
}

std::span<const std::string_view> all_isas() {
  static constexpr std::string_view all[] = {"sse4", "avx2", "avx512"};
  return all;
}

int isa_width(std::string_view isa) {
  int width = 128;
  for (const std::string_view known : all_isas()) {
    if (known == isa) return width;
    width *= 2;
  }
  return 0;
}

bool has_isa(std::string_view isa) {
  __builtin_cpu_init();
#define HAS(feature) __builtin_cpu_supports(feature)
  // What tells the levels apart on the processors that there are; compilers know the levels' own names only lately.
  const bool v2 = HAS("sse4.2") && HAS("ssse3") && HAS("popcnt");
  const bool v3 = v2 && HAS("avx2") && HAS("f16c") && HAS("fma") && HAS("bmi") && HAS("bmi2");
  const bool v4 = v3 && HAS("avx512f") && HAS("avx512bw") && HAS("avx512cd") && HAS("avx512dq") && HAS("avx512vl");
#undef HAS
  return isa == "sse4" ? v2 : isa == "avx2" ? v3 : isa == "avx512" && v4;
}

bool runs_here(std::string_view isa, std::string_view max_isa) {
  if (isa.empty()) return true;
  return has_isa(isa) && (max_isa.empty() || isa_width(isa) <= isa_width(max_isa));
}

std::string max_isa_of_environment() {
  const char* text = std::getenv("WEFT_MAX_ISA");
  const std::string isa = text ? text : "";
  if (isa.empty() || isa_width(isa) > 0) return isa;
  throw Error("WEFT_MAX_ISA must be sse4, avx2 or avx512, not '{}'", isa).hint("unset it for what the machine has");
}

std::string_view library_isa() {
  engine();  // the limit
  static const std::string_view isa = [] {
    const auto has = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
    const auto all_of = [has](dnnl::cpu_isa isa) { return (has & static_cast<unsigned>(isa)) == static_cast<unsigned>(isa); };
    if (has_isa("avx512") && all_of(dnnl::cpu_isa::avx512_core)) return "avx512";
    return has_isa("avx2") && all_of(dnnl::cpu_isa::avx2) ? "avx2" : "sse4";
  }();
  return isa;
}

void require_known_isa(const std::string& isa) {
  if (isa_width(isa) == 0)
    throw Error("unknown instruction set \"{}\"", isa).hint(fmt::format("known are {}", fmt::join(all_isas(), ", ")));
}

void limit_library_isa(const std::string& max_isa) {
  if (max_isa.empty()) return;
  require_known_isa(max_isa);
  // Refused once the library has been used; its first limit then holds.
  if (max_isa == "sse4") dnnl::set_max_cpu_isa(dnnl::cpu_isa::sse41);
  else if (max_isa == "avx2") dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx2);
  else dnnl::set_max_cpu_isa(dnnl::cpu_isa::avx512_core);
}

}  // namespace weft::cpu
