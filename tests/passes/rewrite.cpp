#include "weft/tests/passes/rewrite.h"

#include <algorithm>
#include <sstream>

#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/ir/verifier.h"
#include "weft/passes/pass.h"
#include "weft/tests/catch.h"

namespace weft::testing {
namespace {

void forget_lines(ir::Graph& graph) {
  for (ir::Input& input : graph.inputs()) input.locations = {};
  std::vector<ir::Output> outputs = graph.outputs();
  for (ir::Output& output : outputs) output.locations = {};
  graph.set_outputs(std::move(outputs));
  for (const auto& op : graph.ops()) {
    op->set_locations({});
    for (const auto& body : op->bodies()) forget_lines(*body);
  }
}

void run_pass(const std::string& name, ir::Module& module, const passes::Target& target) {
  INFO("pass " << name);
  const std::string before = ir::print(module);
  const bool changed = passes::find_pass(name).run(module, target);
  ir::verify(module);
  CHECK(changed == (ir::print(module) != before));
}

}  // namespace

ir::Module module_from(std::string_view text) {
  std::istringstream lines{std::string(text)};
  std::string header = "weft 1\n", statements;
  for (std::string line; std::getline(lines, line);) {
    const bool heads = statements.empty() && (line.starts_with("module ") || line.starts_with("train ") || line.starts_with("group "));
    (heads ? header : statements) += line + "\n";
  }
  return ir::parse(header + "func @test {\n" + statements + "}\n", "test");
}

std::string text_of(const ir::Module& module) {
  ir::Module copy = module.clone();
  forget_lines(copy.graph());
  return ir::print(copy, {.names = ir::Names::numbers});
}

void run_passes(std::string_view passes, ir::Module& module, const passes::Target& target) {
  std::istringstream names{std::string(passes)};
  for (std::string name; std::getline(names, name, ',');) run_pass(name, module, target);
}

ir::Module run_passes(std::string_view passes, std::string_view text, const passes::Target& target) {
  ir::Module module = module_from(text);
  run_passes(passes, module, target);
  return module;
}

void check_becomes(std::string_view passes, std::string_view before, std::string_view after, const passes::Target& target) {
  const ir::Module expected = module_from(after);
  CHECK(text_of(run_passes(passes, before, target)) == text_of(expected));
}

void check_stays(std::string_view passes, std::string_view text, const passes::Target& target) {
  check_becomes(passes, text, text, target);
}

ir::Module compiled(std::string_view text, std::string_view last) {
  ir::Module module = module_from(text);
  passes::run(module, passes::remaining_passes(module), passes::generic_target(), {.stop_after = std::string(last)});
  REQUIRE(module.stage == last);
  return module;
}

int count_ops(const ir::Module& module, std::string_view op) {
  const auto& ops = module.graph().ops();
  return static_cast<int>(std::count_if(ops.begin(), ops.end(), [&](const auto& o) { return o->is(op); }));
}

int count_kernels(const ir::Module& module) { return count_ops(module, "fused") + count_ops(module, "kernel"); }

}  // namespace weft::testing
