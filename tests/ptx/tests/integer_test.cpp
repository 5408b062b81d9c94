// Integers, bits and comparisons, against C++.

#include <algorithm>
#include <limits>

#include "weft/tests/catch.h"
#include "weft/tests/ptx/tests/kernels.h"

using namespace weft::test::ptx;

namespace {

__extension__ typedef __int128 SignedWide;
__extension__ typedef unsigned __int128 UnsignedWide;
template <class T>
using Wide = std::conditional_t<std::is_signed_v<T>, SignedWide, UnsignedWide>;

template <class T>
const std::string name_of_type = (std::is_signed_v<T> ? ".s" : ".u") + std::to_string(8 * sizeof(T));
template <class T>
const std::string register_of = sizeof(T) == 2   ? "%h"
                                : sizeof(T) == 4 ? "%r"
                                                 : "%rd";
template <class T>
uint64_t unsigned_bits(T x) {
  return static_cast<uint64_t>(static_cast<std::make_unsigned_t<T>>(x));
}

/// The numbers in registers 1 and 2; ptxas takes no number of 16 bits that does not fit.
template <class T>
std::string load(T a, T b, T c = 0) {
  const std::string bits = std::to_string(8 * sizeof(T)), r = register_of<T>;
  std::string code;
  int number = 1;
  for (T x : {a, b, c}) code += "mov.b" + bits + " " + r + std::to_string(number++) + ", " + std::to_string(x) + "; ";
  return code;
}

/// `f` of all pairs of corners.
template <class T, class F>
void add_binary(std::vector<Case>& cases, const std::string& opcode, F f) {
  const std::string r = register_of<T>;
  for (int64_t x : integer_corners)
    for (int64_t y : integer_corners) {
      const T a = static_cast<T>(x), b = static_cast<T>(y);
      cases.push_back(
          {load<T>(a, b) + opcode + name_of_type<T> + " " + r + "0, " + r + "1, " + r + "2", unsigned_bits(static_cast<T>(f(a, b)))});
    }
}

template <class T>
void add_arithmetic(std::vector<Case>& cases) {
  constexpr unsigned bits = 8 * sizeof(T);
  add_binary<T>(cases, "add", [](Wide<T> a, Wide<T> b) { return a + b; });
  add_binary<T>(cases, "sub", [](Wide<T> a, Wide<T> b) { return a - b; });
  add_binary<T>(cases, "mul.lo", [](T a, T b) { return static_cast<uint64_t>(a) * static_cast<uint64_t>(b); });
  add_binary<T>(cases, "mul.hi", [](Wide<T> a, Wide<T> b) { return (a * b) >> bits; });
  add_binary<T>(cases, "min", [](T a, T b) { return std::min(a, b); });
  add_binary<T>(cases, "max", [](T a, T b) { return std::max(a, b); });
}

template <class T>
void add_division(std::vector<Case>& cases) {
  const std::string r = register_of<T>;
  for (int64_t x : integer_corners)
    for (int64_t y : integer_corners) {
      const T a = static_cast<T>(x), b = static_cast<T>(y);
      if (b == 0) continue;
      const Wide<T> wa = a, wb = b;
      const std::string operands = name_of_type<T> + " " + r + "0, " + r + "1, " + r + "2";
      cases.push_back({load<T>(a, b) + "div" + operands, unsigned_bits(static_cast<T>(wa / wb))});
      cases.push_back({load<T>(a, b) + "rem" + operands, unsigned_bits(static_cast<T>(wa % wb))});
    }
}

}  // namespace

TEST_CASE("ptx machine: sums, products and extremes of integers", "[ptx-machine]") {
  std::vector<Case> cases;
  add_arithmetic<int16_t>(cases), add_arithmetic<uint16_t>(cases), add_arithmetic<int32_t>(cases);
  add_arithmetic<uint32_t>(cases), add_arithmetic<int64_t>(cases), add_arithmetic<uint64_t>(cases);
  check_cases(cases);
}

TEST_CASE("ptx machine: quotients of integers", "[ptx-machine]") {
  std::vector<Case> cases;
  add_division<int16_t>(cases), add_division<uint16_t>(cases), add_division<int32_t>(cases);
  add_division<uint32_t>(cases), add_division<int64_t>(cases), add_division<uint64_t>(cases);
  check_cases(cases);
}

TEST_CASE("ptx machine: integers of mixed widths, limited, negated", "[ptx-machine]") {
  check_cases({
      {"mul.wide.s16 %r0, -300, 300", uint32_t(-90000)},
      {"mul.wide.u16 %r0, 65535, 65535", 4294836225},
      {"mul.wide.s32 %rd0, -2147483648, 3", uint64_t(-6442450944)},
      {"mul.wide.u32 %rd0, 4294967295, 4294967295", 0xfffffffe00000001},
      {"mad.wide.s32 %rd0, -5, 7, 30", uint64_t(-5)},
      {"mad.wide.u32 %rd0, 4294967295, 2, 1", 0x1ffffffff},
      {"mad.lo.s32 %r0, 65536, 65536, 7", 7},
      {"mad.lo.u64 %rd0, 3, 5, 7", 22},
      {"mad.hi.u32 %r0, 0x80000000, 6, 1", 4},
      {"mad.hi.s32 %r0, -2147483648, 6, 1", uint32_t(-2)},
      {"add.sat.s32 %r0, 2147483647, 1", 0x7fffffff},
      {"sub.sat.s32 %r0, -2147483648, 1", 0x80000000},
      {"add.sat.s32 %r0, -3, 1", uint32_t(-2)},
      {"neg.s32 %r0, -2147483648", 0x80000000},
      {"neg.s64 %rd0, 5", uint64_t(-5)},
      {"mov.b16 %h1, 5; neg.s16 %h0, %h1", 0xfffb},
      {"abs.s32 %r0, -2147483648", 0x80000000},
      {"abs.s64 %rd0, -9", 9},
  });
}

TEST_CASE("ptx machine: logic, and shifts by the width and more", "[ptx-machine]") {
  check_cases({
      {"and.b32 %r0, 0x0ff0, 0x00ff", 0xf0},
      {"or.b64 %rd0, 0x0ff0, 0xf00000000", 0xf00000ff0},
      {"xor.b32 %r0, -1, 0xff", 0xffffff00},
      {"not.b32 %r0, 0", 0xffffffff},
      {"not.b64 %rd0, -1", 0},
      {"mov.b16 %h1, 1; not.b16 %h0, %h1", 0xfffe},
      {"cnot.b32 %r0, 0", 1},
      {"cnot.b32 %r0, 8", 0},
      {"setp.eq.s32 %p1, 0, 0; setp.ne.s32 %p2, 0, 0; and.pred %p0, %p1, %p2", 0},
      {"or.pred %p0, %p1, %p2", 1},
      {"xor.pred %p0, %p1, %p1", 0},
      {"not.pred %p0, %p2", 1},
      {"mov.pred %p0, %p1", 1},
      {"shl.b32 %r0, 1, 31", 0x80000000},
      {"shl.b32 %r0, 1, 32", 0},
      {"shl.b32 %r0, 1, 0xffffffff", 0},
      {"shl.b64 %rd0, 1, 32", uint64_t{1} << 32},
      {"shl.b64 %rd0, 1, 64", 0},
      {"mov.b16 %h1, 3; shl.b16 %h0, %h1, 15", 0x8000},
      {"shl.b16 %h0, %h1, 16", 0},
      {"shr.u32 %r0, 0x80000000, 31", 1},
      {"shr.u32 %r0, 0x80000000, 32", 0},
      {"shr.s32 %r0, 0x80000000, 31", 0xffffffff},
      {"shr.s32 %r0, 0x80000000, 99", 0xffffffff},
      {"shr.b32 %r0, 0x80000000, 1", 0x40000000},
      {"shr.s64 %rd0, -8, 200", uint64_t(-1)},
      {"shr.u64 %rd0, -8, 64", 0},
      {"mov.b16 %h1, 0x8000; shr.s16 %h0, %h1, 3", 0xf000},
      {"shr.u16 %h0, %h1, 15", 1},
      {"lop3.b32 %r0, 0xf0f0, 0xcccc, 0xaaaa, 0x80", 0xf0f0 & 0xcccc & 0xaaaa},
      {"lop3.b32 %r0, 0xf0f0, 0xcccc, 0xaaaa, 0x96", (0xf0f0 ^ 0xcccc ^ 0xaaaa)},
      {"lop3.b32 %r0, 0xf0, 0xcc, 0xaa, 0xca", (0xf0 & 0xcc) | (0x0f & 0xaa)},
      {"shf.l.wrap.b32 %r0, 0x12345678, 0x9abcdef0, 8", 0xbcdef012},
      {"shf.l.wrap.b32 %r0, 0x12345678, 0x9abcdef0, 32", 0x9abcdef0},
      {"shf.l.clamp.b32 %r0, 0x12345678, 0x9abcdef0, 40", 0x12345678},
      {"shf.r.wrap.b32 %r0, 0x12345678, 0x9abcdef0, 8", 0xf0123456},
      {"shf.r.clamp.b32 %r0, 0x12345678, 0x9abcdef0, 32", 0x9abcdef0},
  });
}

TEST_CASE("ptx machine: fields of bits, counts and permutations of bytes", "[ptx-machine]") {
  check_cases({
      {"bfe.u32 %r0, 0x12345678, 8, 12", 0x456},
      {"bfe.s32 %r0, 0x12345e78, 8, 4", 0xfffffffe},
      {"bfe.s32 %r0, 0x80000000, 28, 8", 0xfffffff8},
      {"bfe.u32 %r0, 0x80000000, 28, 8", 8},
      {"bfe.s32 %r0, -1, 4, 0", 0},
      {"bfe.u32 %r0, -1, 32, 4", 0},
      {"bfe.s32 %r0, 0x80000000, 40, 4", 0xffffffff},
      {"bfe.u64 %rd0, 0x123456789abcdef0, 32, 16", 0x5678},
      {"bfe.s64 %rd0, 0x8000000000000000, 60, 4", uint64_t(-8)},
      {"bfi.b32 %r0, 0xff, 0x12345678, 8, 4", 0x12345f78},
      {"bfi.b32 %r0, 0xff, 0, 28, 8", 0xf0000000},
      {"bfi.b32 %r0, 0xff, 7, 32, 8", 7},
      {"bfi.b64 %rd0, 0xabc, 0, 40, 12", uint64_t{0xabc} << 40},
      {"bfind.u32 %r0, 0x00800000", 23},
      {"bfind.u32 %r0, 0", 0xffffffff},
      {"bfind.s32 %r0, -1", 0xffffffff},
      {"bfind.s32 %r0, -9", 3},
      {"bfind.shiftamt.u32 %r0, 0x00800000", 8},
      {"bfind.u64 %r0, 0x8000000000000000", 63},
      {"bfind.shiftamt.s64 %r0, 1", 63},
      {"clz.b32 %r0, 0", 32},
      {"clz.b32 %r0, 1", 31},
      {"clz.b64 %r0, 0", 64},
      {"popc.b32 %r0, -1", 32},
      {"popc.b64 %r0, 0xf00000000f", 8},
      {"brev.b32 %r0, 1", 0x80000000},
      {"brev.b64 %rd0, 2", uint64_t{1} << 62},
      {"prmt.b32 %r0, 0x33221100, 0x77665544, 0x7531", 0x77553311},
      {"prmt.b32 %r0, 0x332211f0, 0x77665544, 0x3a98", 0x330000ff},
      {"prmt.b32.f4e %r0, 0x33221100, 0x77665544, 1", 0x44332211},
      {"prmt.b32.b4e %r0, 0x33221100, 0x77665544, 0", 0x55667700},
      {"prmt.b32.rc8 %r0, 0x33221100, 0x77665544, 2", 0x22222222},
      {"prmt.b32.ecl %r0, 0x33221100, 0x77665544, 2", 0x33222222},
      {"prmt.b32.ecr %r0, 0x33221100, 0x77665544, 1", 0x11111100},
      {"prmt.b32.rc16 %r0, 0x33221100, 0x77665544, 1", 0x33223322},
  });
}

TEST_CASE("ptx machine: comparisons of integers, choices", "[ptx-machine]") {
  check_cases({
      {"setp.lt.s32 %p0, -1, 1", 1},
      {"setp.lt.u32 %p0, -1, 1", 0},
      {"setp.hi.u32 %p0, -1, 1", 1},
      {"setp.ls.u64 %p0, 5, 5", 1},
      {"setp.ge.s64 %p0, -5, -5", 1},
      {"setp.ne.b32 %p0, 3, 3", 0},
      {"setp.eq.b64 %p0, 3, 3", 1},
      {"mov.b16 %h1, -1; mov.b16 %h2, 1; setp.gt.s16 %p0, %h1, %h2", 0},
      {"setp.gt.u16 %p0, %h1, %h2", 1},
      {"setp.lt.s32 %p2|%p0, -1, 1", 1},
      {"setp.lt.s32 %p1|%p2, -1, 1; mov.pred %p0, %p2", 0},
      {"setp.lt.and.s32 %p0, -1, 1, !%p1", 0},
      {"setp.lt.or.s32 %p0, 1, -1, %p1", 1},
      {"setp.lt.xor.s32 %p0, -1, 1, %p1", 0},
      {"set.lt.u32.s32 %r0, -1, 1", 0xffffffff},
      {"set.gt.f32.s32 %f0, 2, 1", 0x3f800000},
      {"set.gt.and.u32.f32 %r0, 0f40000000, 0f3F800000, %p2", 0},
      {"selp.b32 %r0, 7, 8, %p1", 7},
      {"selp.f64 %fd0, 0d3FF0000000000000, 0d0000000000000000, %p2", 0},
      {"selp.u16 %h0, 1, 0, %p1", 1},
      {"slct.b32.s32 %r0, 7, 8, -1", 8},
      {"slct.u64.s32 %rd0, 7, 8, 0", 7},
      {"slct.f32.f32 %f0, 0f3F800000, 0f40000000, 0f80000000", 0x3f800000},
      {"slct.f32.f32 %f0, 0f3F800000, 0f40000000, 0f7FC00000", 0x40000000},
  });
}

TEST_CASE("ptx machine: moves of parts of registers, numbers of all forms", "[ptx-machine]") {
  check_cases({
      {"mov.b32 %r1, 0x22221111; mov.b32 {%h1, %h2}, %r1; mov.b32 %r0, {%h2, %h1}", 0x11112222},
      {"mov.b64 %rd0, {%r1, 7}", 0x722221111},
      {"mov.b64 {_, %r0}, %rd0; mov.u32 %r0, %r0", 7},
      {"mov.b64 %rd0, {%h1, %h2, %h1, %h2}", 0x2222111122221111},
      {"{ .reg .b32 low; mov.b64 {low, %r2}, %rd0; } mov.b32 %r0, %r2", 0x22221111},
      {"mov.u32 %r0, 0b101", 5},
      {"mov.u32 %r0, 017", 15},
      {"mov.u32 %r0, 12U", 12},
      {"mov.s32 %r0, -12", uint32_t(-12)},
      {"mov.f32 %f0, 0f3FC00000", 0x3fc00000},
      {"mov.f32 %f0, 1.5", 0x3fc00000},
      {"mov.f64 %fd0, -0.5", 0xbfe0000000000000},
      {"mov.f64 %fd0, 1.25e2", 0x405f400000000000},
      {"mov.b32 %r0, %f0", 0x3fc00000},
      {"mov.u32 %r0, WARP_SZ", 32},
      {"mov.u32 %r0, %ntid.x", 1},
      {"mov.u32 %r0, %lanemask_ge", 0xffffffff},
  });
}
