// Every pass on every stage of a program: it runs, or says what it needs. Nothing of that is a defect of weft.

#include "weft/backends/cpu/cpu.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/passes/pass.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/tests/text/corpus.h"

using namespace weft;

namespace {

/// The program as recorded and after each pass of the pipeline, for this target.
std::vector<ir::Module> stages_of(const std::string& text, const passes::Target& target) {
  std::vector<ir::Module> all;
  all.push_back(ir::parse(text));
  ir::Module module = ir::parse(text);
  passes::run(module, passes::pipeline("compile"), target,
              {.after = [&](const ir::Module& m, const passes::PassRun&) { all.push_back(m.clone()); }});
  return all;
}

void check_pass(const ir::Module& stage, const std::string& pass, const passes::Target& target) {
  INFO("the pass " << pass << " after '" << stage.stage << "' for " << target.name() << "\n" << ir::print(stage));
  ir::Module module = stage.clone();
  try {
    passes::run(module, {pass}, target);
    // What it gives is a program again, and its own text.
    const std::string text = ir::print(module);
    CHECK(ir::print(ir::parse(text)) == text);
  } catch (const Error& e) {
    CHECK(std::string_view(e.what()).find("internal error") == std::string_view::npos);
  } catch (const std::exception& e) {
    FAIL_CHECK(e.what());
  }
}

}  // namespace

TEST_CASE("every pass runs on every stage, or says what is missing") {
  for (const test::NamedText& program : test::recorded_programs())
    for (const passes::Target* target : {&cpu::target(), &passes::generic_target()}) {
      INFO(program.name);
      for (const ir::Module& stage : stages_of(program.text, *target))
        for (const passes::Pass& pass : passes::all_passes()) check_pass(stage, pass.name, *target);
    }
}

TEST_CASE("a pass names what it needs") {
  const auto refusal = [](const std::string& pass, const std::string& text) -> std::string {
    ir::Module module = ir::parse(text, "t");
    try {
      passes::run(module, {pass}, cpu::target());
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  const std::string train =
      "weft 1\ntrain {loss = \"loss\", inputs = [\"w\"], optimizer = \"sgd\"}\nfunc @f {\n input %w: f32[] parameter\n";
  CHECK(refusal("training_step", train + " output loss = %w\n}\n") ==
        "the pass 'training_step' needs this to be so: every trained parameter has its gradient as an output; but 'w' is trained, but "
        "there is no output 'w.grad', which the pass 'autodiff' sees to, at t:4");
  CHECK(refusal("training_step", train + " output loss = %w\n output w.grad = %w\n}\n") == "");
  CHECK_THAT(refusal("training_step", train + " output other = %w\n output w.grad = %w\n}\n"),
             contains_text("the train block's loss 'loss' is no output"));
  CHECK_THAT(refusal("training_step", train + " output loss = %w\n %0 = cast(%w) {dtype = f64} : f64[]\n output w.grad = %0\n}\n"),
             contains_text("the gradient 'w.grad' is f64[], but 'w' is f32[], at t:7"));
  const std::string twice =
      "weft 1\ntrain {loss = \"loss\", inputs = [\"w\", \"w\"], optimizer = \"sgd\"}\nfunc @f {\n input %w: f32[] parameter\n";
  CHECK_THAT(refusal("training_step", twice + " output loss = %w\n output w.grad = %w\n}\n"), contains_text("names 'w' twice"));

  const std::string swap =
      "weft 1\nfunc @f {\n input %a: f32[2] state\n input %b: f32[2] state\n %0 = exp(%b) : f32[2]\n %1 = exp(%a) : f32[2]\n"
      " output a = %0 aliases %a\n output b = %1 aliases %b\n}\n";
  CHECK_THAT(refusal("schedule", swap), contains_text("so that there is no order, which the pass 'updates' sees to, at t:7"));
  CHECK_THAT(refusal("plan", swap), contains_text("after it was replaced"));
  CHECK_THAT(refusal("plan", "weft 1\nfunc @f {\n input %a: f32[2] state\n input %b: f32[2]\n output a = %b aliases %a\n}\n"),
             contains_text("'a' is not written in place, which the pass 'updates' sees to, at t:5"));
}
