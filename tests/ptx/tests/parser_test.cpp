// What the parser and the decoder take, and that the rest is refused with line and text.

#include "weft/tests/catch.h"
#include "weft/tests/ptx/tests/kernels.h"

using namespace weft::test::ptx;

namespace {

const std::string header = ".version 8.0\n.target sm_90, debug\n.address_size 64\n";

std::string refusal(const std::string& text) {
  try {
    Machine machine(text);
    return "";
  } catch (const Fault& fault) {
    CHECK(fault.check() == Check::text);
    return fault.what();
  }
}

}  // namespace

TEST_CASE("ptx machine: declarations and comments of all kinds", "[ptx-machine]") {
  const std::string text = R"(
// a comment
.version 8.0 /* another,
of two lines */
.target sm_90
.address_size 64
.file 1 "net.cu"
.global .align 8 .u32 table[4] = {1, 0x2, 3};
.global .f32 scale = 0f40000000;
.const .align 4 .b8 bytes[8] = {1, 2, 3, 4, 5};
.shared .align 16 .b8 scratch[64];
.extern .shared .align 16 .b8 dynamic[];
.visible .entry weft_k(
  .param .u64 .ptr .global .align 4 weft_k_out
)
.maxntid 128, 1, 1
.minnctapersm 2
{
  .local .align 8 .b8 depot[16];
  .shared .u32 own[4];
  .reg .pred p, q;
  .reg .b32 %r<8>, x;
  .reg .b64 %rd<8>;
  .reg .f32 %f<2>;
  .loc 1 7 3
  ld.param.u64 %rd0, [weft_k_out];
  cvta.to.global.u64 %rd0, %rd0;
  ld.global.u32 %r0, [table+8];
  ld.global.f32 %f0, [scale];
  ld.const.v4.u8 {%r1, %r2, _, %r3}, [bytes];
  mov.u64 %rd1, depot;
  add.s64 %rd1, %rd1, 8;
  st.local.u32 [%rd1+-8], %r0;
  ld.local.u32 x, [depot];
  st.shared.u32 [scratch+4], %r3;
  mov.u64 %rd2, scratch;
  ld.shared.u32 %r4, [%rd2+4];
  st.shared.u32 [dynamic], 5;
  st.shared.u32 [own+12], 6;
  ld.shared.u32 %r5, [dynamic];
  setp.eq.u32 p, %r5, 5;
  mov.u32 %r6, 0;
@!p bra $done;
  mov.u32 %r6, 1;
$done:
  st.global.v4.b32 [%rd0], {x, %r1, %r2, %r4};
  st.global.f32 [%rd0+16], %f0;
  st.global.u32 [%rd0 + 20], %r6;
  .pragma "nounroll";
  ret;
}
)";
  Machine machine(text);
  CHECK(machine.target() == "sm_90");
  std::vector<uint32_t> out(6);
  const uint64_t address = machine.memory().allocate("out", 24);
  machine.launch({.kernel = "weft_k", .params = params(address), .dynamic_shared_bytes = 16});
  std::memcpy(out.data(), machine.memory().at(address).contents().data(), 24);
  CHECK(out == std::vector<uint32_t>{3, 1, 2, 4, 0x40000000, 1});
  check_assembles({text});
}

TEST_CASE("ptx machine: text that is no PTX is refused", "[ptx-machine]") {
  CHECK_THAT(refusal("add.s32"), contains_text("text: PTX starts with .version, line 1, `add.s32`"));
  CHECK_THAT(refusal(".version 8.0\n.target sm_90\n.address_size 32\n"), contains_text("the address size must be 64"));
  CHECK_THAT(refusal(".version 5.0\n"), contains_text("a version between 6.0 and 9"));
  CHECK_THAT(refusal(header + ".func f() { ret; }"), contains_text("an unknown directive 'func', line 4"));
  CHECK_THAT(refusal(header + ".alias a, b;"), contains_text("an unknown directive 'alias'"));
  CHECK_THAT(refusal(header + "?"), contains_text("an unknown character '?', line 4"));
  CHECK_THAT(refusal(header + "/* no end"), contains_text("a comment without an end"));
  CHECK_THAT(refusal(kernel("add.s32 %r0, %r1, %r2")), contains_text("';' is missing before 'ret'"));
  CHECK_THAT(refusal(kernel("mov.u32 %r0, 12x;")), contains_text("an unknown number '12x', line 8, `mov.u32 %r0, 12x;`"));
  CHECK_THAT(refusal(header + ".visible .entry k() { ret;"), contains_text("the body of 'k' has no end"));
  CHECK_THAT(refusal(kernel("a: a: ret;")), contains_text("the label 'a' stands there twice"));
  CHECK_THAT(refusal(kernel(".reg .b32 %r0;")), contains_text("the register stands there twice"));
  CHECK_THAT(refusal(header + ".entry k() { ret; }\n.entry k() { ret; }"), contains_text("the kernel stands there twice, line 5, `k`"));
}

TEST_CASE("ptx machine: an instruction that the machine does not know is refused", "[ptx-machine]") {
  const auto why = [](const std::string& code) { return refusal(kernel(code + ";")); };
  CHECK_THAT(why("wgmma.fence.sync.aligned"), contains_text("the instruction 'wgmma' is unknown, line 8, `wgmma.fence.sync.aligned;`"));
  CHECK_THAT(why("add.rn.ftz.f32 %f0, %f1, %f2"), contains_text("the modifier .ftz is unknown here"));
  CHECK_THAT(why("add.f32 %f0, %f1, %f2"), contains_text("an assembler may contract"));
  CHECK_THAT(why("ex2.approx.f32 %f0, %f1"), contains_text("the instruction 'ex2' is unknown"));
  CHECK_THAT(why("sqrt.approx.f32 %f0, %f1"), contains_text("the rounding is missing"));
  CHECK_THAT(why("add.s32 %r0, %r1"), contains_text("too few operands"));
  CHECK_THAT(why("add.s32 %r0, %r1, %r2, %r3"), contains_text("too many operands"));
  CHECK_THAT(why("add.s32 %r0, %rd1, %r2"), contains_text("the register '%rd1' is of type .b64, the instruction of .s32"));
  CHECK_THAT(why("add.s32 %r0, %f1, %r2"), contains_text("the register '%f1' is of type .f32"));
  CHECK_THAT(why("add.s32 %r0, %r99, %r2"), contains_text("there is no register '%r99'"));
  CHECK_THAT(why("add.b32 %r0, %r1, %r2"), contains_text("the rounding is missing"));
  CHECK_THAT(why("add.s8 %h0, %h1, %h2"), contains_text("the instruction has no type .s8"));
  CHECK_THAT(why("mov.b16 %h0, 70000"), contains_text("the number 70000 is too large for .b16"));
  CHECK_THAT(why("add.rn.f32 %f0, %f1, 1"), contains_text("an integer where a number of another type belongs"));
  CHECK_THAT(why("setp.lt.b32 %p0, %r0, %r1"), contains_text("the instruction has no type .b32"));
  CHECK_THAT(why("setp.ltu.s32 %p0, %r0, %r1"), contains_text("the instruction has no type .s32"));
  CHECK_THAT(why("cvt.s32.f32 %r0, %f0"), contains_text("the rounding to an integer is missing"));
  CHECK_THAT(why("cvt.f32.f64 %f0, %fd0"), contains_text("the rounding is missing"));
  CHECK_THAT(why("cvt.rn.f64.f32 %fd0, %f0"), contains_text("a rounding of what needs none"));
  CHECK_THAT(why("add.u32 %r0, %r1, %tid.x"), contains_text("there is no register '%tid.x'"));
  CHECK_THAT(why("bra nowhere"), contains_text("there is no such label"));
  CHECK_THAT(why("@%r0 ret"), contains_text("the guard is no predicate"));
  CHECK_THAT(why("ld.global.v4.f64 {%fd0, %fd1, %fd2, %fd3}, [%rd31]"), contains_text("a vector of more than 16 bytes"));
  CHECK_THAT(why("shfl.down.b32 %r0, %r1, 1, 31"), contains_text("only the form with .sync is defined"));
  CHECK_THAT(why("atom.global.min.f32 %f0, [%rd31], %f1"), contains_text("the instruction has no type .f32"));
  CHECK_THAT(why("call f"), contains_text("the instruction 'call' is unknown"));
}
