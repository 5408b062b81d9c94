#include "weft/tests/random/check.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <regex>
#include <set>

#include "weft/backends/cpu/cpu.h"
#include "weft/ir/equal.h"
#include "weft/ir/op_def.h"
#include "weft/ir/ops/loop.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/passes/canonicalize.h"
#include "weft/runtime/array.h"
#include "weft/tests/random/compare.h"
#include "weft/tests/random/pipelines.h"

namespace weft::test {
namespace {

using reference::Tensor;

/// The outputs of a program, as they lie in memory.
using Memory = std::map<std::string, Array>;

Memory run_program(Program& program, const Values& inputs) {
  std::vector<Array> memory;
  std::vector<std::byte*> pointers;
  for (const Port& port : program.inputs()) {
    memory.emplace_back(port.dtype, port.shape);
    reference::to_memory(inputs.at(port.name), memory.back().data());
  }
  for (Array& a : memory) pointers.push_back(a.data());
  program.run(pointers);
  Memory results;
  for (size_t i = 0; i < program.outputs().size(); ++i) {
    const Port& port = program.outputs()[i];
    Array value(port.dtype, port.shape);
    std::memcpy(value.data(), program.output(static_cast<int>(i)), value.bytes());
    results.emplace(port.name, std::move(value));
  }
  return results;
}

/// The first output that differs in a bit; one nan is as good as another.
std::optional<std::string> difference(const Memory& a, const Memory& b) {
  for (const auto& [name, x] : a) {
    const Array& y = b.at(name);
    if (std::memcmp(x.data(), y.data(), x.bytes()) == 0) continue;
    const size_t size = size_of(x.dtype());
    for (int64_t e = 0; e < x.shape().numel(); ++e) {
      const auto at = static_cast<size_t>(e) * size;
      if (std::memcmp(x.data() + at, y.data() + at, size) == 0 || (std::isnan(x.at(e)) && std::isnan(y.at(e)))) continue;
      return fmt::format("'{}' differs at element {}: {} and {}", name, e, x.at(e), y.at(e));
    }
  }
  return std::nullopt;
}

/// Passes may move a factor through a product, and a library rounds as it likes.
bool has_product(const ir::Graph& graph) {
  return std::any_of(graph.ops().begin(), graph.ops().end(),
                     [](const auto& op) { return op->def().contracts() || (ir::is_loop(*op) && has_product(op->body())); });
}

class Check {
 public:
  Check(const ir::Module& module, uint64_t seed, Firings* firings)
      : module_(module), seed_(seed), firings_(firings), expected_(module, seed) {}

  /// `passes` says which run, for what may throw.
  std::optional<Fault> run(std::string& passes) {
    if (auto wrong = expected_.loop_fault()) return Fault{"a loop", "loops written out compute something else: " + *wrong};
    for (const Pipeline& pipeline : pipelines(seed_)) {
      pipeline_ = &pipeline, passes = fmt::format(" (passes {})", to_string(pipeline));
      ir::Module m = module_.clone();
      for (const Step& step : pipeline.steps) {
        if (firings_ && pipeline.name == "exact" && step.pass == "canonicalize") count_firings(m);
        const std::string before = ir::print(m.graph());
        const auto arena = m.arena_bytes;
        const bool changed = test::run(m, step, seed_);
        if (changed != (ir::print(m.graph()) != before || arena != m.arena_bytes))
          return fault(step.pass + " says", fmt::format("that it changed {}", changed ? "something" : "nothing"));
        if (auto f = check_stage(m)) return fault("after " + step.pass, *f);
      }
      if (pipeline.compiles)
        if (auto f = check_program(m)) return f;
    }
    return std::nullopt;
  }

 private:
  Fault fault(const std::string& kind, const std::string& what) const {
    return {kind, fmt::format("{}: {} (passes {})", kind, what, to_string(*pipeline_))};
  }

  void count_firings(const ir::Module& m) {
    ir::Module copy = m.clone();
    passes::canonicalize(copy, [&](const passes::Rewrite& row) { ++(*firings_)[&row]; });
  }

  std::optional<std::string> check_stage(const ir::Module& m) {
    // Many pipelines begin alike; places in memory mean nothing to the reference.
    static const std::regex place(" @[0-9]+");
    if (!seen_.insert(std::regex_replace(ir::print(m.graph()), place, "")).second) return std::nullopt;
    const std::string text = ir::print(m);
    const ir::Module again = ir::parse(text);
    if (!ir::equal(m, again)) return "the text does not parse back to an equal module";
    if (ir::print(again) != text) return "the text does not print back to itself";
    if (m.train) return std::nullopt;
    // The cpu adds up products of bf16 in f32 where no library does, and rounds the sums.
    const bool rounds = pipeline_->rounds || expected_.casts_back || (pipeline_->compiles && expected_.coarse);
    for (const auto& [name, value] : evaluate(m.graph(), expected_.inputs))
      if (expected_.exact.contains(name))
        if (auto wrong = rounds ? expected_.fault(name, value) : expected_.strict_fault(name, value))
          return fmt::format("the reference's '{}' changed: {}", name, *wrong);
    return std::nullopt;
  }

  std::optional<Fault> check_program(const ir::Module& m) {
    const auto program = cpu::compile(m, {.threads = 2, .share_all = true});
    const Memory results = run_program(*program, expected_.inputs);
    for (const auto& [name, value] : results) {
      const Tensor got = reference::from_memory({value.dtype(), value.shape()}, value.data());
      if (auto wrong = expected_.fault(name, got)) return fault("the program", fmt::format("output '{}': {}", name, *wrong));
    }
    if (auto wrong = difference(results, run_program(*program, expected_.inputs))) return fault("a second run", *wrong);
    if (!has_product(module_.graph())) {
      if (bits_.empty()) bits_ = results;
      if (auto wrong = difference(results, bits_)) return fault("another pipeline", *wrong);
    }
    return pipeline_->name == "all" ? check_choices(m, results) : std::nullopt;
  }

  /// One graph in eight on one thread; one in sixteen with narrower vectors, where there is no library to be limited too.
  std::optional<Fault> check_choices(const ir::Module& m, const Memory& results) {
    const auto agrees = [&](const cpu::Options& options, const std::string& what) -> std::optional<Fault> {
      const auto wrong = difference(run_program(*cpu::compile(m, options), expected_.inputs), results);
      return wrong ? std::optional(fault(what, *wrong)) : std::nullopt;
    };
    if (seed_ % 8 == 0)
      if (auto f = agrees({.threads = 1}, "one thread")) return f;
    if (seed_ % 16 != 1 || has_product(m.graph())) return std::nullopt;
    for (const char* isa : {"sse4", "avx2"})
      if (auto f = agrees({.threads = 2, .max_isa = isa, .share_all = true}, isa)) return f;
    return std::nullopt;
  }

  const ir::Module& module_;
  uint64_t seed_;
  Firings* firings_;
  const Pipeline* pipeline_ = nullptr;
  Expected expected_;
  std::set<std::string> seen_;
  Memory bits_;
};

}  // namespace

std::optional<Fault> find_fault(const ir::Module& module, uint64_t seed, Firings* firings) {
  std::string passes;
  try {
    return Check(module, seed, firings).run(passes);
  } catch (const std::exception& e) {
    const std::string what = e.what();
    return Fault{"threw " + what.substr(0, std::min(what.find_first_of(":;'\""), what.find(" of "))), "threw: " + what + passes};
  }
}

}  // namespace weft::test
