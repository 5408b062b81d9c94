// Kernels that go by index: the bits of the CPU's calls.

#include <cmath>

#include "weft/backends/cpu/cpu.h"
#include "weft/ir/op_def.h"
#include "weft/passes/pass.h"
#include "weft/runtime/array.h"
#include "weft/support/philox.h"
#include "weft/tests/backends/cuda/heavy_run.h"
#include "weft/tests/backends/cuda/ptxas.h"
#include "weft/tests/catch.h"
#include "weft/tests/ptx/machine.h"

using namespace weft;
using reference::Tensor;
using testing::Sample;
using Bytes = std::vector<std::byte>;

namespace {

Bytes on_cpu(const Sample& sample, const std::vector<Tensor>& operands) {
  ir::Module module = testing::module_of(sample);
  passes::run(module, passes::pipeline("compile"), cpu::target());
  const auto program = cpu::compile(module);
  std::vector<Array> memory;
  std::vector<std::byte*> pointers;
  for (const Tensor& t : operands) {
    memory.emplace_back(t.type.dtype, t.type.shape);
    reference::to_memory(t, memory.back().data());
  }
  for (Array& a : memory) pointers.push_back(a.data());
  program->run(pointers);
  const std::byte* result = program->output(0);
  return {result, result + module.graph().outputs()[0].value.type().bytes()};
}

int index_operand(const Sample& sample) { return sample.op == "coalesce" ? 0 : 1; }

/// With indices from `low` to `high`, and numbers of any size, of f16 such that their sums are finite.
std::vector<Tensor> operands_of(const Sample& sample, int64_t low, int64_t high) {
  std::vector<Tensor> all = testing::values_of(sample);
  const auto uniform = [](uint32_t site, size_t e) { return uniform_from_bits(random_bits(3, site, 0, e)); };
  std::vector<int64_t>& index = all[static_cast<size_t>(index_operand(sample))].integer;
  for (size_t e = 0; e < index.size(); ++e)
    index[e] = low + static_cast<int64_t>(std::floor(uniform(0, e) * static_cast<double>(high - low + 1)));
  for (size_t i = 0; i < all.size(); ++i)
    for (size_t e = 0; e < all[i].real.size(); ++e)
      all[i].real[e] =
          (uniform(static_cast<uint32_t>(i + 1), e) - 0.5) * std::ldexp(1.0, static_cast<int>(e % 7) * (all[i].type.dtype == f16 ? 2 : 3));
  std::vector<Tensor> rounded;
  for (const Tensor& t : all) rounded.push_back(reference::from_memory(t.type, test::memory_of(t).data()));
  return rounded;
}

void check_bits(const Sample& sample, int64_t low, int64_t high) {
  INFO(testing::to_string(sample) << " with indices from " << low << " to " << high);
  const test::HeavyRun run(sample);
  const std::vector<Tensor> operands = operands_of(sample, low, high);
  const Bytes want = on_cpu(sample, operands);
  CHECK(run.bytes(operands) == want);
  CHECK(run.bytes(operands, {.seed = 9}) == want);
  if (run.op().def().in_place >= 0) CHECK(run.bytes(operands, {.seed = 4, .in_place = true}) == want);
}

Sample gather(DType t, Shape x, Shape index, int64_t axis = 0) { return {"gather", {{t, x}, {i64, index}}, {{"axis", axis}}}; }

Sample coalesce(DType t, int64_t count, Dims inner = {}) {
  inner.insert(inner.begin(), count);
  return {"coalesce", {{i64, {count}}, {t, Shape(inner)}}};
}

/// x is [4, extent, width], along axis 1.
Sample scatter_add(DType t, int64_t extent, int64_t count, int64_t width) {
  return {"scatter_add", {{t, {2, extent, width}}, {i64, {count}}, {t, {2, count, width}}}, {{"axis", int64_t{1}}}};
}

Sample scatter_rows(DType t, int64_t extent, int64_t count, int64_t width) {
  return {"scatter_rows", {{t, {extent, width}}, {i64, {count}}, {t, {count, width}}}};
}

}  // namespace

TEST_CASE("index kernels: gather", "[cuda][ptx-machine]") {
  for (const DType t : {f32, f64, f16, bf16, i64, i32, i16, i8, u32, u16, u8, boolean}) {
    check_bits(gather(t, {5, 3}, {40}), -3, 8);
    check_bits(gather(t, {2, 7, 16}, {3, 5}, 1), 0, 6);
  }
  check_bits(gather(f32, {3, 4, 5}, {}, 2), 4, 4);
  check_bits(gather(f32, {0, 4}, {3}), 0, 0);
  check_bits(gather(f32, {3, 4}, {0}), 0, 0);
  check_bits(gather(bf16, {1, 1}, {1}), 0, 0);
}

TEST_CASE("index kernels: scatter_add adds in the CPU's order", "[cuda][ptx-machine]") {
  for (const DType t : {f32, f64, f16, bf16, i64, i32, i16, i8, u32, u16, u8}) {
    check_bits(scatter_add(t, 5, 300, 3), -1, 5);
    check_bits(scatter_add(t, 40, 20, 1), 0, 39);
  }
  for (const int64_t count : {1, 15, 16, 17, 32, 255, 256, 257, 513}) check_bits(scatter_add(f32, 2, count, 2), 0, 0);
  check_bits(scatter_add(f32, 3, 0, 2), 0, 0);
  check_bits(scatter_add(f32, 3, 9, 0), 0, 2);
  check_bits(scatter_add(f32, 3, 9, 4), 3, 7);  // all outside
}

TEST_CASE("index kernels: coalesce adds in the CPU's order", "[cuda][ptx-machine]") {
  for (const DType t : {f32, f64, f16, bf16, i64, i32, i16, i8, u32, u16, u8}) {
    check_bits(coalesce(t, 300, {2, 2}), -2, 3);
    check_bits(coalesce(t, 40, {3}), -1000, 1000);
  }
  for (const int64_t count : {1, 2, 16, 17, 18, 257, 258}) check_bits(coalesce(f32, count), 7, 7);
  check_bits(coalesce(f32, 0, {3}), 0, 0);
  check_bits(coalesce(f32, 5, {0}), 0, 2);
}

TEST_CASE("index kernels: in scatter_rows the last of an index stands", "[cuda][ptx-machine]") {
  for (const DType t : {f32, f64, f16, bf16, i64, i32, i16, i8, u32, u16, u8, boolean}) check_bits(scatter_rows(t, 9, 100, 5), -2, 10);
  check_bits(scatter_rows(f32, 3, 70, 300), 0, 2);
  check_bits(scatter_rows(u8, 4, 33, 1), 0, 3);
  check_bits(scatter_rows(f32, 4, 0, 2), 0, 3);
  check_bits(scatter_rows(f32, 4, 3, 0), 0, 3);
}

TEST_CASE("index kernels: nan and -0 stay what they are where nothing is added", "[cuda][ptx-machine]") {
  const Sample sample = coalesce(f32, 3);
  std::vector<Tensor> operands = testing::values_of(sample);
  operands[0].integer = {4, 5, 4};
  operands[1].real = {NAN, -0.0, 1};
  const Tensor got = test::HeavyRun(sample).result(operands);
  CHECK(std::isnan(got.real[0]));
  CHECK(std::isnan(got.real[2]));
  CHECK((got.real[1] == 0 && std::signbit(got.real[1])));
}

TEST_CASE("index kernels: the machine notices what is wrong in them", "[cuda][ptx-machine]") {
  const Sample sample = coalesce(f32, 300);
  const test::HeavyRun run(sample);
  const std::vector<Tensor> operands = operands_of(sample, 0, 5);
  CHECK(run.fault_with("bar.sync", "bar.sync", operands) == "");
  CHECK_THAT(run.fault_with("bar.sync", "// bar.sync", operands), contains_text("nobody has written it"));
  CHECK_THAT(run.fault_with(", 299;", ", 999;", operands), contains_text("bounds") || contains_text("race"));  // places that there are not
}

TEST_CASE("index kernels: ptxas keeps all in registers", "[cuda]") {
  if (const std::string why = test::why_no_ptxas(12.0); !why.empty()) {
    WARN("skipped: " << why);
    return;
  }
  for (const std::string arch : {"sm_80", "sm_90"}) {
    std::vector<std::string> texts;
    for (const DType t : {f32, f64, f16, bf16, i64, i32, i16, i8, u32, u16, u8})
      for (const Sample& sample :
           {gather(t, {3, 100, 5}, {70}, 1), scatter_add(t, 50000, 5000, 64), coalesce(t, 100000, {64}), scatter_rows(t, 50000, 5000, 64)})
        texts.push_back(test::HeavyRun(sample, arch).text);
    CHECK(test::on_stack(texts, arch) == "");
  }
}
