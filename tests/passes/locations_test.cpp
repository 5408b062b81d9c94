// Whatever a pass makes knows the line that it comes from: errors, profiles and reports speak of it.

#include <set>

#include "weft/backends/cpu/cpu.h"
#include "weft/ir/printer.h"
#include "weft/passes/pass.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/programs.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

/// The inputs, outputs and ops that know no line, those of bodies too but for their inputs and outputs, which are the ops' own.
std::set<std::string> without_line(const ir::Graph& graph, bool body = false) {
  std::set<std::string> all;
  for (const auto& op : graph.ops()) {
    if (op->locations().empty()) all.insert(std::string(op->name()));
    for (const auto& inner : op->bodies()) all.merge(without_line(*inner, true));
  }
  if (body) return all;
  for (const ir::Input& input : graph.inputs())
    if (input.locations.empty()) all.insert("input " + input.node->name);
  for (const ir::Output& output : graph.outputs())
    if (output.locations.empty()) all.insert("output " + output.name);
  return all;
}

}  // namespace

TEST_CASE("every op, input and output of every stage knows a line", "[passes]") {
  for (const NamedProgram& program : programs())
    for (const passes::Target* target : {&passes::generic_target(), &cpu::target()}) {
      INFO(program.name << " for " << target->name());
      ir::Module module = module_from(program.with("f32"));
      passes::RunOptions options;
      options.after = [](const ir::Module& m, const passes::PassRun& run) {
        INFO(run.name << "\n" << ir::print(m));
        CHECK(without_line(m.graph()) == std::set<std::string>());
      };
      passes::run(module, passes::pipeline("compile"), *target, options);
    }
}
