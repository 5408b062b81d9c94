// cvt, in every direction, to and from every kind.

#include <cmath>

#include "weft/support/dtype.h"
#include "weft/tests/catch.h"
#include "weft/tests/ptx/tests/kernels.h"

using namespace weft::test::ptx;

TEST_CASE("ptx machine: integers become wider and narrower", "[ptx-machine]") {
  check_cases({
      {"mov.b16 %h1, 0x8001; cvt.s32.s16 %r0, %h1", 0xffff8001},
      {"cvt.u32.u16 %r0, %h1", 0x8001},
      {"cvt.s64.s16 %rd0, %h1", 0xffffffffffff8001},
      {"cvt.u64.u16 %rd0, %h1", 0x8001},
      {"mov.b32 %r1, 0x12348081; cvt.u16.u32 %h0, %r1", 0x8081},
      {"cvt.s8.s32 %r0, %r1", 0xffffff81},
      {"cvt.u8.u32 %r0, %r1", 0x81},
      {"cvt.s16.s8 %h0, %h1", 1},
      {"mov.b64 %rd1, 0x8000000080000001; cvt.u32.u64 %r0, %rd1", 0x80000001},
      {"cvt.s64.s32 %rd0, %r1", 0x12348081},
      {"cvt.sat.u32.s32 %r0, -5", 0},
      {"cvt.sat.s32.s64 %r0, %rd1", 0x80000000},
      {"cvt.sat.u8.s32 %r0, 300", 255},
      {"cvt.sat.s32.u32 %r0, 0xffffffff", 0x7fffffff},
  });
}

TEST_CASE("ptx machine: floating types become integers", "[ptx-machine]") {
  check_cases({
      {"mov.f32 %f1, 0f40200000; cvt.rni.s32.f32 %r0, %f1", 2},  // 2.5
      {"cvt.rzi.s32.f32 %r0, %f1", 2},
      {"cvt.rmi.s32.f32 %r0, %f1", 2},
      {"cvt.rpi.s32.f32 %r0, %f1", 3},
      {"mov.f32 %f1, 0fC0200000; cvt.rni.s64.f32 %rd0, %f1", uint64_t(-2)},
      {"cvt.rmi.s32.f32 %r0, %f1", uint32_t(-3)},
      {"cvt.rzi.u32.f32 %r0, %f1", 0},
      {"cvt.rzi.s16.f32 %h0, %f1", 0xfffe},
      {"mov.f32 %f1, 0f4F000000; cvt.rzi.s32.f32 %r0, %f1", 0x7fffffff},  // 2^31
      {"cvt.rzi.u32.f32 %r0, %f1", 0x80000000},
      {"cvt.rzi.u16.f32 %h0, %f1", 0xffff},
      {"mov.f32 %f1, 0fFF800000; cvt.rzi.s32.f32 %r0, %f1", 0x80000000},
      {"cvt.rzi.u64.f32 %rd0, %f1", 0},
      {"mov.f32 %f1, 0f7FC00000; cvt.rzi.s32.f32 %r0, %f1", 0},
      {"cvt.rzi.s64.f32 %rd0, %f1", 0x8000000000000000},
      {"mov.f64 %fd1, 0d7FF8000000000000; cvt.rzi.s32.f64 %r0, %fd1", 0x80000000},
      {"mov.f64 %fd1, 0d43DFFFFFFFFFFFFF; cvt.rzi.s64.f64 %rd0, %fd1", 0x7ffffffffffffc00},
      {"mov.f64 %fd1, 0d43E0000000000000; cvt.rzi.s64.f64 %rd0, %fd1", 0x7fffffffffffffff},
      {"cvt.rzi.u64.f64 %rd0, %fd1", 0x8000000000000000},
      {"mov.b16 %h1, 0x4100; cvt.rni.s32.f16 %r0, %h1", 2},
      {"cvt.rpi.s32.f16 %r0, %h1", 3},
  });
}

TEST_CASE("ptx machine: integers become floating types", "[ptx-machine]") {
  check_cases({
      {"cvt.rn.f32.s32 %f0, 16777217", 0x4b800000},  // 2^24 + 1, a tie
      {"cvt.rp.f32.s32 %f0, 16777217", 0x4b800001},
      {"cvt.rz.f32.s32 %f0, -16777217", 0xcb800000},
      {"cvt.rm.f32.s32 %f0, -16777217", 0xcb800001},
      {"cvt.rn.f32.u32 %f0, 0xffffffff", 0x4f800000},
      {"cvt.rz.f32.u32 %f0, 0xffffffff", 0x4f7fffff},
      {"cvt.rn.f32.u64 %f0, -1", 0x5f800000},
      {"cvt.rn.f32.s64 %f0, -1", 0xbf800000},
      {"cvt.rn.f64.s64 %fd0, 0x7fffffffffffffff", 0x43e0000000000000},
      {"cvt.rz.f64.s64 %fd0, 0x7fffffffffffffff", 0x43dfffffffffffff},
      {"cvt.rn.f64.u64 %fd0, 0x8000000000000401", 0x43e0000000000001},
      {"cvt.rn.f64.u32 %fd0, 7", bits_of(7.0)},
      {"mov.b16 %h1, 0x8001; cvt.rn.f32.u16 %f0, %h1", bits_of(32769.0f)},
      {"cvt.rn.f32.s16 %f0, %h1", bits_of(-32767.0f)},
      {"cvt.rn.f16.s32 %h0, 2049", 0x6800},
      {"cvt.rn.f16.s32 %h0, 70000", 0x7c00},
      {"cvt.rz.f16.s32 %h0, 70000", 0x7bff},
  });
}

TEST_CASE("ptx machine: floating types become others", "[ptx-machine]") {
  check_cases({
      {"mov.f64 %fd1, 0d3FF0000010000000; cvt.rn.f32.f64 %f0, %fd1", 0x3f800000},  // a tie
      {"cvt.rp.f32.f64 %f0, %fd1", 0x3f800001},
      {"mov.f64 %fd1, 0d3FF0000010000001; cvt.rn.f32.f64 %f0, %fd1", 0x3f800001},
      {"cvt.rz.f32.f64 %f0, %fd1", 0x3f800000},
      {"mov.f64 %fd1, 0d7FEFFFFFFFFFFFFF; cvt.rn.f32.f64 %f0, %fd1", 0x7f800000},
      {"cvt.rm.f32.f64 %f0, %fd1", 0x7f7fffff},
      {"mov.f64 %fd1, 0dB690000000000000; cvt.rn.f32.f64 %f0, %fd1", 0x80000000},  // -2^-150
      {"cvt.rm.f32.f64 %f0, %fd1", 0x80000001},
      {"cvt.f64.f32 %fd0, 0f80000001", bits_of(-0x1p-149)},
      {"mov.f32 %f1, 0f33800000; cvt.rn.f16.f32 %h0, %f1", 1},  // 2^-24
      {"mov.f32 %f1, 0f33000000; cvt.rn.f16.f32 %h0, %f1", 0},  // a tie
      {"mov.f32 %f1, 0f33000001; cvt.rn.f16.f32 %h0, %f1", 1},
      {"mov.f32 %f1, 0f477FF000; cvt.rn.f16.f32 %h0, %f1", 0x7c00},  // 65520
      {"cvt.rz.f16.f32 %h0, %f1", 0x7bff},
      {"mov.f32 %f1, 0fFFC00001; cvt.rn.f16.f32 %h0, %f1", 0x7fff},
      {"mov.b16 %h1, 0x8001; cvt.f32.f16 %f0, %h1", bits_of(-0x1p-24f)},
      {"mov.b16 %h1, 0xfc00; cvt.f32.f16 %f0, %h1", 0xff800000},
      {"mov.f32 %f1, 0f3F808000; cvt.rn.bf16.f32 %h0, %f1", 0x3f80},
      {"mov.f32 %f1, 0f3F818000; cvt.rn.bf16.f32 %h0, %f1", 0x3f82},
      {"cvt.rz.bf16.f32 %h0, %f1", 0x3f81},
      {"cvt.f32.bf16 %f0, %h0", 0x3f810000},
      {"cvt.rn.bf16x2.f32 %r0, 0f40000000, 0f3F818000", 0x40003f82},
      {"cvt.rn.f16x2.f32 %r0, 0f40000000, 0f3F800000", 0x40003c00},
      {"mov.f32 %f1, 0f3F801000; cvt.rna.tf32.f32 %r0, %f1", 0x3f802000},
      {"cvt.rni.f32.f32 %f0, 0f3F000000", 0},
      {"cvt.rni.f32.f32 %f0, 0fBF000000", 0x80000000},
      {"cvt.rni.f32.f32 %f0, 0f40200000", 0x40000000},
      {"cvt.rmi.f32.f32 %f0, 0fBF000000", 0xbf800000},
      {"cvt.rpi.f32.f32 %f0, 0fBF000000", 0x80000000},
      {"cvt.rzi.f64.f64 %fd0, 0dBFF8000000000000", bits_of(-1.0)},
      {"cvt.rpi.f64.f64 %fd0, 0d7FF0000000000000", 0x7ff0000000000000},
      {"cvt.sat.f32.f32 %f0, 0f40000000", 0x3f800000},
      {"cvt.sat.f32.f32 %f0, 0f80000000", 0},
      {"cvt.sat.f32.f32 %f0, 0f7FC00000", 0},
      {"cvt.rn.sat.f32.f64 %f0, 0d3FE0000000000000", 0x3f000000},
  });
}

TEST_CASE("ptx machine: rounding agrees with the processor's, and with support/dtype.h", "[ptx-machine]") {
  uint32_t bits = 1;
  for (int i = 0; i < 20000; ++i) {
    bits = bits * 1664525 + 1013904223;
    const uint64_t wide = uint64_t{bits * 2654435761u} << 32 | bits;
    const double x = std::ldexp(1 + std::ldexp(static_cast<double>(wide >> 12), -52), static_cast<int>(bits >> 5) % 160);
    REQUIRE(static_cast<float>(rounded(x, f32_format, Rounding::nearest)) == static_cast<float>(x));
    const float f = std::bit_cast<float>(bits);
    if (!std::isnan(f)) REQUIRE(to_bf16(f, Rounding::nearest).bits == weft::to_bf16(f).bits);
    if (!std::isnan(f)) REQUIRE(to_f16(f, Rounding::nearest).bits == weft::to_f16(f).bits);
    const float near = std::bit_cast<float>((bits & 0x8fffffff) | 0x30000000);  // among f16's own numbers
    REQUIRE(to_f16(near, Rounding::nearest).bits == weft::to_f16(near).bits);
    const F16 h{static_cast<uint16_t>(bits)};
    if (!std::isnan(to_double(h))) REQUIRE(to_double(h) == weft::from_f16({h.bits}));
    if (!std::isnan(to_double(h))) REQUIRE(to_f16(to_double(h), Rounding::down).bits == h.bits);
  }
}
