// Every stage of the pipeline computes what the program as recorded computes: the reference interprets each.

#include <algorithm>
#include <cmath>
#include <map>

#include "weft/backends/cpu/cpu.h"
#include "weft/backends/reference/reference.h"
#include "weft/passes/pass.h"
#include "weft/tests/catch.h"
#include "weft/tests/close.h"
#include "weft/tests/passes/programs.h"
#include "weft/tests/passes/random_graph.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;
using reference::Tensor;

namespace {

/// What a hyper-parameter, a counter or a key starts with; anything else is drawn.
std::optional<double> fixed_value(const std::string& name) {
  const std::map<std::string, double> known = {{"sgd.lr", 0.125},
                                               {"sgd.momentum", 0.75},
                                               {"sgd.dampening", 0.25},
                                               {"sgd.weight_decay", 0.0625},
                                               {"adam.lr", 0.125},
                                               {"adam.beta1", 0.875},
                                               {"adam.beta2", 0.96875},
                                               {"adam.eps", 0.0009765625},
                                               {"adam.weight_decay", 0.0625},
                                               {"rate", 0.25},
                                               {"sgd.step", 3},
                                               {"adam.step", 3},
                                               {"count", 3}};
  const auto found = known.find(name);
  return found == known.end() ? std::nullopt : std::optional(found->second);
}

/// Elements that depend on the input's name alone, so that a program at any stage gets the same. States such as Adam's
/// running squares are positive, hence all are. The values are f32, whatever the type.
Tensor value_of(const ir::Input& input) {
  Tensor t(input.node->type);
  uint32_t site = 0;
  for (char c : input.node->name) site = site * 31 + static_cast<unsigned char>(c);
  const auto fixed = fixed_value(input.node->name);
  for (size_t i = 0; i < t.real.size(); ++i)
    t.real[i] = fixed ? *fixed : 0.0625 + static_cast<float>(uniform_from_bits(random_bits(7, site, 0, i)));
  for (size_t i = 0; i < t.integer.size(); ++i) t.integer[i] = fixed ? static_cast<int64_t>(*fixed) : random_bits(7, site, 0, i) % 4;
  return t;
}

using Results = std::map<std::string, Tensor>;

Results evaluate(const ir::Module& m) {
  std::vector<Tensor> inputs;
  for (const ir::Input& input : m.graph().inputs()) inputs.push_back(value_of(input));
  const std::vector<Tensor> values = reference::evaluate(m.graph(), inputs);
  Results results;
  for (size_t i = 0; i < values.size(); ++i) results[m.graph().outputs()[i].name] = values[i];
  return results;
}

/// Integers are equal; reals within `tolerance` of the largest.
void check_equal(const Tensor& a, const Tensor& b, double tolerance) {
  REQUIRE(a.type == b.type);
  CHECK(a.integer == b.integer);
  CHECK(test::relative_difference(a.real, b.real) <= tolerance);
}

/// Runs the pipeline; after every pass, the outputs that were there before it have the values they had.
void check_stages(ir::Module m, const passes::Target& target, double tolerance, std::set<std::string> disabled = {}) {
  Results expected = evaluate(m);
  passes::RunOptions options{.disabled = std::move(disabled)};
  options.after = [&](const ir::Module& now, const passes::PassRun& run) {
    INFO("after " << run.name);
    Results results = evaluate(now);
    for (auto& [name, tensor] : results) {
      INFO("output " << name);
      const auto before = expected.find(name);
      if (before != expected.end()) check_equal(tensor, before->second, tolerance);
      else expected[name] = tensor;
    }
  };
  passes::run(m, passes::pipeline("compile"), target, options);
}

}  // namespace

TEST_CASE("translation: every stage computes what was recorded, in f64", "[passes][translation]") {
  for (const passes::Target* target : {&passes::generic_target(), &cpu::target()})
    for (const NamedProgram& program : programs()) {
      INFO(program.name << " for " << target->name());
      // Folding reassociates a * (1 / n), no more.
      check_stages(module_from(program.with("f64")), *target, 1e-13);
    }
}

TEST_CASE("translation: every stage computes what was recorded, in f32", "[passes][translation]") {
  for (const passes::Target* target : {&passes::generic_target(), &cpu::target()})
    for (const NamedProgram& program : programs()) {
      INFO(program.name << " for " << target->name());
      // The reference computes f32 in double; what is folded is rounded to f32.
      check_stages(module_from(program.with("f32")), *target, 4e-7);
    }
}

TEST_CASE("translation: a training step computes the update, not only the loss", "[passes][translation]") {
  ir::Module m = module_from(programs()[0].with("f64"));
  passes::run(m, passes::pipeline("compile"), passes::generic_target());
  const Results results = evaluate(m);
  const ir::Graph& g = m.graph();
  const Tensor t_u = value_of(*g.find_input("t_u")), t_c = value_of(*g.find_input("t_c"));
  const double w = value_of(*g.find_input("w")).real[0], b = value_of(*g.find_input("b")).real[0];
  double loss = 0, dw = 0, db = 0;
  for (size_t i = 0; i < 11; ++i) {
    const double error = w * t_u.real[i] + b - t_c.real[i];
    loss += error * error / 11, dw += 2 * error * t_u.real[i] / 11, db += 2 * error / 11;
  }
  CHECK(results.at("loss").real[0] == Approx(loss));
  CHECK(results.at("w").real[0] == Approx(w - 0.125 * dw));
  CHECK(results.at("b").real[0] == Approx(b - 0.125 * db));
  CHECK(results.at("sgd.step").integer[0] == 4);
}

TEST_CASE("translation: random graphs, with random passes left out", "[passes][translation]") {
  const std::vector<std::string> optional = {"simplify", "epilogue", "views", "fuse", "recompute", "launch", "partition", "schedule"};
  for (uint32_t seed = 0; seed < 150; ++seed) {
    Dice dice(1000 + seed);
    std::set<std::string> disabled;
    for (const std::string& pass : optional)
      if (seed > 1 && dice(3) == 0) disabled.insert(pass);
    if (seed == 1) disabled.insert(optional.begin(), optional.end());
    std::string text;
    for (const std::string& pass : disabled) text += " " + pass;
    INFO("seed " << seed << ", without" << text);
    check_stages(random_module(seed, f64, 5), seed % 2 ? passes::generic_target() : cpu::target(), 1e-13, disabled);
    check_stages(random_module(seed, f32, 5), seed % 2 ? passes::generic_target() : cpu::target(), 1e-13, disabled);
  }
}

TEST_CASE("translation: random graphs and programs in less memory than they take give the same bits", "[passes][translation]") {
  int met = 0, refused = 0;
  const auto check = [&](const ir::Module& recorded) {
    const auto planned = [&](std::optional<int64_t> limit) {
      ir::Module m = recorded.clone();
      passes::run(m, passes::pipeline("compile"), cpu::target({.memory_limit = limit}));
      return m;
    };
    const ir::Module all = planned({});
    const int64_t bytes = all.arena_bytes.value_or(0);
    for (const int64_t limit : {bytes * 9 / 10, bytes * 2 / 3}) {
      if (limit < 1) return;
      try {
        const ir::Module less = planned(limit);
        CHECK(less.arena_bytes.value_or(0) <= limit);
        for (const auto& [name, tensor] : evaluate(less)) {
          INFO("output " << name);
          check_equal(tensor, evaluate(all).at(name), 0);
        }
        ++met;
      } catch (const Error& e) {
        CHECK_THAT(e.what(), contains_text("memory_limit"));
        ++refused;
      }
    }
  };
  for (uint32_t seed = 0; seed < 200; ++seed) {
    INFO("seed " << seed);
    check(random_module(seed, f32, 40));
  }
  for (const NamedProgram& program : programs()) {
    INFO(program.name);
    check(module_from(program.with("f32")));
  }
  CHECK(met >= 20);
  CHECK(refused >= 40);  // of small graphs all is live at once
}
