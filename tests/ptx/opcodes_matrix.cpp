// mma.sync and ldmatrix.
//
// PTX does not say in which order and how precisely a product of matrices adds. Here the exact products are added in f64, from k = 0 on,
// to c, and the sum is rounded once; who compares with the hardware must allow for the difference.

#include <array>

#include "weft/tests/ptx/block.h"
#include "weft/tests/ptx/handlers.h"

namespace weft::test::ptx {
namespace {

void run_wait(Thread& t, const Instruction&) { t.stop(Thread::State::at_warp); }

constexpr int rows = 16, columns = 8;

/// Registers of d, a, b, c, one after the other in `more`; d and c have four. An element of k = 16 or 8 halves, or 8 of tf32.
struct Shape {
  int depth, a_registers, b_registers;
};

struct Element {
  int row, column;
};

/// Where the halves of register r of a lane lie in a; `half` is 0 for the low one.
Element of_halves_a(uint32_t lane, int r, int half) {
  const auto group = static_cast<int>(lane / 4), in_group = static_cast<int>(lane % 4);
  return {group + (r % 2) * 8, in_group * 2 + half + r / 2 * 8};
}
Element of_halves_b(uint32_t lane, int r, int half) { return {static_cast<int>(lane % 4) * 2 + half + r * 8, static_cast<int>(lane / 4)}; }
Element of_tf32_a(uint32_t lane, int r) { return {static_cast<int>(lane / 4) + (r % 2) * 8, static_cast<int>(lane % 4) + r / 2 * 4}; }
Element of_tf32_b(uint32_t lane, int r) { return {static_cast<int>(lane % 4) + r * 4, static_cast<int>(lane / 4)}; }
Element of_sums(uint32_t lane, int r) { return {static_cast<int>(lane / 4) + r / 2 * 8, static_cast<int>(lane % 4) * 2 + r % 2}; }

/// The bits that tf32 has not are left out.
double value_of(uint32_t tf32) { return from_bits<float>(tf32 & 0xffffe000); }

template <class T>
struct Operands {
  double a[rows][16] = {}, b[16][columns] = {};

  void read(const Group& group, const Instruction& i, const Shape& shape) {
    group.each([&](uint32_t lane, Thread& t) {
      for (int r = 0; r < shape.a_registers; ++r) put(t.get<uint32_t>(i.more[static_cast<size_t>(4 + r)]), true, lane, r);
      for (int r = 0; r < shape.b_registers; ++r)
        put(t.get<uint32_t>(i.more[static_cast<size_t>(4 + shape.a_registers + r)]), false, lane, r);
    });
  }

 private:
  void put(Element at, bool is_a, double value) { (is_a ? a[at.row][at.column] : b[at.row][at.column]) = value; }

  void put(uint32_t bits, bool is_a, uint32_t lane, int r) {
    if constexpr (is_half<T>) {
      for (int half = 0; half < 2; ++half)
        put(is_a ? of_halves_a(lane, r, half) : of_halves_b(lane, r, half), is_a, to_double(T{static_cast<uint16_t>(bits >> (16 * half))}));
    } else {
      put(is_a ? of_tf32_a(lane, r) : of_tf32_b(lane, r), is_a, value_of(bits));
    }
  }
};

template <class T, int depth, int a_registers, int b_registers>
void multiply_matrices(const Group& group, const Instruction& i) {
  Operands<T> of;
  of.read(group, i, {depth, a_registers, b_registers});
  group.each([&](uint32_t lane, Thread& t) {
    for (int r = 0; r < 4; ++r) {
      const Element at = of_sums(lane, r);
      double sum = t.get<float>(i.more[static_cast<size_t>(4 + a_registers + b_registers + r)]);
      for (int k = 0; k < depth; ++k) sum += of.a[at.row][k] * of.b[k][at.column];
      t.set<float>(i.more[static_cast<size_t>(r)], static_cast<float>(sum));
    }
  });
}

void add_vector(Decoding& d, size_t number, size_t count, Type type) {
  const Operand& vector = d.operand(number);
  if (vector.kind != Operand::Kind::vector || vector.parts.size() != count)
    d.refuse("a vector of " + std::to_string(count) + " registers is missing");
  for (const Operand& p : vector.parts) d.out.more.push_back(number == 0 ? d.destination(p, type) : d.source(p, type));
}

void decode_mma(Decoding& d) {
  if (!d.take("sync") || !d.take("aligned")) d.refuse("mma is .sync.aligned");
  const int shape = d.take_one_of({"m16n8k16", "m16n8k8"});
  if (shape < 0 || !d.take("row") || !d.take("col") || !d.take("f32")) d.refuse("mma is m16n8k16 or m16n8k8, row and col, and adds in f32");
  const int element = d.take_one_of({"bf16", "f16", "tf32"});
  if (element < 0 || d.take_one_of({"bf16", "f16", "tf32"}) != element || !d.take("f32")) d.refuse("mma multiplies bf16, f16 or tf32");
  static constexpr RunTogether runs[2][3] = {
      {multiply_matrices<BF16, 16, 4, 2>, multiply_matrices<F16, 16, 4, 2>, nullptr},
      {multiply_matrices<BF16, 8, 2, 1>, multiply_matrices<F16, 8, 2, 1>, multiply_matrices<float, 8, 4, 2>}};
  d.out.together = runs[shape][element];
  if (!d.out.together) d.refuse("tf32 has the shape m16n8k8");
  const bool is_small = shape == 1 && element != 2;
  add_vector(d, 0, 4, Type::f32);
  add_vector(d, 1, is_small ? 2 : 4, Type::b32);
  add_vector(d, 2, is_small ? 1 : 2, Type::b32);
  add_vector(d, 3, 4, Type::f32);
  d.out.run = run_wait;
}

/// Lanes 8m to 8m + 7 give the addresses of the rows of matrix m; each lane gets two neighbours of each matrix.
template <bool transposed>
void load_matrices(const Group& group, const Instruction& i) {
  const size_t matrices = i.more.size();
  std::array<std::array<uint16_t, 8>, 32> read{};
  for (uint32_t lane = 0; lane < 8 * matrices; ++lane) {
    Thread& t = group.lane(lane);
    const uint64_t address = t.get<uint64_t>(i.a) + static_cast<uint64_t>(i.number);
    std::memcpy(read[lane].data(), t.access(i.space, address, 16, Use::read, i.hint), 16);
  }
  group.each([&](uint32_t lane, Thread& t) {
    for (size_t m = 0; m < matrices; ++m) {
      const auto element = [&](uint32_t row, uint32_t column) { return uint32_t{read[8 * m + row][column]}; };
      const uint32_t major = lane / 4, minor = lane % 4 * 2;
      const uint32_t low = transposed ? element(minor, major) : element(major, minor);
      const uint32_t high = transposed ? element(minor + 1, major) : element(major, minor + 1);
      t.set<uint32_t>(i.more[m], low | high << 16);
    }
  });
}

void decode_ldmatrix(Decoding& d) {
  if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8")) d.refuse("ldmatrix is .sync.aligned.m8n8");
  const int count = d.take_one_of({"x1", "x2", "x4"});
  if (count < 0) d.refuse("the number of matrices is missing");
  d.out.together = d.take("trans") ? load_matrices<true> : load_matrices<false>;
  if (d.take("shared") || d.take("shared::cta")) d.out.space = Space::shared;
  if (!d.take("b16")) d.refuse("ldmatrix is of .b16");
  add_vector(d, 0, size_t{1} << count, Type::b32);
  d.address(1);
  d.out.run = run_wait;
}

}  // namespace

void add_matrix_opcodes(Opcodes& opcodes) {
  opcodes["mma"] = decode_mma;
  opcodes["ldmatrix"] = decode_ldmatrix;
}

}  // namespace weft::test::ptx
