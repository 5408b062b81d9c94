// What must hold of every random graph.

#include <algorithm>
#include <cmath>
#include <limits>

#include "weft/backends/cpu/cpu.h"
#include "weft/backends/reference/reference.h"
#include "weft/ir/builder.h"
#include "weft/ir/equal.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/passes/pass.h"
#include "weft/passes/simplify.h"
#include "weft/runtime/array.h"
#include "weft/support/philox.h"
#include "weft/tests/random/random_graph.h"

namespace weft::test {
namespace {

using reference::Tensor;

std::vector<Tensor> sample_inputs(const ir::Graph& graph, uint64_t seed, double moved_ulps) {
  std::vector<Tensor> all;
  for (const ir::Input& input : graph.inputs()) {
    Tensor t(input.node->type);
    const auto site = static_cast<uint32_t>(all.size());
    for (size_t e = 0; e < t.real.size(); ++e) {
      const double u = 2 * uniform_from_bits(random_bits(seed, site, 0, e)) - 1;
      // Values that bf16 holds exactly, so that every type starts from the same numbers.
      const double x = from_bf16(to_bf16(static_cast<float>(u)));
      t.real[e] = x + moved_ulps * std::ldexp(std::fabs(x), -23) * (random_bits(seed, site, 1, e) % 2 ? 1 : -1);
    }
    for (size_t e = 0; e < t.integer.size(); ++e) t.integer[e] = random_bits(seed, site, 0, e) % (input.node->type.dtype == boolean ? 2 : 4);
    all.push_back(std::move(t));
  }
  return all;
}

std::vector<Tensor> run_cpu(const ir::Module& planned, const std::vector<Tensor>& inputs) {
  const auto program = cpu::compile(planned, {.threads = 2});
  std::vector<Array> memory;
  std::vector<std::byte*> pointers;
  for (const Tensor& t : inputs) {
    memory.emplace_back(t.type.dtype, t.type.shape);
    reference::to_memory(t, memory.back().data());
  }
  for (Array& a : memory) pointers.push_back(a.data());
  program->run(pointers);
  std::vector<Tensor> results;
  for (size_t i = 0; i < program->outputs().size(); ++i) {
    const Port& port = program->outputs()[i];
    results.push_back(reference::from_memory({port.dtype, port.shape}, program->output(static_cast<int>(i))));
  }
  return results;
}

struct Expected {
  std::vector<Tensor> exact, moved;
};

/// Per tensor: max |got - exact| <= 8 |moved - exact| + bound, relative to the largest value; where exact and moved are
/// both the same special value or integer, so must got be.
std::optional<std::string> compare(const Tensor& got, const Tensor& exact, const Tensor& moved, double ulps) {
  double difference = 0, movement = 0, largest = 0;
  for (size_t e = 0; e < exact.integer.size(); ++e)
    if (exact.integer[e] == moved.integer[e] && got.integer[e] != exact.integer[e])
      return fmt::format("element {} is {}, not {}", e, got.integer[e], exact.integer[e]);
  for (size_t e = 0; e < exact.real.size(); ++e) {
    const double x = exact.real[e], y = moved.real[e], g = got.real[e];
    // Beyond f32's range there is nothing to compare.
    if (!std::isfinite(x) || !std::isfinite(y) || std::fabs(x) > 1e37 || std::fabs(y) > 1e37) {
      if (std::isnan(x) && std::isnan(y) && !std::isnan(g)) return fmt::format("element {} is {}, not nan", e, g);
      continue;
    }
    if (!std::isfinite(g)) return fmt::format("element {} is {}, not {}", e, g, x);
    difference = std::max(difference, std::fabs(g - x));
    movement = std::max(movement, std::fabs(y - x));
    largest = std::max(largest, std::fabs(x));
  }
  const double allowed = 8 * movement + ulps * largest + 1e-30;
  if (difference <= allowed) return std::nullopt;
  return fmt::format("off by {} where {} is allowed (largest value {})", difference, allowed, largest);
}

/// The same graph, decomposed, with every f32 and bf16 result rounded to its type, which the reference does at casts
/// alone: what moves when intermediate values move.
ir::Module rounded(const ir::Module& module) {
  ir::Module m = module.clone();
  passes::decompose(m);
  const std::vector<ir::Op*> ops = m.graph().op_list();
  for (size_t i = 0; i < ops.size(); ++i)
    for (ir::Value v : ops[i]->results()) {
      if ((v.dtype() != f32 && v.dtype() != bf16) || (v.users().empty() && !m.graph().is_output(v))) continue;
      ir::Builder after(m.graph(), i + 1 < ops.size() ? ops[i + 1] : nullptr);
      const ir::Value wide = after.cast(v, f64);
      v.replace_all_uses_with(after.cast(wide, v.dtype()));
      wide.op()->set_operand(0, v);
    }
  return m;
}

/// The ops' own bound: generated functions are within 2 ulp, and a reduction adds up in another order.
constexpr double own_ulps = 64 * 0x1p-24;

std::vector<std::string> without(std::vector<std::string> passes, const std::string& name) {
  std::erase(passes, name);
  return passes;
}

std::vector<std::vector<std::string>> pipelines(uint64_t seed) {
  const std::vector<std::string> all = passes::pipeline("compile");
  std::vector<std::string> least = all;
  for (const char* name : {"simplify", "epilogue", "launch"}) least = without(least, name);
  for (std::string& name : least)
    if (name == "fuse") name = "isolate";
  std::vector<std::string> some = all;
  int bit = 0;
  for (const char* name : {"simplify", "epilogue", "launch"})
    if (seed >> bit++ & 1) some = without(some, name);
  // The algebra alone keeps every bit of the reference; folding rounds constants to their type, which it does not.
  std::vector<std::string> exact = all;
  const auto at = std::find(exact.begin(), exact.end(), "simplify");
  *at = "canonicalize";
  exact.insert(at + 1, {"cse", "dce", "canonicalize", "dce"});
  return {all, exact, least, some};
}

bool folds(const std::vector<std::string>& passes) {
  return std::find(passes.begin(), passes.end(), "simplify") != passes.end();
}

std::optional<std::string> check_text(const ir::Module& m) {
  const std::string text = ir::print(m);
  const ir::Module again = ir::parse(text);
  if (!ir::equal(m, again)) return "the text does not parse back to an equal module";
  if (ir::print(again) != text) return "the text does not print back to itself";
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_fault(const ir::Module& module, uint64_t seed) try {
  const std::vector<Tensor> inputs = sample_inputs(module.graph(), seed, 0);
  const Expected expected{reference::evaluate(module.graph(), inputs),
                          reference::evaluate(rounded(module).graph(), sample_inputs(module.graph(), seed, 1))};
  for (const std::vector<std::string>& passes : pipelines(seed)) {
    ir::Module m = module.clone();
    std::optional<std::string> fault;
    passes::run(m, passes, cpu::target(), {.after = [&](const ir::Module& stage, const passes::PassRun& pass) {
      if (fault) return;
      fault = check_text(stage);
      const std::vector<Tensor> values = reference::evaluate(stage.graph(), inputs);
      for (size_t i = 0; i < values.size() && !fault; ++i)
        if (const auto wrong = folds(passes) ? compare(values[i], expected.exact[i], expected.moved[i], own_ulps)
                                             : compare(values[i], expected.exact[i], expected.exact[i], 1e-11))
          fault = fmt::format("the reference's '{}' changed: {}", stage.graph().outputs()[i].name, *wrong);
      if (fault) fault = fmt::format("after {}: {}", pass.name, *fault);
    }});
    if (fault) return fault;
    const std::vector<Tensor> got = run_cpu(m, inputs);
    for (size_t i = 0; i < got.size(); ++i)
      if (const auto wrong = compare(got[i], expected.exact[i], expected.moved[i], own_ulps))
        return fmt::format("passes {}: output '{}': {}", fmt::join(passes, ","), module.graph().outputs()[i].name, *wrong);
  }
  return std::nullopt;
} catch (const std::exception& e) {
  return fmt::format("threw: {}", e.what());
}

namespace {

std::string new_name(const ir::Graph& graph) {
  size_t n = 0;
  while (graph.find_input(fmt::format("cut{}", n))) ++n;
  return fmt::format("cut{}", n);
}

}  // namespace

ir::Module shrink(const ir::Module& module, uint64_t seed) {
  ir::Module smallest = module.clone();
  const auto try_it = [&](ir::Module candidate) {
    passes::dce(candidate.graph());
    for (int i = static_cast<int>(candidate.graph().inputs().size()) - 1; i >= 0; --i)
      if (candidate.graph().input(i).users().empty() && !candidate.graph().is_output(candidate.graph().input(i)))
        candidate.graph().remove_input(i);
    if (candidate.graph().ops().size() + candidate.graph().outputs().size() >=
            smallest.graph().ops().size() + smallest.graph().outputs().size() || !find_fault(candidate, seed))
      return false;
    smallest = std::move(candidate);
    return true;
  };
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (size_t i = 0; i < smallest.graph().outputs().size() && smallest.graph().outputs().size() > 1; ++i) {
      ir::Module candidate = smallest.clone();
      candidate.graph().outputs().erase(candidate.graph().outputs().begin() + static_cast<std::ptrdiff_t>(i));
      if (try_it(std::move(candidate))) smaller = true, --i;
    }
    for (size_t i = 0; i < smallest.graph().ops().size(); ++i) {
      ir::Module candidate = smallest.clone();
      ir::Op& op = *candidate.graph().op_list()[i];
      for (ir::Value v : op.results()) v.replace_all_uses_with(candidate.graph().add_input(new_name(candidate.graph()), v.type()));
      if (try_it(std::move(candidate))) smaller = true, i = static_cast<size_t>(-1);
    }
  }
  return smallest;
}

}  // namespace weft::test
