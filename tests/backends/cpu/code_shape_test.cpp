// The code shape of targets without vectors, compiled for the processor: every point of the kept loops is a work unit in
// scalars. It must compute the bits of the vector shape, whatever the order in which units run.

#include <cmath>
#include <cstring>
#include <map>

#include "weft/backends/codegen/codegen.h"
#include "weft/backends/codegen/host_shape.h"
#include "weft/backends/cpu/exec/code.h"
#include "weft/backends/cpu/kernel_compiler.h"
#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/passes/analysis/placement.h"
#include "weft/passes/pass.h"
#include "weft/runtime/array.h"
#include "weft/support/philox.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/programs.h"
#include "weft/tests/passes/rewrite.h"
#include "weft/tests/random/random_graph.h"

using namespace weft;

namespace {

/// Memory for the operands and results of one op.
class Buffers {
 public:
  /// `places` may be empty: then nothing shares memory, else values share it as they do in the planned program.
  Buffers(const ir::Op& op, const passes::Placement& places) : op_(op) {
    std::map<std::pair<passes::Place::Kind, int64_t>, size_t> regions;
    size_t end = 0;
    const auto add = [&](ir::Value v) {
      const auto found = places.find(v);
      if (found != places.end() && found->second.kind != passes::Place::Kind::constant) {
        const auto [at, is_new] = regions.emplace(std::pair(found->second.kind, found->second.position), end);
        offsets_.push_back(at->second);
        if (!is_new) return;
      } else {
        offsets_.push_back(end);
      }
      end += (static_cast<size_t>(v.type().bytes()) + 63) / 64 * 64;
    };
    for (ir::Value v : op.operands()) add(v);
    for (ir::Value v : op.results()) add(v);
    memory_ = Array(u8, Shape{static_cast<int64_t>(end)});
  }

  /// Results as they are after `run(pointers)` on sample operands.
  template <class Run>
  std::vector<Array> results(Run run) {
    std::memset(memory_.data(), 0, memory_.bytes());
    const size_t operands = op_.operands().size();
    for (size_t i = 0; i < operands; ++i) fill(op_.operands()[i].type(), static_cast<uint32_t>(i), memory_.data() + offsets_[i]);
    std::vector<std::byte*> pointers;
    for (const codegen::KernelBuffer& b : codegen::buffers_of(op_))
      pointers.push_back(memory_.data() + offsets_[static_cast<size_t>(b.number)] + b.offset);
    run(pointers.data());
    std::vector<Array> all;
    for (size_t i = operands; i < offsets_.size(); ++i) {
      const ir::Type type = op_.results()[i - operands].type();
      all.emplace_back(type.dtype, type.shape);
      std::memcpy(all.back().data(), memory_.data() + offsets_[i], all.back().bytes());
    }
    return all;
  }

 private:
  static void fill(const ir::Type& type, uint32_t site, std::byte* data) {
    for (int64_t e = 0; e < type.shape.numel(); ++e) {
      const double u = uniform_from_bits(random_bits(11, site, 0, static_cast<uint64_t>(e)));
      store_element(type.dtype, data, e, is_floating(type.dtype) ? 2 * u - 0.7 : std::floor(u * (type.dtype == boolean ? 2 : 8)));
    }
  }

  const ir::Op& op_;
  std::vector<size_t> offsets_;
  Array memory_;
};

bool is_nan(const Array& a, int64_t e) { return is_floating(a.dtype()) && std::isnan(a.at(e)); }

/// Any nan equals any other.
bool same_bits(const Array& a, const Array& b) {
  const size_t size = size_of(a.dtype());
  for (int64_t e = 0; e < a.shape().numel(); ++e) {
    const size_t at = static_cast<size_t>(e) * size;
    if (std::memcmp(a.data() + at, b.data() + at, size) != 0 && !(is_nan(a, e) && is_nan(b, e))) return false;
  }
  return true;
}

/// Both shapes of one op.
struct Twin {
  const ir::Op* op;
  bool is_planned;  // else it is a nest inside of a kernel
  std::string name;
  int64_t vector_units, scalar_units;
};

/// Every kernel of the program, and every nest of a kernel that runs its nests in order, for these are shared out on their
/// own on a GPU.
std::vector<Twin> emit_twins(const ir::Graph& graph, cpu::KernelCompiler& compiler) {
  const codegen::HostShape vectors(16), scalars(1);
  std::vector<Twin> twins;
  const auto add = [&](const ir::Op& op, bool is_planned) {
    const std::string name = "k" + std::to_string(twins.size());
    const int64_t v = codegen::emit_kernel(compiler.module(), vectors, op, name + "_vectors").front().units;
    const int64_t s = codegen::emit_kernel(compiler.module(), scalars, op, name + "_scalars").front().units;
    twins.push_back({&op, is_planned, name, v, s});
  };
  for (const auto& op : graph.ops()) {
    if (!op->def().is_region()) continue;
    add(*op, true);
    if (codegen::is_serial(*op))
      for (const auto& nest : op->body().ops()) add(*nest, false);
  }
  return twins;
}

/// Returns how many kernels were compared.
size_t check_shapes_agree(ir::Module module) {
  passes::run(module, passes::remaining_passes(module), cpu::target());
  cpu::KernelCompiler compiler = cpu::KernelCompiler::for_this_machine("");
  const std::vector<Twin> twins = emit_twins(module.graph(), compiler);
  const cpu::Code code(compiler.finish({}, nullptr));
  const passes::Placement places = passes::placement_of(module.graph());
  for (const Twin& twin : twins) {
    const auto vectors = code.find(twin.name + "_vectors"), scalars = code.find(twin.name + "_scalars");
    Buffers buffers(*twin.op, twin.is_planned ? places : passes::Placement());
    const auto want = buffers.results([&](std::byte* const* p) { vectors(p, 0, twin.vector_units); });
    const auto got = buffers.results([&](std::byte* const* p) {
      for (int64_t unit = twin.scalar_units - 1; unit >= 0; --unit) scalars(p, unit, unit + 1);
    });
    for (size_t i = 0; i < want.size(); ++i) {
      INFO("result " << i << " of a kernel at " << to_string(twin.op->locations()));
      CHECK(same_bits(got[i], want[i]));
    }
  }
  return twins.size();
}

}  // namespace

TEST_CASE("the scalar code shape gives the bits of the vector shape: whole programs") {
  bool is_even = true;
  for (const testing::NamedProgram& program : testing::programs())
    for (const std::string dtype : {"f32", (is_even = !is_even) ? "bf16" : "f64"}) {
      INFO(program.name << ", " << dtype);
      ir::Module module = testing::module_from(program.with(dtype));
      CHECK(check_shapes_agree(std::move(module)) > 0);
    }
}

TEST_CASE("the scalar code shape gives the bits of the vector shape: random graphs") {
  size_t kernels = 0;
  for (uint64_t seed = 0; seed < 16; ++seed) {
    INFO("seed " << seed);
    kernels += check_shapes_agree(test::random_module(seed));
  }
  CHECK(kernels > 40);
}

TEST_CASE("a unit of the scalar code shape is an element, or a result of a reduction") {
  ir::Module module = ir::parse(R"(weft 1
func @f {
  input %x: f32[70,300]
  %0 = exp(%x) : f32[70,300]
  %1 = transpose(%x) {permutation = [1,0]} : f32[300,70]
  %2 = sum(%1) {axes = [0]} : f32[70]
  output y = %0
  output s = %2
}
)");
  passes::run(module, {"isolate"}, cpu::target());
  cpu::KernelCompiler compiler = cpu::KernelCompiler::for_this_machine("");
  std::vector<int64_t> units;
  for (const Twin& twin : emit_twins(module.graph(), compiler)) units.push_back(twin.scalar_units);
  CHECK(std::find(units.begin(), units.end(), 70 * 300) != units.end());
  CHECK(std::find(units.begin(), units.end(), 70) != units.end());
}
