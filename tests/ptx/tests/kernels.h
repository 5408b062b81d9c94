#pragma once
// Hand-written kernels for the tests of the machine.

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "weft/tests/ptx/machine.h"

namespace weft::test::ptx {

/// The kernel `weft_k(out)` with that body. It has %p0 to %p7, %h (b16), %r (b32), %rd (b64), %f (f32) and %fd (f64), 32 of each;
/// %rd31 is `out`.
std::string kernel(const std::string& body, const std::string& before = "");

/// An instruction, or several with ';' between, and the bits that the register has which the last one names first.
struct Case {
  std::string code;
  uint64_t want;
};
/// Executes each and checks its register, where `out` starts with 64 bytes that hold 0 at first; where ptxas is installed, it must take them too.
void check_cases(const std::vector<Case>& cases);

/// Runs weft_k on one allocation of u32, which starts with `initial`, and gives what it holds then.
std::vector<uint32_t> run(const std::string& text, Dim3 blocks, Dim3 threads, std::vector<uint32_t> initial, uint64_t seed = 0);
/// What the machine reports of it; empty: nothing. The allocation has `words` u32, of which nothing is written.
std::string fault_of(const std::string& text, Dim3 blocks, Dim3 threads, size_t words = 64, uint64_t seed = 0);

/// ptxas, where it is installed, takes all of them.
void check_assembles(const std::vector<std::string>& texts);

/// "0f3F800000", "0d3FF0000000000000".
std::string literal(float x);
std::string literal(double x);
template <class T>
uint64_t bits_of(T x) {
  return to_bits(x);
}

/// Numbers where operations turn.
inline constexpr uint32_t f32_corners[] = {0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x00000001, 0x807fffff, 0x00800000, 0x7f7fffff,
                                           0x7f800000, 0xff800000, 0x7fc00000, 0x3f7fffff, 0x40490fdb, 0xc2c80001, 0x4b7fffff};
inline constexpr uint64_t f64_corners[] = {0x0,
                                           0x8000000000000000,
                                           0x3ff0000000000000,
                                           0x1,
                                           0x800fffffffffffff,
                                           0x7fefffffffffffff,
                                           0x7ff0000000000000,
                                           0xfff0000000000000,
                                           0x7ff8000000000000,
                                           0x3fefffffffffffff,
                                           0xc059000000000001,
                                           0x400921fb54442d18};
inline constexpr int64_t integer_corners[] = {
    0,         1,         -1,        2,         -7,         127,        INT16_MIN,  INT16_MAX,
    INT32_MIN, INT32_MAX, INT64_MIN, INT64_MAX, UINT16_MAX, UINT32_MAX, 0x12345678, 0x0123456789abcdef};

}  // namespace weft::test::ptx
