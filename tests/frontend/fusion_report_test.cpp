// What a step's fusion tells: what each call computes, why there are several, what is reordered, and what was recorded of it.

#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "weft/frontend/report/fusion.h"
#include "weft/frontend/report/replay.h"
#include "weft/frontend/report/rows.h"
#include "weft/ir/parser.h"
#include "weft/tests/frontend/reported.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/passes/blocking.h"

using namespace weft;
using Json = nlohmann::json;
using testing::planned;
using testing::run;
using testing::training;

TEST_CASE("the fusion of a step: what each call computes, and why there are several") {
  Step step = training();
  const Fusion fusion = step.fusion();
  REQUIRE(fusion.calls.size() == step.calls().size());
  CHECK(fusion.calls[0].call == step.calls()[0]);
  const auto kernel = std::find_if(fusion.calls.begin(), fusion.calls.end(), [](const FusedCall& c) { return c.origin.op == "fused"; });
  REQUIRE(kernel != fusion.calls.end());
  CHECK(kernel->ops.size() > 1);
  CHECK_THAT(kernel->body, contains_text(kernel->ops[0] + "("));
  const auto says = [&](const std::string& why) {
    return std::any_of(fusion.remarks.begin(), fusion.remarks.end(),
                       [&](const passes::Remark& r) { return r.why.find(why) != std::string::npos; });
  };
  CHECK(says("matmul is a call of the target's own"));
  CHECK_THAT(fusion.table(), contains_text(" ops: ") && contains_text("not fused: "));
  const Json json = Json::parse(fusion.json());
  CHECK(json["remarks"].size() == fusion.remarks.size());
  CHECK(json["remarks"][0]["what"] == "not fused");
}

TEST_CASE("a remark says which calls it is about, also where two ops have the same name, type, line and layer") {
  struct Twice : nn::Module {
    nn::Linear fc = add("fc", nn::Linear(16, 16));
    Tensor forward(Tensor x) override {
      for (int i = 0; i < 2; ++i) x = tanh(fc(x));
      return x;
    }
  };
  Twice net;
  Graph g("twice");
  g.output("y", net(g.input("x", f32, {8, 16})));
  const Fusion fusion = compile(g, Target::cpu({.threads = 1})).fusion();
  std::set<std::vector<int>> calls, recorded;
  std::set<std::string> texts;
  const auto note = [&](const passes::Remark::Of& of) {
    if (of.op != "matmul") return;
    texts.insert(fmt::format("{} {}", to_string(of.type), to_string(of.locations)));
    calls.insert(of.calls), recorded.insert(of.recorded);
  };
  for (const passes::Remark& remark : fusion.remarks) {
    note(remark.of);
    if (remark.other) note(*remark.other);
  }
  CHECK(texts.size() == 1);
  CHECK((calls.size() == 2 && recorded.size() == 2));
  for (const std::vector<int>& of : calls) {
    REQUIRE(of.size() == 1);
    CHECK(fusion.calls.at(static_cast<size_t>(of[0])).origin.op == "matmul");
  }
  const Json json = Json::parse(fusion.json());
  CHECK(json["remarks"][0]["of"]["calls"] == fusion.remarks[0].of.calls);
}

TEST_CASE("a kernel says what was recorded that it computes") {
  Step step = training();
  step.start_profile();
  run(step, 1);
  const Fusion fusion = step.fusion();
  const Profile profile = step.profile();
  size_t losses = 0;
  for (size_t i = 0; i < fusion.calls.size(); ++i) {
    const FusedCall& call = fusion.calls[i];
    CHECK(profile.calls[i].recorded == call.recorded);
    if (std::find(call.recorded.begin(), call.recorded.end(), "cross_entropy") == call.recorded.end()) continue;
    ++losses;
    CHECK((call.origin.op == "fused" && std::find(call.ops.begin(), call.ops.end(), "cross_entropy") == call.ops.end()));
  }
  CHECK(losses > 0);
  CHECK((fusion.calls[0].origin.layer == "fc1" && fusion.calls[0].recorded[0] == "matmul"));
  CHECK_THAT(fusion.table(), contains_text("  of cross_entropy"));
  CHECK_THAT(profile.table(), contains_text(" = cross_entropy"));
  for (const passes::Remark& remark : fusion.remarks) {
    if (!remark.other) continue;
    INFO(to_string(remark));
    CHECK_FALSE(remark.of.calls.empty());
    if (!remark.reorders) CHECK_FALSE(remark.other->calls.empty());  // what a reorder is for may be a view
  }
}

TEST_CASE(
    "of reorders a fusion says what they cost: nothing in a kernel that computes more, and the boundary behind one has that for its "
    "reason") {
  const testing::Blocking target;
  const ir::Module recorded = ir::parse(R"(weft 1
func @f {
  input %x: f32[3,4,9]
  input %w: f32[6,4,2] parameter
  input %v: f32[48,5] parameter
  %e = exp(%x) : f32[3,4,9]
  %c = convolution(%e, %w) : f32[3,6,8]
  %r = reshape(%c) {shape = [3,48]} : f32[3,48]
  %y = matmul(%r, %v) : f32[3,5]
  output y = %y
}
)");
  detail::Replay replay(recorded, target);
  replay.run(passes::pipeline("compile"));
  const Fusion fusion = detail::fusion_of(replay.module().graph(), {}, replay);
  std::map<std::string, const passes::Remark*> reorders;
  int unexplained = 0;
  for (const passes::Remark& r : fusion.remarks) {
    if (r.reorders) reorders[r.of.op] = &r;
    INFO(to_string(r));
    unexplained += r.what == "not fused" && r.of.op == "transpose";  // behind a kernel that also has exp
    if (r.reorders) CHECK((r.of.calls.size() == 1 && r.other->calls.size() == 1));
  }
  CHECK(unexplained == 1);
  REQUIRE(reorders.size() == 3);
  const auto op_of = [&](const passes::Remark::Of& of) { return fusion.calls.at(static_cast<size_t>(of.calls.at(0))).origin.op; };
  CHECK(reorders["exp"]->bytes == 0);
  CHECK_THAT(to_string(*reorders["exp"]), contains_text("it is made along with what else its kernel computes"));
  CHECK(reorders["parameter w"]->bytes == 2 * 6 * 4 * 2 * 4);
  CHECK((op_of(reorders["parameter w"]->of) != "convolution" && op_of(*reorders["parameter w"]->other) == "convolution"));
  CHECK(reorders["convolution"]->bytes == 2 * 3 * 6 * 8 * 4);
  CHECK((op_of(*reorders["convolution"]->other) == "matmul" && reorders["convolution"]->other->op == "reshape"));
  // Sorted; aside comes last, and is said to be.
  CHECK(fusion.remarks.front().bytes == 2 * 3 * 6 * 8 * 4);
  CHECK((fusion.remarks.back().what == "laid out" && fusion.remarks.back().aside));
  const Json json = Json::parse(fusion.json())["remarks"];
  CHECK((json.back()["aside"] == true && !json.front().contains("aside") && json.front()["bytes"] == 1152));
  CHECK_THAT(fusion.table(), contains_text("reordered: parameter w") && contains_text("laid out: convolution"));
}

TEST_CASE("of a graph that launches something else than the passes make, nothing is said of what was recorded") {
  const ir::Module recorded = ir::parse("weft 1\nfunc @f {\n  input %x: f32[4]\n  %0 = exp(%x) : f32[4]\n  output y = %0\n}\n");
  detail::Replay replay(recorded, passes::generic_target());
  replay.run(passes::pipeline("compile"));
  CHECK(replay.recorded_of(replay.module().graph()) == std::vector<std::vector<std::string>>{{"exp"}});
  CHECK(replay.recorded_of(ir::parse(planned).graph()).empty());
}
