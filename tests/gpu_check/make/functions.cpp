// Functions with all that they are fed and must give. Generated kernels must give the bits of the CPU's. Where a product, a convolution
// or another op adds up in an order of its own, the reference in double says what is wanted, and how far inputs that are moved by a unit
// of their last place move it says how far off is right, as everywhere in the tests.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <sstream>

#include "weft/backends/reference/agreement.h"
#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/support/error.h"
#include "weft/tests/backends/cuda/refused.h"
#include "weft/tests/gpu_check/make/maker.h"
#include "weft/tests/ops/samples.h"
#include "weft/tests/passes/programs.h"
#include "weft/tests/random/compare.h"
#include "weft/tests/random/random_graph.h"

namespace weft::gpu_check {
namespace {

using reference::Tensor;
using test::Values;

Array array_of(const Tensor& t) {
  Array array(t.type.dtype, t.type.shape);
  reference::to_memory(t, array.data());
  return array;
}

/// What the processor computes of `inputs`.
std::vector<std::pair<std::string, Array>> on_cpu(const ir::Module& recorded, const Values& inputs) {
  const Target cpu = Target::cpu();
  const auto program = cpu.backend().build(planned(recorded, cpu), nullptr);
  std::vector<Array> memory;
  for (const Port& port : program->inputs()) memory.push_back(array_of(inputs.at(port.name)));
  std::vector<std::byte*> pointers;
  for (Array& array : memory) pointers.push_back(array.data());
  program->run(pointers);
  std::vector<std::pair<std::string, Array>> results;
  for (const Port& port : program->outputs()) {
    Array& result = results.emplace_back(port.name, Array(port.dtype, port.shape)).second;
    const std::byte* from = program->output(static_cast<int>(results.size() - 1));
    std::copy(from, from + result.bytes(), result.data());
  }
  return results;
}

/// Does anything of it add up in another order than the processor does?
bool has_own_order(const ir::Graph& graph) {
  for (const auto& op : graph.ops())
    if (op->def().kind == ir::Kind::heavy && op->def().error_ulps > 0) return true;
  return false;
}

/// What is wanted, and which elements nobody knows: integers that another rounding changes, numbers at the end of a type's range.
struct Wanted {
  Array numbers, any;
  bool has_any = false;
  double movement = 0, largest = 0;

  Wanted(const Tensor& exact, const std::vector<const Tensor*>& moved) : numbers(f64, exact.type.shape), any(u8, exact.type.shape) {
    const bool real = !exact.real.empty();
    const auto at = [&](const Tensor& t, size_t e) { return real ? t.real[e] : static_cast<double>(t.integer[e]); };
    for (size_t e = 0; e < std::max(exact.real.size(), exact.integer.size()); ++e) {
      const double x = at(exact, e);
      bool known = std::isnan(x) || std::isinf(x) || std::fabs(x) < 1e37;
      double moves = 0;
      for (const Tensor* m : moved) {
        const double y = at(*m, e);
        const bool same = x == y || (std::isnan(x) && std::isnan(y));
        known = known && (same || (real && std::isfinite(x) && std::fabs(y) < 1e37));
        if (!same) moves = std::max(moves, std::fabs(y - x));
      }
      numbers.set(static_cast<int64_t>(e), x);
      if (!known) any.set(static_cast<int64_t>(e), 1), has_any = true;
      else if (std::isfinite(x)) movement = std::max(movement, moves), largest = std::max(largest, std::fabs(x));
    }
  }
};

struct Function {
  const ir::Module& recorded;
  Values inputs;
  Values exact = {};
  std::vector<Values> moved = {};
  std::function<double(const Tensor&)> own_bound = {};  // relative to the largest element
};

void add_bounded(Check& check, Maker::Tensors& data, const Function& f, const std::string& output) {
  const Tensor& exact = f.exact.at(output);
  std::vector<const Tensor*> near;
  for (const Values& m : f.moved) near.push_back(&m.at(output));
  Wanted wanted(exact, near);
  const double absolute = is_floating(exact.type.dtype) ? 8 * wanted.movement + f.own_bound(exact) * wanted.largest +
                                                              reference::tolerance_in(exact.type.dtype).absolute
                                                        : 0;
  check.bounds.push_back({output, false, absolute, 0});
  data.emplace_back("0/want/" + output, std::move(wanted.numbers));
  if (wanted.has_any) data.emplace_back("0/any/" + output, std::move(wanted.any));
}

void add_function(Maker& maker, const std::string& name, const std::function<Function()>& make, const ir::Module& recorded) {
  if (!maker.wants(name)) return;
  const Target target = maker.target();
  const ir::Module there = planned(recorded, target);
  if (test::is_refused(there.graph())) return;
  const Function f = make();
  const bool bits = !has_own_order(there.graph());
  Check check{name, maker.file_for(name)};
  Maker::Tensors data;
  for (const ir::Input& input : there.graph().inputs())
    data.emplace_back("0/in/" + input.node->name, array_of(f.inputs.at(input.node->name)));
  if (bits) {
    for (auto& [output, array] : on_cpu(recorded, f.inputs)) {
      check.bounds.push_back({output, true});
      data.emplace_back("0/want/" + output, std::move(array));
    }
  } else {
    for (const ir::Output& output : there.graph().outputs()) add_bounded(check, data, f, output.name);
  }
  write_function(maker, check.file, there, target);
  maker.write_data(check.file, data);
  maker.add(std::move(check));
}

/// The text of a program, whose train block stands before the function.
ir::Module module_of(const std::string& text) {
  std::istringstream lines(text);
  std::string header = "weft 1\n", statements;
  for (std::string line; std::getline(lines, line);)
    (statements.empty() && (line.starts_with("train ") || line.starts_with("group ")) ? header : statements) += line + "\n";
  return ir::parse(header + "func @program {\n" + statements + "}\n", "program");
}

double ulp_of(DType t) { return t == f64 ? 0x1p-52 : t == f32 ? 0x1p-23 : t == f16 ? 0x1p-10 : 0x1p-7; }

/// Inputs and what they give, each moved by a unit of the last place of `precision` or of its own type, whichever is less.
Function function_of(const ir::Module& recorded, const testing::Sample& sample, DType precision) {
  Function f{recorded, {}};
  Values near;
  const std::vector<Tensor> values = testing::values_of(sample);
  for (size_t i = 0; i < values.size(); ++i) {
    const std::string& name = recorded.graph().input(static_cast<int>(i)).name();
    f.inputs[name] = near[name] = values[i];
    std::vector<double>& moved = near[name].real;
    const double ulp = std::min(ulp_of(values[i].type.dtype), ulp_of(precision));
    for (size_t e = 0; e < moved.size(); ++e) moved[e] *= 1 + (e % 2 ? 1 : -1) * ulp;
  }
  f.exact = test::evaluate(recorded.graph(), f.inputs);
  f.moved.push_back(test::evaluate(recorded.graph(), near));
  f.own_bound = [&sample, precision](const Tensor& t) {
    const double ulps = std::max(ir::op_def(sample.op).error_ulps, 1.0);
    if (is_narrow(t.type.dtype) && precision == f32) return ulp_of(t.type.dtype) / 2 + ulps * ulp_of(precision);
    return ulps * ulp_of(t.type.dtype);
  };
  return f;
}

/// Is what the processor computes as wanted?
bool agrees(const Function& f) {
  for (const auto& [output, array] : on_cpu(f.recorded, f.inputs)) {
    std::vector<const Tensor*> near;
    for (const Values& m : f.moved) near.push_back(&m.at(output));
    const Tensor& exact = f.exact.at(output);
    const Tensor got = reference::from_memory({array.dtype(), array.shape()}, array.data());
    reference::Tolerance tolerance = reference::tolerance_in(exact.type.dtype);
    tolerance.bound = f.own_bound(exact);
    if (reference::disagreement(got, exact, near, tolerance)) return false;
  }
  return true;
}

/// What is of f16 or bf16 computes in f32 and rounds once. Where an op rounds what is between, its bound is that of its type.
Function function_of(const ir::Module& recorded, const testing::Sample& sample) {
  Function f = function_of(recorded, sample, f32);
  if (agrees(f)) return f;
  const auto is_half = [](const ir::Type& t) { return t.dtype == f16; };
  const bool half = std::any_of(sample.operands.begin(), sample.operands.end(), is_half);
  return function_of(recorded, sample, half ? f16 : bf16);
}

/// One sample of each op for each list of element types and attributes, or of each op: of several the one with most elements.
std::vector<testing::Sample> chosen_samples(bool small) {
  std::vector<testing::Sample> all;
  std::map<std::string, size_t> known;
  const auto elements = [](const testing::Sample& s) {
    int64_t n = 0;
    for (const ir::Type& operand : s.operands) n += operand.shape.numel();
    return n;
  };
  for (const DType floating : small ? std::vector{f32} : std::vector{f32, bf16, f16, f64})
    for (testing::Sample& sample : testing::samples(floating)) {
      if (sample.degenerate || testing::module_of(sample).graph().outputs()[0].value.shape().numel() == 0) continue;
      std::string key = sample.op;
      for (const ir::Type& operand : sample.operands)
        if (!small) key += " " + std::string(name_of(operand.dtype));
      for (const auto& [name, value] : sample.attributes)
        if (!small) key += " " + name;
      const auto [at, is_new] = known.emplace(key, all.size());
      if (is_new) all.push_back(std::move(sample));
      else if (elements(sample) > elements(all[at->second])) all[at->second] = std::move(sample);
    }
  return all;
}

void add_whole(Maker& maker, const std::string& name, const ir::Module& recorded, uint64_t seed) {
  add_function(
      maker, name,
      [&] {
        const test::Expected expected(recorded, seed);
        Function f{recorded, expected.inputs, expected.exact};
        // What differs by more than a first movement explains is looked at once more, with all of them.
        for (const auto& [output, array] : on_cpu(recorded, f.inputs))
          expected.fault(output, reference::from_memory({array.dtype(), array.shape()}, array.data()));
        f.moved = expected.moved;
        f.own_bound = [fine = expected.fine](const Tensor& t) {
          return is_narrow(t.type.dtype) ? reference::own_bound(t.type.dtype) : 64 * (fine ? 0x1p-53 : 0x1p-24);
        };
        return f;
      },
      recorded);
}

}  // namespace

void add_functions(Maker& maker) {
  const bool small = maker.options().small;
  for (const testing::Sample& sample : chosen_samples(small)) {
    const ir::Module recorded = testing::module_of(sample);
    add_function(maker, "op/" + testing::to_string(sample), [&] { return function_of(recorded, sample); }, recorded);
  }
  for (const testing::NamedProgram& program : testing::programs())
    for (const std::string& dtype : small ? std::vector<std::string>{"f32"} : std::vector<std::string>{"f32", "bf16"})
      add_whole(maker, "program/" + program.name + " " + dtype, module_of(program.with(dtype)), 1);
  const uint64_t graphs = small ? 4 : 48;
  for (uint64_t seed = 0; seed < graphs; ++seed) add_whole(maker, fmt::format("graph/{}", seed), test::random_module(seed), seed);
}

}  // namespace weft::gpu_check
