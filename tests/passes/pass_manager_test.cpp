#include "weft/passes/pass.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "weft/ir/equal.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/tests/catch.h"
#include "weft/tests/page_section.h"
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
  CHECK(passes::remaining_passes(m) == std::vector<std::string>{"recompute", "launch", "partition", "schedule", "rematerialize", "plan"});
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

namespace {

/// A program that contradicts a fact, and how that is said.
struct Contradiction {
  const passes::Fact* fact;
  std::string header, body, what;
};

const std::vector<Contradiction>& contradictions() {
  using namespace passes::facts;
  static const std::vector<Contradiction> all = {
      {&differentiated, "train {loss = \"loss\", inputs = [\"w\"], optimizer = \"sgd\"}\n", "input %w: f32[] parameter\n output loss = %w",
       "'w' is trained, but there is no output 'w.grad', which the pass 'autodiff' sees to, at t:4"},
      {&trained, "train {loss = \"loss\", inputs = [\"w\"], optimizer = \"sgd\"}\n", "input %w: f32[] parameter\n output loss = %w",
       "there is a train block, for the loss 'loss', which the pass 'training_step' sees to"},
      {&primitive, "", "input %x: f32[2,3]\n %0 = softmax(%x) {axis = 1} : f32[2,3]\n output y = %0",
       "softmax is a composite, which the pass 'decompose' sees to, at t:4"},
      {&claimed, "", "input %x: f64[2,2]\n %0 = matmul(%x, %x) : f64[2,2]\n output y = %0",
       "the target 'generic' does not run matmul of f64[2,2], which the pass 'expand' sees to, at t:4"},
      {&needed, "", "input %x: f32[2]\n %0 = exp(%x) : f32[2]\n output y = %x",
       "nobody needs what exp gives, which the pass 'dce' sees to, at t:4"},
      {&own_loops, "",
       "input %h: f32[2]\n %0 = scan(%h) {carried = 1, sliced = 0, length = 2} : f32[2] {\n input %s: f32[2]\n %0 = exp(%s) : f32[2]\n"
       " output %0 aliases %s\n }\n output y = %0",
       "the slices that scan makes have no place, which the pass 'loops' sees to, at t:4"},
      {&in_order, "",
       "input %a: f32[2] state\n input %b: f32[2] state\n %0 = exp(%b) : f32[2]\n %1 = exp(%a) : f32[2]\n output a = %0 aliases %a\n"
       " output b = %1 aliases %b",
       "the update 'a' and others read what each other replaces, so that there is no order, which the pass 'updates' sees to, at t:7"},
      {&in_place, "", "input %a: f32[2] state\n input %b: f32[2]\n output a = %b aliases %a",
       "'a' is not written in place, which the pass 'updates' sees to, at t:5"},
      {&nests, "", "input %x: f32[2]\n %0 = exp(%x) : f32[2]\n output y = %0",
       "exp is in no loop nest, which the pass 'fuse' sees to, at t:4"},
      {&planned, "", "input %x: f32[2]\n %0 = exp(%x) : f32[2]\n output y = %0",
       "a result of exp has no room: it is given no place in the arena, at t:4, which the pass 'plan' sees to"},
  };
  return all;
}

ir::Module contradicting(const Contradiction& c) { return ir::parse("weft 1\n" + c.header + "func @f {\n " + c.body + "\n}\n", "t"); }

/// Does nothing, but needs or promises something.
passes::Pass idle(std::vector<const passes::Fact*> needs, std::vector<const passes::Fact*> promises) {
  return {"idle", "a pass that does nothing", std::move(needs), std::move(promises),
          [](ir::Module&, const passes::Target&) { return false; }};
}

}  // namespace

TEST_CASE("pass manager: a pass that needs what is not so says who sees to it", "[passes][manager]") {
  for (const Contradiction& c : contradictions()) {
    INFO(c.fact->name);
    ir::Module m = contradicting(c);
    REQUIRE_THROWS_WITH(passes::run_pass(m, idle({c.fact}, {}), passes::generic_target()),
                        Catch::Matchers::Equals(fmt::format("the pass 'idle' needs this to be so: {}; but {}", c.fact->doc, c.what)));
  }
}

TEST_CASE("pass manager: a pass that does not keep its promise is weft's own mistake", "[passes][manager]") {
  for (const Contradiction& c : contradictions()) {
    INFO(c.fact->name);
    ir::Module m = contradicting(c);
    REQUIRE_THROWS_WITH(passes::run_pass(m, idle({}, {c.fact}), passes::generic_target()),
                        contains_text("internal error in weft") &&
                            contains_text(fmt::format("after the pass 'idle': it promises that {}, but ", c.fact->doc)));
  }
}

TEST_CASE("pass manager: what a pass needs is promised by one before it", "[passes][manager]") {
  std::set<const passes::Fact*> known, tried;
  for (const Contradiction& c : contradictions()) tried.insert(c.fact);
  for (const std::string& name : passes::pipeline("compile")) {
    INFO(name);
    const passes::Pass& pass = passes::find_pass(name);
    for (const passes::Fact* fact : pass.needs) CHECK(known.contains(fact));
    for (const passes::Fact* fact : pass.promises) {
      known.insert(fact);
      CHECK(tried.contains(fact));
    }
  }
  CHECK(known == tried);
}

TEST_CASE("pass manager: what was promised holds until the end", "[passes][manager]") {
  for (const NamedProgram& program : programs()) {
    ir::Module m = module_from(program.with("f32"));
    std::set<const passes::Fact*> promised;
    passes::RunOptions options;
    options.after = [&](const ir::Module& now, const passes::PassRun& r) {
      for (const passes::Fact* fact : passes::find_pass(r.name).promises) promised.insert(fact);
      for (const passes::Fact* fact : promised) {
        INFO(program.name << ": '" << fact->name << "' after " << r.name);
        CHECK_FALSE(fact->violation(now, passes::generic_target()));
      }
    };
    run(m, passes::pipeline("compile"), options);
  }
}

namespace {

/// "`primitive`, `nests`"
std::string names_of(const std::vector<const passes::Fact*>& facts) {
  std::string text;
  for (const passes::Fact* fact : facts) text += (text.empty() ? "`" : ", `") + std::string(fact->name) + "`";
  return text;
}

/// The tables of docs/ARCHITECTURE.md.
std::string tables() {
  std::string text = "| pass | what it does | needs | promises |\n|---|---|---|---|\n";
  std::vector<const passes::Fact*> facts;
  for (const passes::Pass& pass : passes::all_passes()) {
    text += fmt::format("| `{}` | {} | {} | {} |\n", pass.name, pass.doc, names_of(pass.needs), names_of(pass.promises));
    for (const passes::Fact* fact : pass.promises)
      if (std::count(facts.begin(), facts.end(), fact) == 0) facts.push_back(fact);
  }
  text += "\n| fact | what is so |\n|---|---|\n";
  for (const passes::Fact* fact : facts) text += fmt::format("| `{}` | {} |\n", fact->name, fact->doc);
  return text;
}

}  // namespace

TEST_CASE("pass manager: docs/ARCHITECTURE.md lists the passes as they are", "[passes][manager]") {
  test::check_page_section("docs/ARCHITECTURE.md", "passes", tables());
}
