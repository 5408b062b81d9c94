// Products and convolutions of bf16: parts that are the same parts of the whole, however the operands lie, and what runs them.

#include <array>
#include <cmath>

#include "weft/backends/cpu/cpu.h"
#include "weft/backends/cpu/exec/convolution.h"
#include "weft/backends/cpu/exec/matmul.h"
#include "weft/backends/cpu/exec/slices.h"
#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/runtime/array.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

Array filled(int64_t count, int64_t seed) {
  Array a(bf16, {count});
  for (int64_t i = 0; i < count; ++i) a.set(i, static_cast<double>((i * 37 + seed * 11) % 17 - 8) / 8);  // exact
  return a;
}

/// What the task gives; the planned scratch memory, or its own.
Array product(const cpu::MatmulSpec& s, Array& a, Array& b, Array& further, bool planned) {
  const int64_t bytes = planned ? cpu::matmul_answer(s).scratch_bytes : 0;
  const auto task = cpu::make_matmul(s, bytes);
  Array result(bf16, {s.batch * s.m * s.n}), scratch(u8, {bytes});
  task->buffers = {a.data(), b.data()};
  if (s.bias || s.addend) task->buffers.push_back(further.data());
  task->buffers.push_back(result.data());
  if (bytes > 0) task->buffers.push_back(scratch.data());
  task->rebound();
  REQUIRE(task->run(0, s.slices) == 0);
  return result;
}

double expected(const cpu::MatmulSpec& s, const Array& a, const Array& b, const Array& further, int64_t i) {
  const int64_t batch = i / (s.m * s.n), row = i / s.n % s.m, column = i % s.n;
  double sum = s.bias ? further.at(column) : s.addend ? further.at(i) : 0;
  for (int64_t k = 0; k < s.k; ++k)
    sum += a.at(batch * s.m * s.k + (s.transpose_a ? k * s.m + row : row * s.k + k)) *
           b.at(batch * s.k * s.n + (s.transpose_b ? column * s.k + k : k * s.n + column));
  return sum;
}

}  // namespace

TEST_CASE("library: a product of bf16 in parts is the whole one, with a transposed operand too", "[library]") {
  if (!cpu::supports_matmul(bf16)) return;
  for (const auto& [batch, m, n, k] : {std::array<int64_t, 4>{1, 96, 48, 40}, {1, 40, 160, 24}, {1, 64, 64, 7}, {3, 32, 16, 8}})
    for (const int64_t slices : {1, 2, 3})
      for (int bits = 0; bits < 16; ++bits) {
        cpu::MatmulSpec s;
        s.batch = batch, s.m = m, s.n = n, s.k = k, s.dtype = bf16, s.slices = slices;
        s.transpose_a = bits & 1, s.transpose_b = bits & 2;
        s.bias = (bits & 12) == 4, s.addend = (bits & 12) == 8;
        if ((bits & 12) == 12 || static_cast<int64_t>(cpu::slices_of(s).size()) != slices) continue;
        INFO(batch << " of " << m << "x" << n << "x" << k << " in " << slices << ", " << bits);
        Array a = filled(batch * m * k, 1), b = filled(batch * k * n, 2), further = filled(s.bias ? n : batch * m * n, 3);
        for (const bool planned : {false, true}) {
          const Array got = product(s, a, b, further, planned);
          double worst = 0;
          for (int64_t i = 0; i < got.shape().numel(); ++i) {
            const double want = expected(s, a, b, further, i);
            worst = std::max(worst, std::abs(got.at(i) - want) - std::abs(want) / 256);
          }
          CHECK(worst <= 1e-3);
        }
      }
}

TEST_CASE("library: a convolution of bf16 is run by kernels for it, or in f32", "[library]") {
  int low = 0;
  for (const int channels : {1, 3, 16, 32})
    for (const std::string op : {"convolution", "convolution_data", "convolution_weight"}) {
      const std::string c = std::to_string(channels), picture = "bf16[16," + c + ",16,16]", kernel = "bf16[32," + c + ",3,3]",
                        result = "bf16[16,32,16,16]", around = "low = [1,1], high = [1,1]";
      const std::string text =
          op == "convolution" ? "%a: " + picture + "\ninput %b: " + kernel + "\n%0 = convolution(%a, %b) {" + around + "} : " + result
          : op == "convolution_data" ? "%a: " + result + "\ninput %b: " + kernel + "\n%0 = convolution_data(%a, %b) {extents = [16,16], " +
                                           around + "} : " + picture
                                     : "%a: " + picture + "\ninput %b: " + result + "\n%0 = convolution_weight(%a, %b) {extents = [3,3], " +
                                           around + "} : " + kernel;
      ir::Module module = ir::parse("weft 1\nfunc @f {\ninput " + text + "\noutput y = %0\n}\n");
      passes::run(module, passes::pipeline("compile"), cpu::target());
      for (const ir::Op* call : module.graph().ops()) {
        if (!call->def().contracts()) continue;
        const std::string name = cpu::target().implementation(*call).name;
        INFO(text << "\n" << name);
        if (call->operand(0).dtype() != bf16) continue;
        ++low;
        CHECK(name.find("gemm") == std::string::npos);
        CHECK(name.find("ref") == std::string::npos);
      }
    }
  CHECK((low > 0) == cpu::supports_convolution(bf16));
}
