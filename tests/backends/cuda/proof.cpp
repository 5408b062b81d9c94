#include "weft/tests/backends/cuda/proof.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <span>

#include "weft/backends/codegen/codegen.h"
#include "weft/backends/codegen/host_shape.h"
#include "weft/backends/cpu/exec/code.h"
#include "weft/backends/cpu/kernel_compiler.h"
#include "weft/ir/op_def.h"
#include "weft/passes/analysis/placement.h"
#include "weft/runtime/array.h"
#include "weft/support/philox.h"
#include "weft/tests/catch.h"
#include "weft/tests/ptx/machine.h"

namespace weft::test {
namespace {

using Bytes = std::vector<std::byte>;

enum class Numbers { ordinary, extreme };

/// One in four is one of those on which functions turn.
double number(DType dtype, double u, uint64_t element, Numbers numbers) {
  if (!is_floating(dtype)) return std::floor(u * (dtype == boolean ? 2 : 8));
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  static constexpr double turns[] = {0,         -0.0,      1,       -1,       infinity, -infinity, std::numeric_limits<double>::quiet_NaN(),
                                     0x1p-149,  -0x1p-130, 0x1p127, -0x1p100, 0.5,      88.75,     -104.0,
                                     0x1p-1074, 709.5};
  if (numbers == Numbers::extreme && element % 4 == 0) return turns[static_cast<size_t>(u * 16)];
  return 2 * u - 0.7;
}

Bytes sample(const ir::Type& type, uint32_t site, Numbers numbers) {
  Bytes bytes(static_cast<size_t>(type.bytes()));
  for (int64_t e = 0; e < type.shape.numel(); ++e) {
    const auto element = static_cast<uint64_t>(e);
    store_element(type.dtype, bytes.data(), e, number(type.dtype, uniform_from_bits(random_bits(11, site, 0, element)), element, numbers));
  }
  return bytes;
}

/// Memory that an op's operands and results share as the plan says: one part for each place.
class Parts {
 public:
  Parts(const ir::Op& op, const passes::Placement& places, Numbers numbers) : op_(op) {
    std::map<std::pair<passes::Place::Kind, int64_t>, size_t> known;
    const auto part_of = [&](ir::Value v) {
      const auto place = places.find(v);
      const bool is_shared = place != places.end() && place->second.kind != passes::Place::Kind::constant;
      const auto [at, is_new] =
          is_shared ? known.emplace(std::pair(place->second.kind, place->second.position), all.size()) : std::pair(known.end(), true);
      const size_t part = is_shared ? at->second : all.size();
      if (is_new) all.emplace_back();
      all[part].bytes = std::max(all[part].bytes, static_cast<size_t>(v.type().bytes()));
      part_of_.push_back(part);
      return part;
    };
    for (ir::Value v : op.operands()) {
      Part& part = all[part_of(v)];
      if (part.is_operand) continue;  // an operand that the op takes twice
      part.is_operand = true;
      part.initial = sample(v.type(), static_cast<uint32_t>(part_of_.size()), numbers);
    }
    for (ir::Value v : op.results()) all[part_of(v)].is_result = true;
  }

  struct Part {
    size_t bytes = 0;
    bool is_operand = false, is_result = false;
    Bytes initial = {};
  };
  std::vector<Part> all;

  /// The kernel's table, where `start` says where each part lies.
  template <class Address, class Start>
  std::vector<Address> table(Start start) const {
    std::vector<Address> pointers;
    for (const codegen::KernelBuffer& b : codegen::buffers_of(op_))
      pointers.push_back(start(part_of_[static_cast<size_t>(b.number)]) + b.offset);
    return pointers;
  }

  size_t part_of_result(size_t number) const { return part_of_[op_.operands().size() + number]; }

 private:
  const ir::Op& op_;
  std::vector<size_t> part_of_;  // of operands, then results
};

using Function = void (*)(std::byte* const* buffers, int64_t begin, int64_t end);

std::vector<Bytes> on_processor(const Parts& parts, Function function, int64_t units) {
  std::vector<Array> memory;  // aligned as weft's buffers are
  for (const Parts::Part& part : parts.all) {
    memory.emplace_back(u8, Shape{static_cast<int64_t>(part.bytes)});
    std::copy(part.initial.begin(), part.initial.end(), memory.back().data());
  }
  const auto table = parts.table<std::byte*>([&](size_t part) { return memory[part].data(); });
  function(table.data(), 0, units);
  std::vector<Bytes> all;
  for (const Array& a : memory) all.emplace_back(a.data(), a.data() + a.bytes());
  return all;
}

std::vector<Bytes> on_machine(const Parts& parts, ptx::Machine& machine, const cuda::PtxKernel& kernel, uint64_t seed, Proof& proof) {
  std::vector<uint64_t> addresses;
  for (size_t i = 0; i < parts.all.size(); ++i) {
    const Parts::Part& part = parts.all[i];
    const std::string name = "buffer " + std::to_string(i);
    if (!part.is_operand) addresses.push_back(machine.memory().allocate(name, part.bytes));
    else if (!part.is_result) addresses.push_back(machine.memory().allocate(name, part.initial, ptx::Access::read_only));
    else {
      addresses.push_back(machine.memory().allocate(name, part.bytes));
      machine.memory().write(addresses.back(), part.initial);
    }
  }
  const std::vector<uint64_t> table = parts.table<uint64_t>([&](size_t part) { return addresses[part]; });
  const auto params = std::as_bytes(std::span(table));
  for (const cuda::KernelLaunch& l : kernel.launches) {
    INFO(l.name << " <<<" << l.blocks << ", " << l.threads << ">>>, seed " << seed);
    proof.instructions += machine.launch(
        {.kernel = l.name, .blocks = {l.blocks}, .threads = {l.threads}, .params = {params.begin(), params.end()}, .seed = seed});
    ++proof.launches;
  }
  std::vector<Bytes> all;
  for (uint64_t address : addresses) {
    const ptx::Region& region = machine.memory().at(address);
    all.emplace_back(region.contents().begin(), region.contents().end());
    // What a kernel leaves out would be equal by chance where it ought to be 0.
    for (uint64_t byte = 0; byte < region.bytes(); ++byte)
      if (!region.is_written(byte)) FAIL("byte " << byte << " of " << region.name() << " is left unwritten");
    machine.memory().free(address);
  }
  return all;
}

/// The first element that differs, or -1.
int64_t first_difference(const ir::Type& type, const Bytes& got, const Bytes& want) {
  const size_t size = size_of(type.dtype);
  for (int64_t e = 0; e < type.shape.numel(); ++e) {
    const size_t at = static_cast<size_t>(e) * size;
    if (std::memcmp(got.data() + at, want.data() + at, size) == 0) continue;
    const double x = load_element(type.dtype, got.data(), e), y = load_element(type.dtype, want.data(), e);
    if (!(is_floating(type.dtype) && std::isnan(x) && std::isnan(y))) return e;
  }
  return -1;
}

void prove_kernel(const ir::Op& op, const cuda::PtxKernel& kernel, int64_t units, Function function, const passes::Placement& places,
                  ptx::Machine& machine, Proof& proof) {
  for (const Numbers numbers : {Numbers::ordinary, Numbers::extreme}) {
    const Parts parts(op, places, numbers);
    const std::vector<Bytes> want = on_processor(parts, function, units);
    INFO(kernel.name << " at " << kernel.source_lines);
    std::vector<Bytes> got;
    REQUIRE_NOTHROW(got = on_machine(parts, machine, kernel, numbers == Numbers::ordinary ? 0 : 7, proof));
    for (size_t i = 0; i < op.results().size(); ++i) {
      const size_t part = parts.part_of_result(i);
      const int64_t e = first_difference(op.results()[i].type(), got[part], want[part]);
      INFO("result " << i << " of type " << ir::to_string(op.results()[i].type()) << ", element " << e);
      CHECK(e == -1);
    }
  }
  ++proof.kernels;
}

}  // namespace

Proof& Proof::operator+=(const Proof& other) {
  kernels += other.kernels, launches += other.launches, instructions += other.instructions;
  return *this;
}

Proof prove(const ir::Module& planned, const cuda::Ptx& ptx) {
  cpu::KernelCompiler compiler = cpu::KernelCompiler::for_this_machine("");
  const codegen::HostShape vectors;
  codegen::Kernels kernels(compiler.module(), vectors);
  for (const auto& op : planned.graph().ops())
    if (op->def().is_region()) kernels.of(*op);
  REQUIRE(kernels.all().size() == ptx.kernels.size());  // both share kernels by what they compute
  const cpu::Code code(compiler.finish({}, nullptr));
  const passes::Placement places = passes::placement_of(planned.graph());
  ptx::Machine machine(ptx.text);
  Proof proof;
  for (size_t i = 0; i < kernels.all().size(); ++i) {
    const codegen::Kernel& kernel = kernels.all()[i];
    REQUIRE(kernel.name == ptx.kernels[i].name);
    prove_kernel(*kernel.op, ptx.kernels[i], kernel.entries.front().units, code.find(kernel.name), places, machine, proof);
  }
  return proof;
}

}  // namespace weft::test
