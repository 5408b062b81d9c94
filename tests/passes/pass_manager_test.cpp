#include "weft/passes/pass.h"

#include <algorithm>

#include "weft/ir/equal.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/programs.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

const std::string small = "input %x: f32[4]\n %0 = exp(%x) : f32[4]\n %1 = exp(%x) : f32[4]\n output a = %0\n output b = %1";

std::vector<std::string> names_of(const std::vector<passes::PassRun>& runs) {
  std::vector<std::string> names;
  for (const auto& run : runs) names.push_back(run.name);
  return names;
}

std::vector<passes::PassRun> run(ir::Module& m, const std::vector<std::string>& names, const passes::RunOptions& options = {}) {
  return passes::run(m, names, passes::generic_target(), options);
}

}  // namespace

TEST_CASE("pass manager: every pass has a name of its own and says what it does", "[passes][manager]") {
  std::vector<std::string> names;
  for (const passes::Pass& p : passes::all_passes()) {
    CHECK(std::count(names.begin(), names.end(), p.name) == 0);
    CHECK(p.doc.size() > 10);
    CHECK(passes::find_pass(p.name).name == p.name);
    names.push_back(p.name);
  }
}

TEST_CASE("pass manager: every pipeline is made of passes that exist", "[passes][manager]") {
  for (const char* name : {"compile", "step", "simplify"})
    for (const std::string& pass : passes::pipeline(name)) CHECK(passes::find_pass(pass).name == pass);
}

TEST_CASE("pass manager: unknown names come with the nearest ones", "[passes][manager]") {
  REQUIRE_THROWS_WITH(passes::find_pass("fuze"), "unknown pass 'fuze'; did you mean 'fuse'?");
  REQUIRE_THROWS_WITH(passes::find_pass("canonicalise"), contains_text("did you mean 'canonicalize'"));
  REQUIRE_THROWS_WITH(passes::find_pass("zzzzzzzz"), "unknown pass 'zzzzzzzz'");
  REQUIRE_THROWS_WITH(passes::pipeline("compil"), "unknown pipeline 'compil'; did you mean 'compile'?");
}

TEST_CASE("pass manager: runs are named, timed and say what changed", "[passes][manager]") {
  ir::Module m = module_from(small);
  const auto runs = run(m, {"cse", "dce"});
  REQUIRE(names_of(runs) == std::vector<std::string>{"cse", "dce"});
  CHECK(runs[0].changed);
  CHECK_FALSE(runs[1].changed);
  for (const auto& r : runs) CHECK((r.milliseconds >= 0 && r.milliseconds < 1e4));
  CHECK(m.stage == "dce");
  CHECK(m.target == "generic");
}

TEST_CASE("pass manager: a disabled pass does not run", "[passes][manager]") {
  ir::Module m = module_from(small);
  CHECK(names_of(run(m, {"cse", "dce"}, {.disabled = {"cse"}})) == std::vector<std::string>{"dce"});
  CHECK(m.graph().ops().size() == 2);
}

TEST_CASE("pass manager: it stops after the pass asked for", "[passes][manager]") {
  ir::Module m = module_from(small);
  CHECK(names_of(run(m, passes::pipeline("compile"), {.stop_after = "simplify"})).back() == "simplify");
  CHECK(m.stage == "simplify");
}

TEST_CASE("pass manager: unknown names in the options are mistakes", "[passes][manager]") {
  ir::Module m = module_from(small);
  REQUIRE_THROWS_WITH(run(m, {"cse"}, {.disabled = {"dcee"}}), contains_text("unknown pass 'dcee'"));
  REQUIRE_THROWS_WITH(run(m, {"cse"}, {.stop_after = "dcee"}), contains_text("unknown pass 'dcee'"));
  CHECK(m.stage.empty());
}

TEST_CASE("pass manager: after() sees the module after every pass that ran", "[passes][manager]") {
  ir::Module m = module_from(small);
  std::vector<std::string> seen;
  passes::RunOptions options;
  options.after = [&](const ir::Module& now, const passes::PassRun& r) {
    CHECK(now.stage == r.name);
    seen.push_back(r.name);
  };
  run(m, {"cse", "fold", "dce"}, options);
  CHECK(seen == std::vector<std::string>{"cse", "fold", "dce"});
}

TEST_CASE("pass manager: what is left follows from the stage", "[passes][manager]") {
  ir::Module m = module_from(small);
  CHECK(passes::remaining_passes(m) == passes::pipeline("compile"));
  m.stage = "fuse";
  CHECK(passes::remaining_passes(m) == std::vector<std::string>{"launch", "partition", "schedule", "plan"});
  m.stage = "plan";
  CHECK(passes::remaining_passes(m).empty());
}

TEST_CASE("pass manager: a pass that ran out of turn sends the module through the pipeline again", "[passes][manager]") {
  for (const NamedProgram& program : programs()) {
    INFO(program.name);
    ir::Module m = module_from(program.with("f32"));
    run(m, passes::pipeline("compile"));
    run(m, {"cse"});
    CHECK(passes::remaining_passes(m) == passes::pipeline("compile"));
    run(m, passes::remaining_passes(m));
    CHECK(m.stage == "plan");
  }
}

TEST_CASE("pass manager: every stage of every program survives as text", "[passes][manager]") {
  for (const NamedProgram& program : programs()) {
    ir::Module m = module_from(program.with("f32"));
    passes::RunOptions options;
    options.after = [&](const ir::Module& now, const passes::PassRun& r) {
      INFO(program.name << " after " << r.name);
      const std::string text = ir::print(now);
      const ir::Module again = ir::parse(text);
      CHECK(ir::equal(again, now));
      CHECK(ir::print(again) == text);
    };
    run(m, passes::pipeline("compile"), options);
  }
}

TEST_CASE("pass manager: going on from text gives what going on gives", "[passes][manager]") {
  for (const NamedProgram& program : programs()) {
    ir::Module whole = module_from(program.with("f32"));
    run(whole, passes::pipeline("compile"));
    for (const std::string& stop : passes::pipeline("compile")) {
      INFO(program.name << ", interrupted after " << stop);
      ir::Module m = module_from(program.with("f32"));
      run(m, passes::pipeline("compile"), {.stop_after = stop});
      ir::Module again = ir::parse(ir::print(m));
      run(again, passes::remaining_passes(again));
      CHECK(ir::print(again) == ir::print(whole));
    }
  }
}

TEST_CASE("pass manager: every pass says truly whether it changed a program", "[passes][manager]") {
  for (const NamedProgram& program : programs()) {
    INFO(program.name);
    ir::Module m = module_from(program.with("f32"));
    for (const std::string& pass : passes::pipeline("compile")) run_passes(pass, m);
  }
}

TEST_CASE("pass manager: a module that a pass broke is weft's own mistake", "[passes][manager]") {
  // Nothing but a broken pass does this, so the graph is broken beforehand.
  ir::Module m = module_from(small);
  std::vector<ir::Output> outputs = m.graph().outputs();
  outputs[1].name = "a";
  m.graph().set_outputs(std::move(outputs));
  REQUIRE_THROWS_WITH(run(m, {"dce"}), contains_text("internal error in weft") && contains_text("after the pass 'dce': "));
}
