#pragma once
// How wide instructions may be in this process: "sse4", "avx2", "avx512", or "" for what the machine has.

#include <span>
#include <string>
#include <string_view>

namespace weft::cpu {

/// As it calls itself: "AMD EPYC 9634 84-Core Processor".
std::string processor_name();

/// From the narrowest to the widest.
std::span<const std::string_view> all_isas();
/// Bits of its vectors; 0 for another name.
int isa_width(std::string_view isa);
/// Throws weft::Error, naming those that there are, for another name.
void require_known_isa(const std::string& isa);
/// Has this machine all instructions of it? They are the levels v2, v3 and v4 of the x86-64 psABI.
bool has_isa(std::string_view isa);
/// May code for `isa` run, where `max_isa` limits what may? Code for "" was made on this machine and within the limit.
bool runs_here(std::string_view isa, std::string_view max_isa);

/// What the environment variable WEFT_MAX_ISA says; "" when it is unset. Throws weft::Error for another name.
std::string max_isa_of_environment();

/// The widest of all_isas() that this machine has, within the limit on the library; our own routines keep to it too.
std::string_view library_isa();

/// Limits the instruction set that oneDNN uses; works only before its first use in the process. Without a call, the
/// environment's limit holds. Throws weft::Error for another name.
void limit_library_isa(const std::string& max_isa);

}  // namespace weft::cpu
