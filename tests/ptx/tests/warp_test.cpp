// What lanes do together: exchanges, votes, matrices.

#include <bit>
#include <cmath>

#include "weft/tests/catch.h"
#include "weft/tests/ptx/tests/kernels.h"

using namespace weft::test::ptx;

namespace {

/// Each lane computes %r0 from its number %r1, and from the square of that in %r2, and stores it.
std::string lanes(const std::string& code) {
  return kernel("mov.u32 %r1, %laneid;\nmul.lo.u32 %r2, %r1, %r1;\n" + code +
                "\nmul.wide.u32 %rd1, %r1, 4;\nadd.s64 %rd1, %rd1, %rd31;\nst.global.u32 [%rd1], %r0;");
}

template <class F>
void check_lanes(const std::string& code, F want) {
  INFO(code);
  const std::string text = lanes(code);
  for (uint64_t seed : {0, 5}) {
    const std::vector<uint32_t> got = run(text, {1}, {32}, std::vector<uint32_t>(32), seed);
    for (uint32_t lane = 0; lane < 32; ++lane) CHECK(got[lane] == static_cast<uint32_t>(want(lane)));
  }
  check_assembles({text});
}

}  // namespace

TEST_CASE("ptx machine: shuffles", "[ptx-machine]") {
  check_lanes("shfl.sync.down.b32 %r0, %r2, 3, 31, -1;", [](uint32_t n) { return n + 3 > 31 ? n * n : (n + 3) * (n + 3); });
  check_lanes("shfl.sync.up.b32 %r0, %r2, 3, 0, -1;", [](uint32_t n) { return n < 3 ? n * n : (n - 3) * (n - 3); });
  check_lanes("shfl.sync.bfly.b32 %r0, %r2, 5, 31, -1;", [](uint32_t n) { return (n ^ 5) * (n ^ 5); });
  check_lanes("shfl.sync.idx.b32 %r0, %r2, 7, 31, -1;", [](uint32_t) { return 49; });
  // segments of 8 lanes
  check_lanes("shfl.sync.idx.b32 %r0, %r1, 2, 0x181f, -1;", [](uint32_t n) { return n / 8 * 8 + 2; });
  check_lanes("shfl.sync.down.b32 %r3|%p1, %r1, 6, 0x181f, -1; selp.b32 %r0, 1, 0, %p1;", [](uint32_t n) { return n % 8 < 2; });
  check_lanes("shfl.sync.bfly.b32 %r2, %r2, 1, 31, -1; mov.b32 %r0, %r2;", [](uint32_t n) { return (n ^ 1) * (n ^ 1); });
  // half of the warp only, in a branch
  check_lanes("mov.u32 %r0, 77; setp.lt.u32 %p1, %r1, 16; @%p1 shfl.sync.bfly.b32 %r0, %r2, 1, 31, 0xffff;",
              [](uint32_t n) { return n < 16 ? (n ^ 1) * (n ^ 1) : 77; });
}

TEST_CASE("ptx machine: votes, matches and reductions of a warp", "[ptx-machine]") {
  const std::string below = "setp.lt.u32 %p1, %r1, 5; ", bit = " selp.b32 %r0, 1, 0, %p2;";
  check_lanes(below + "vote.sync.ballot.b32 %r0, %p1, -1;", [](uint32_t) { return 31; });
  check_lanes(below + "vote.sync.ballot.b32 %r0, !%p1, -1;", [](uint32_t) { return ~31u; });
  check_lanes(below + "vote.sync.any.pred %p2, %p1, -1;" + bit, [](uint32_t) { return 1; });
  check_lanes(below + "vote.sync.all.pred %p2, %p1, -1;" + bit, [](uint32_t) { return 0; });
  check_lanes(below + "vote.sync.uni.pred %p2, %p1, -1;" + bit, [](uint32_t) { return 0; });
  check_lanes("shr.u32 %r3, %r1, 3; match.any.sync.b32 %r0, %r3, -1;", [](uint32_t n) { return 255u << n / 8 * 8; });
  check_lanes("match.all.sync.b32 %r0|%p2, 4, -1;", [](uint32_t) { return ~0u; });
  check_lanes("match.all.sync.b32 %r3|%p2, %r1, -1;" + bit, [](uint32_t) { return 0; });
  check_lanes("redux.sync.add.u32 %r0, %r1, -1;", [](uint32_t) { return 496; });
  check_lanes("sub.s32 %r3, %r1, 9; redux.sync.min.s32 %r0, %r3, -1;", [](uint32_t) { return -9; });
  check_lanes("redux.sync.or.b32 %r0, %r1, -1;", [](uint32_t) { return 31; });
  check_lanes("bar.warp.sync -1; activemask.b32 %r3; shr.u32 %r3, %r3, %r1; and.b32 %r0, %r3, 1;", [](uint32_t) { return 1; });
  check_lanes(below + "bar.red.popc.u32 %r0, 0, %p1;", [](uint32_t) { return 5; });
  check_lanes(below + "bar.red.or.pred %p2, 0, !%p1;" + bit, [](uint32_t) { return 1; });
  check_lanes(below + "barrier.red.and.pred %p2, 0, !%p1;" + bit, [](uint32_t) { return 0; });
}

namespace {

/// Integers small enough for every format, so that sums are exact: a [16, k] and b [k, 8] as functions of row and column.
int element_a(int row, int k) { return (row * 5 + k * 3) % 7 - 3; }
int element_b(int k, int column) { return (k * 2 + column * 5) % 9 - 4; }
int element_c(int row, int column) { return row * 8 + column; }

enum class Of { f16, bf16, tf32 };

uint32_t bits_in(Of format, int value) {
  switch (format) {
    case Of::f16: return to_f16(value, Rounding::nearest).bits;
    case Of::bf16: return to_bf16(value, Rounding::nearest).bits;
    case Of::tf32: return std::bit_cast<uint32_t>(static_cast<float>(value)) | 0x1fff;  // bits that tf32 has not
  }
  return 0;
}

/// Memory: 128 elements of d, then a and b row by row, of b16 or b32, as `ldmatrix` does not need them: each lane loads its own.
std::string mma_kernel(Of format, int depth) {
  const std::string name = format == Of::f16 ? "f16" : format == Of::bf16 ? "bf16" : "tf32";
  const bool halves = format != Of::tf32;
  const int size = halves ? 2 : 4, step = halves ? 2 : 1, far = halves ? 8 : 4;
  std::string code = "mov.u32 %r1, %laneid; shr.u32 %r2, %r1, 2; and.b32 %r3, %r1, 3;\n";
  const auto load = [&](int to, const std::string& row, int row_plus, const std::string& column, int column_plus, int width, int base) {
    code += "add.u32 %r4, " + row + ", " + std::to_string(row_plus) + "; mad.lo.u32 %r4, %r4, " + std::to_string(width) + ", " + column +
            "; add.u32 %r4, %r4, " + std::to_string(column_plus) + "; mul.wide.u32 %rd1, %r4, " + std::to_string(size) +
            "; add.s64 %rd1, %rd1, %rd31; ld.global.b" + std::to_string(8 * size) + " " + (halves ? "%h" : "%r") + std::to_string(to) +
            ", [%rd1+" + std::to_string(base) + "];\n";
  };
  const int base_a = 512, base_b = 512 + 16 * depth * size;
  std::string a, b;
  code += "mul.lo.u32 %r5, %r3, " + std::to_string(step) + ";\n";
  const int count_a = 16 * depth / 32 / (halves ? 2 : 1), count_b = 8 * depth / 32 / (halves ? 2 : 1);
  for (int r = 0; r < count_a; ++r) {
    for (int half = 0; half < step; ++half)
      load(half ? 2 : halves ? 1 : 10 + r, "%r2", r % 2 * 8, "%r5", half + r / 2 * far, depth, base_a);
    if (halves) code += "mov.b32 %r" + std::to_string(10 + r) + ", {%h1, %h2};\n";
    a += (r ? ", %r" : "%r") + std::to_string(10 + r);
  }
  for (int r = 0; r < count_b; ++r) {
    for (int half = 0; half < step; ++half) load(half ? 2 : halves ? 1 : 20 + r, "%r5", half + r * far, "%r2", 0, 8, base_b);
    if (halves) code += "mov.b32 %r" + std::to_string(20 + r) + ", {%h1, %h2};\n";
    b += (r ? ", %r" : "%r") + std::to_string(20 + r);
  }
  code +=
      "mul.lo.u32 %r6, %r2, 8; mad.lo.u32 %r6, %r3, 2, %r6; mul.wide.u32 %rd2, %r6, 4; add.s64 %rd2, %rd2, %rd31;\n"
      "ld.global.v2.f32 {%f0, %f1}, [%rd2]; ld.global.v2.f32 {%f2, %f3}, [%rd2+256];\n"
      "mma.sync.aligned.m16n8k" +
      std::to_string(depth) + ".row.col.f32." + name + "." + name + ".f32 {%f4, %f5, %f6, %f7}, {" + a + "}, {" + b +
      "}, {%f0, %f1, %f2, %f3};\nst.global.v2.f32 [%rd2], {%f4, %f5}; st.global.v2.f32 [%rd2+256], {%f6, %f7};";
  return kernel(code);
}

std::vector<uint32_t> mma_memory(Of format, int depth) {
  std::vector<uint32_t> words;
  for (int row = 0; row < 16; ++row)
    for (int column = 0; column < 8; ++column) words.push_back(std::bit_cast<uint32_t>(static_cast<float>(element_c(row, column))));
  std::vector<uint32_t> elements;
  for (int row = 0; row < 16; ++row)
    for (int k = 0; k < depth; ++k) elements.push_back(bits_in(format, element_a(row, k)));
  for (int k = 0; k < depth; ++k)
    for (int column = 0; column < 8; ++column) elements.push_back(bits_in(format, element_b(k, column)));
  if (format == Of::tf32) words.insert(words.end(), elements.begin(), elements.end());
  else
    for (size_t i = 0; i < elements.size(); i += 2) words.push_back(elements[i] | elements[i + 1] << 16);
  return words;
}

}  // namespace

TEST_CASE("ptx machine: products of matrices", "[ptx-machine]") {
  std::vector<std::string> texts;
  for (const auto& [format, depth] : {std::pair(Of::bf16, 16), {Of::f16, 16}, {Of::bf16, 8}, {Of::f16, 8}, {Of::tf32, 8}}) {
    texts.push_back(mma_kernel(format, depth));
    const std::vector<uint32_t> got = run(texts.back(), {1}, {32}, mma_memory(format, depth));
    for (int row = 0; row < 16; ++row)
      for (int column = 0; column < 8; ++column) {
        int sum = element_c(row, column);
        for (int k = 0; k < depth; ++k) sum += element_a(row, k) * element_b(k, column);
        CHECK(std::bit_cast<float>(got[static_cast<size_t>(row * 8 + column)]) == static_cast<float>(sum));
      }
  }
  check_assembles(texts);
}

TEST_CASE("ptx machine: matrices from shared memory", "[ptx-machine]") {
  std::vector<std::string> texts;
  for (const bool transposed : {false, true})
    for (const uint32_t count : {1u, 2u, 4u}) {
      std::string registers;
      for (uint32_t m = 0; m < count; ++m) registers += (m ? ", %r" : "%r") + std::to_string(10 + m);
      // Row n of all matrices stands at 16 n and holds 8 n to 8 n + 7.
      std::string code =
          ".shared .align 16 .b8 tile[512];\nmov.u32 %r1, %laneid; mov.u32 %r2, tile; mad.lo.u32 %r2, %r1, 16, %r2;\n"
          "mul.lo.u32 %r3, %r1, 0x80008; add.u32 %r3, %r3, 0x10000;\n";
      for (int pair = 0; pair < 4; ++pair)
        code += "add.u32 %r4, %r3, " + std::to_string(pair * 0x20002) + "; st.shared.b32 [%r2+" + std::to_string(4 * pair) + "], %r4;\n";
      code += "bar.warp.sync -1;\nldmatrix.sync.aligned.m8n8.x" + std::to_string(count) + (transposed ? ".trans" : "") + ".shared.b16 {" +
              registers + "}, [%r2];\nmul.wide.u32 %rd1, %r1, 16; add.s64 %rd1, %rd1, %rd31;\n";
      for (uint32_t m = 0; m < count; ++m)
        code += "st.global.b32 [%rd1+" + std::to_string(4 * m) + "], %r" + std::to_string(10 + m) + ";\n";
      texts.push_back(kernel(code));
      const std::vector<uint32_t> got = run(texts.back(), {1}, {32}, std::vector<uint32_t>(128));
      for (uint32_t lane = 0; lane < 32; ++lane)
        for (uint32_t m = 0; m < count; ++m) {
          const uint32_t major = lane / 4, minor = lane % 4 * 2;
          const uint32_t low = transposed ? 64 * m + 8 * minor + major : 64 * m + 8 * major + minor;
          CHECK(got[4 * lane + m] == (low | (low + (transposed ? 8 : 1)) << 16));
        }
    }
  check_assembles(texts);
}
