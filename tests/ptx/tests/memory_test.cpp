// Loads, stores and atomic operations in every space.

#include "weft/tests/catch.h"
#include "weft/tests/ptx/tests/kernels.h"

using namespace weft::test::ptx;

TEST_CASE("ptx machine: loads extend as their type says, stores keep the low bytes", "[ptx-machine]") {
  check_cases({
      {"st.global.u32 [%rd31], 0x80ff7f81; ld.global.s8 %r0, [%rd31]", 0xffffff81},
      {"st.global.u32 [%rd31], 0x80ff7f81; ld.global.u8 %r0, [%rd31]", 0x81},
      {"st.global.u32 [%rd31], 0x80ff7f81; ld.global.s16 %rd0, [%rd31+2]", 0xffffffffffff80ff},
      {"st.global.u32 [%rd31], 0x80ff7f81; ld.global.b8 %h0, [%rd31+1]", 0x7f},
      {"mov.b32 %r1, 0x12345678; st.global.u8 [%rd31+1], %r1; ld.global.u32 %r0, [%rd31]", 0x80ff7881},
      {"add.s64 %rd1, %rd31, 4; ld.global.b8 %r0, [%rd1+-1]", 0x80},
      {"ld.volatile.global.u32 %r0, [%rd31]", 0x80ff7881},
      {"ld.relaxed.gpu.global.u32 %r0, [%rd31]", 0x80ff7881},
      {"ld.acquire.sys.u32 %r0, [%rd31]", 0x80ff7881},
      {"st.release.gpu.global.u32 [%rd31], 3; fence.acq_rel.gpu; membar.gl; ld.global.cg.u32 %r0, [%rd31]", 3},
      {"st.global.v2.f32 [%rd31+8], {0f3F800000, 0f40000000}; ld.global.v2.f32 {%f0, %f1}, [%rd31+8]; mov.f32 %f0, %f1", 0x40000000},
      {"mov.b16 %h1, 1; st.global.v4.u16 [%rd31+8], {%h1, %h0, %h1, %h0}; ld.global.v4.b16 {%h0, %h2, _, _}, [%rd31+8]; mov.b16 %h0, %h2",
       0x7f},
  });
}

TEST_CASE("ptx machine: shared and local memory, and generic addresses", "[ptx-machine]") {
  check_cases({
      {"{ .shared .align 8 .b8 tile[64]; mov.u64 %rd1, tile; } st.shared.u32 [%rd1+4], 7; ld.shared.u32 %r0, [%rd1+4]", 7},
      {"mov.u32 %r1, tile; ld.shared.u32 %r0, [%r1+4]", 7},
      {"cvta.shared.u64 %rd2, %rd1; ld.u32 %r0, [%rd2+4]", 7},
      {"st.u32 [%rd2+8], 9; cvta.to.shared.u64 %rd3, %rd2; ld.shared.u32 %r0, [%rd3+8]", 9},
      {"{ .local .align 8 .b8 depot[64]; mov.u64 %rd4, depot; } cvta.local.u64 %rd5, %rd4; st.u64 [%rd5], 11; ld.local.u64 %rd0, [%rd4]",
       11},
      {"cvta.global.u64 %rd6, %rd31; st.u32 [%rd6], 13; ld.global.u32 %r0, [%rd31]", 13},
  });
}

TEST_CASE("ptx machine: atomic operations", "[ptx-machine]") {
  const std::string at = "st.global.u64 [%rd31], ";
  check_cases({
      {at + "5; atom.global.add.u32 %r0, [%rd31], 7", 5},
      {"ld.global.u32 %r0, [%rd31]", 12},
      {at + "5; red.global.add.s32 [%rd31], -7; ld.global.u32 %r0, [%rd31]", uint32_t(-2)},
      {"atom.global.min.s32 %r1, [%rd31], 3; ld.global.u32 %r0, [%rd31]", uint32_t(-2)},
      {"atom.global.min.u32 %r1, [%rd31], 3; ld.global.u32 %r0, [%rd31]", 3},
      {"red.global.max.u64 [%rd31], 100; ld.global.u64 %rd0, [%rd31]", 100},
      {"atom.global.exch.b32 %r0, [%rd31], 1", 100},
      {"atom.global.cas.b32 %r0, [%rd31], 1, 9", 1},
      {"atom.global.cas.b32 %r0, [%rd31], 1, 10", 9},
      {"atom.global.cas.b64 %rd0, [%rd31], 9, 10", 9},
      {"atom.global.inc.u32 %r0, [%rd31], 10; ld.global.u32 %r0, [%rd31]", 0},
      {"atom.global.dec.u32 %r0, [%rd31], 10; ld.global.u32 %r0, [%rd31]", 10},
      {"atom.global.and.b32 %r0, [%rd31], 6; ld.global.u32 %r0, [%rd31]", 2},
      {"atom.relaxed.gpu.global.or.b32 %r0, [%rd31], 5; ld.global.u32 %r0, [%rd31]", 7},
      {"red.global.xor.b64 [%rd31], -1; ld.global.u64 %rd0, [%rd31]", ~uint64_t{7}},
      {at + "0x3FC00000; atom.global.add.f32 %f1, [%rd31], 0f3F000000; ld.global.f32 %f0, [%rd31]", 0x40000000},
      {at + "0x3FF0000000000000; atom.add.f64 %fd1, [%rd31], 0d3FF0000000000000; ld.global.f64 %fd0, [%rd31]", 0x4000000000000000},
      {at + "0x3c003c00; mov.b32 %r1, 0x40003c00; atom.global.add.noftz.f16x2 %r2, [%rd31], %r1; ld.global.u32 %r0, [%rd31]", 0x42004000},
  });
}

TEST_CASE("ptx machine: a sum over blocks and threads in shared memory", "[ptx-machine]") {
  const std::string text = kernel(R"(
.shared .align 4 .u32 sum;
mov.u32 %r1, %tid.x;
mov.u32 %r2, %ctaid.x;
mov.u32 %r3, %ntid.x;
setp.ne.u32 %p1, %r1, 0;
@!%p1 st.shared.u32 [sum], 0;
bar.sync 0;
mad.lo.u32 %r4, %r2, %r3, %r1;
red.shared.add.u32 [sum], %r4;
barrier.sync.aligned 0, %r3;
@%p1 ret;
ld.shared.u32 %r5, [sum];
mul.wide.u32 %rd1, %r2, 4;
add.s64 %rd2, %rd31, %rd1;
st.global.u32 [%rd2], %r5;
)");
  for (uint64_t seed : {0, 1, 2}) CHECK(run(text, {3}, {70}, std::vector<uint32_t>(3), seed) == std::vector<uint32_t>{2415, 7315, 12215});
  check_assembles({text});
}

TEST_CASE("ptx machine: positions in a grid of three axes", "[ptx-machine]") {
  const std::string text = kernel(R"(
mov.u32 %r1, %tid.x;
mov.u32 %r2, %tid.y;
mov.u32 %r3, %tid.z;
mov.u32 %r4, %ctaid.y;
mov.u32 %r5, %ntid.y;
mov.u32 %r6, %ntid.x;
mad.lo.u32 %r5, %r3, %r5, %r2;
mad.lo.u32 %r5, %r5, %r6, %r1;
mad.lo.u32 %r6, %r4, 24, %r5;
mul.wide.u32 %rd1, %r6, 4;
add.s64 %rd1, %rd1, %rd31;
mad.lo.u32 %r7, %r3, 100, %r1;
mad.lo.u32 %r7, %r2, 10, %r7;
st.global.u32 [%rd1], %r7;
)");
  std::vector<uint32_t> want;
  for (uint32_t block = 0; block < 2; ++block)
    for (uint32_t i = 0; i < 24; ++i) want.push_back(i / 12 * 100 + i / 4 % 3 * 10 + i % 4);
  CHECK(run(text, {1, 2, 1}, {4, 3, 2}, std::vector<uint32_t>(48)) == want);
  check_assembles({text});
}
