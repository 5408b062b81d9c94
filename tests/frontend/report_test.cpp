// What a step tells about itself: its parts, memory, cost, its trace, and the page of it all.

#include <filesystem>
#include <nlohmann/json.hpp>

#include "weft/frontend/report/cost.h"
#include "weft/frontend/report/fusion.h"
#include "weft/frontend/report/memory_plan.h"
#include "weft/frontend/report/origin.h"
#include "weft/frontend/report/replay.h"
#include "weft/frontend/report/rows.h"
#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/tests/frontend/reported.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using Json = nlohmann::json;
using weft::test::read_file;
using weft::test::TempDir;
using weft::testing::planned;
using weft::testing::recorded_in;
using weft::testing::run;
using weft::testing::training;

namespace {

const ProfileRow* row(const std::vector<ProfileRow>& rows, const std::string& name) {
  const auto found = std::find_if(rows.begin(), rows.end(), [&](const ProfileRow& r) { return r.name == name; });
  return found == rows.end() ? nullptr : &*found;
}

}  // namespace

TEST_CASE("ops of a training step are forward, backward or updates") {
  Step step = training();
  step.start_profile();
  run(step, 3);
  const Profile profile = step.profile();
  REQUIRE(profile.phases.size() == 3);
  double sum = 0;
  for (const char* phase : {"forward", "backward", "update"}) {
    const ProfileRow* r = row(profile.phases, phase);
    REQUIRE(r);
    CHECK(r->microseconds > 0);
    sum += r->microseconds;
  }
  CHECK(sum == Approx(profile.step.microseconds));
  // The first product is of the first layer, and forward; no product of a gradient is.
  CHECK((profile.calls[0].origin.layer == "fc1" && profile.calls[0].origin.phase == "forward" && profile.calls[0].origin.op == "matmul"));
  int64_t products = 0;
  for (const ProfileRow& call : profile.calls) products += call.origin.op == "matmul" && call.origin.phase == "forward";
  CHECK(products == 2);
  CHECK_THAT(profile.table(), contains_text("part of the step\n"));
  const Json json = Json::parse(profile.json());
  CHECK(json["calls"].size() == step.calls().size());
  CHECK(json["phases"].size() == 3);
  CHECK(json["calls"][0]["layer"] == "fc1");
  CHECK(json["step"]["us"].get<double>() == Approx(profile.step.microseconds));
}

TEST_CASE("what serves several parts of a step runs in the first that needs it") {
  const ir::Module m = ir::parse(R"(weft 1
func @f {
  input %x: f32[4]
  %0 = exp(%x) : f32[4] at "a.cpp":1 in forward, backward
  %1 = neg(%0) : f32[4] at "a.cpp":2
  %2 = sin(%x) : f32[4] at "a.cpp":3 in forward, backward
  %3 = mul(%0, %2) : f32[4] at "a.cpp":4 in backward
  %4 = exp(%3) : f32[4] at "a.cpp":5 in backward, update
  %5 = abs(%3) : f32[4] at "a.cpp":5 in forward, update
  output y = %1
  output z = %5
  output w = %4 aliases %x
}
)");
  std::vector<ir::Phase> phases;
  const auto of = detail::running_phases(m.graph());
  for (const ir::Op* op : m.graph().ops()) phases.push_back(of.at(op));
  using enum ir::Phase;
  CHECK(phases == std::vector<ir::Phase>{forward, forward, backward, backward, update, update});
}

TEST_CASE("a gradient's product is of the backward half, whatever of the update has gone into it") {
  const ir::Module m = ir::parse(R"(weft 1
func @f {
  input %x: f32[4,4]
  input %w: f32[4,4]
  %0 = matmul(%x, %x) : f32[4,4] at "a.cpp":1 in backward, update
  %1 = sub(%w, %0) : f32[4,4] at "a.cpp":2 in backward, update
  output w = %1 aliases %w
}
)");
  const auto of = detail::running_phases(m.graph());
  CHECK(of.at(m.graph().ops().front()) == ir::Phase::backward);
  CHECK(of.at(m.graph().ops().back()) == ir::Phase::update);
}

TEST_CASE("a loop nest comes from the lines of what it computes, not from those that share its constants") {
  const ir::Module m = ir::parse(R"(weft 1
func @f {
  input %x: f32[4]
  input %n: f32[]
  %0 = kernel(%x, %n) {serial = true} : f32[4] {
    input %x: f32[4]
    input %n: f32[]
    %0 = fused(%x, %n) : f32[4] {
      input %x: f32[4]
      input %n: f32[]
      %a = sqrt(%n) : f32[] at "net.cpp":1 "a", "net.cpp":3 "c"
      %b = broadcast(%a) {shape = [4]} : f32[4] at "net.cpp":1 "a", "net.cpp":3 "c"
      %0 = constant() {value = f32[] 0.5} : f32[] at "net.cpp":1 "a", "net.cpp":2 "b", "net.cpp":3 "c"
      %1 = broadcast(%0) {shape = [4]} : f32[4] at "net.cpp":1 "a", "net.cpp":2 "b", "net.cpp":3 "c"
      %2 = exp(%x) : f32[4] at "net.cpp":2 "b"
      %3 = mul(%2, %1) : f32[4] at "net.cpp":4
      %4 = mul(%3, %b) : f32[4] at "net.cpp":4
      output %4
    } at "net.cpp":1 "a", "net.cpp":2 "b", "net.cpp":3 "c"
    output %0
  } at "net.cpp":1 "a", "net.cpp":2 "b", "net.cpp":3 "c"
  %1 = fused() : i64[4] {
    %0 = iota() {shape = [4]} : i64[4] at "net.cpp":5 "d"
    output %0
  } at "net.cpp":5 "d"
  output y = %0
  output z = %1
}
)");
  const std::vector<Origin> origins = detail::launched_origins(m.graph());
  REQUIRE(origins.size() == 2);
  CHECK((origins[0].layer == "b" && origins[0].source == "net.cpp:2, net.cpp:4"));
  CHECK((origins[1].layer == "d" && origins[1].source == "net.cpp:5"));
}

TEST_CASE("a loop nest of very many layers counts them all") {
  std::string text =
      "weft 1\nfunc @f {\n  input %x: f32[4]\n  %y = fused(%x) : f32[4] {\n    input %x: f32[4]\n    %0 = exp(%x) : f32[4] at "
      "\"net.cpp\":1 \"a0\"\n";
  for (int i = 1; i < 40; ++i) text += fmt::format("    %{} = exp(%{}) : f32[4] at \"net.cpp\":{} \"a{}\"\n", i, i - 1, i + 1, i);
  const ir::Module m = ir::parse(text + "    output %39\n  }\n  output y = %y\n}\n");
  const Origin origin = detail::launched_origins(m.graph()).at(0);
  CHECK((origin.layer == "a0, a1 and 38 more" && origin.source == "net.cpp:1, net.cpp:2 and 38 more"));
}

TEST_CASE("layers and lines of one place stand in one order, numbers in them as numbers") {
  const auto of = [](const std::string& first, const std::string& second) {
    const ir::Module m = ir::parse(
        "weft 1\nfunc @f {\n  input %x: f32[4]\n  %y = fused(%x) : f32[4] {\n    input %x: f32[4]\n    %0 = exp(%x) : f32[4] at " + first +
        "\n    %1 = sin(%0) : f32[4] at " + second + "\n    output %1\n  }\n  output y = %y\n}\n");
    return detail::launched_origins(m.graph()).at(0);
  };
  const std::string tenth = "\"net.cpp\":83 \"net.10\"", second = "\"net.cpp\":9 \"net.2\"";
  for (const Origin& origin : {of(tenth, second), of(second, tenth)})
    CHECK((origin.layer == "net.2, net.10" && origin.source == "net.cpp:9, net.cpp:83"));
  CHECK(detail::in_natural_order("a.2", "a.10"));
  CHECK_FALSE(detail::in_natural_order("a.10", "a.2"));
  CHECK((detail::in_natural_order("a", "a.0") && detail::in_natural_order("a.02b", "a.2c") && !detail::in_natural_order("a.2", "a.2")));
  CHECK(detail::in_natural_order("a.02", "a.2") != detail::in_natural_order("a.2", "a.02"));
}

TEST_CASE("the memory of a step: the arena and its values, largest first, with their lines") {
  Step step = training();
  const MemoryPlan plan = step.memory();
  REQUIRE(plan.arena_bytes);
  CHECK(*plan.arena_bytes == static_cast<int64_t>(step.arena_bytes()));
  CHECK(plan.peak_bytes() <= *plan.arena_bytes);
  CHECK(plan.peak_bytes() == *std::max_element(plan.in_use.begin(), plan.in_use.end()));
  for (size_t i = 1; i < plan.values.size(); ++i) CHECK(plan.values[i - 1].bytes >= plan.values[i].bytes);
  const std::string text = plan.table();
  CHECK_THAT(text, contains_text(fmt::format("arena: {} bytes for {} values of {} bytes in all", *plan.arena_bytes, plan.values.size(),
                                             plan.value_bytes())) &&
                       contains_text("f32[8,32] of matmul at " + recorded_in()) && contains_text("(fc1)"));
  Graph g("interpreted");
  g.output("y", g.input("x", f32, {2}) * 2);
  CHECK_THAT(compile(g, Target::reference()).memory().table(), contains_text("nothing was planned"));
}

TEST_CASE("the peak of the memory: who is alive then, shared bytes counted once") {
  const MemoryPlan plan = detail::memory_plan(ir::parse(planned));
  CHECK(plan.in_use == std::vector<int64_t>{400, 800, 400, 202});
  CHECK((plan.peak == 1 && plan.peak_bytes() == 800 && plan.value_bytes() == 1002));
  REQUIRE(plan.at_peak.size() == 2);
  const PlannedValue& first = plan.values[plan.at_peak[0]];
  CHECK((first.name == "%fc1.exp" && first.type == "f32[100]" && first.origin.layer == "fc1" && first.origin.source == "net.cpp:3"));
  CHECK((first.first == 0 && first.last == 1 && first.offset == 0));
  REQUIRE(plan.inputs.size() == 2);
  CHECK((plan.inputs[1].role == "parameter" && plan.inputs[1].count == 1 && plan.inputs[1].bytes == 400));
  const Json json = Json::parse(plan.json());
  CHECK(json["peak_bytes"] == 800);
  CHECK(json["values"][3]["phase"] == "backward");
}

TEST_CASE("scratch memory is neither read nor written for a cost") {
  const ir::Module m = ir::parse(R"(weft 1
func @f {
  input %x: f32[8,16]
  input %w: f32[16,4]
  %0, %1 = matmul(%x, %w) {slices = 1, scratch = 4096} : f32[8,4], u8[4096]
  output y = %0
}
)");
  const CostRow cost = detail::cost_of(*m.graph().ops().front());
  CHECK(cost.written == 8 * 4 * 4);
  CHECK(cost.bytes() == ir::bytes_of(*m.graph().ops().front()));
}

TEST_CASE("the cost of a program by op, layer, source line and part of the step") {
  const Cost cost = detail::cost_of(ir::parse(R"(weft 1
func @f {
  input %x: f32[8,16]
  input %w: f32[16,4] parameter
  %0 = matmul(%x, %w) : f32[8,4] at "net.cpp":3 "fc1"
  %1 = reshape(%0) {shape = [32]} : f32[32] at "net.cpp":4
  %2 = mul(%1, %1) : f32[32] at "net.cpp":4 in backward
  output y = %2
}
)")
                                        .graph());
  REQUIRE(cost.ops.size() == 3);
  CHECK((cost.ops[0].name == "%fc1.matmul" && cost.ops[0].flops == 2 * 8 * 16 * 4 && cost.ops[0].read == 4 * (8 * 16 + 16 * 4)));
  CHECK((cost.ops[1].bytes() == 0 && cost.ops[2].read == 128 && cost.ops[2].written == 128));
  CHECK((cost.whole.ops == 3 && cost.whole.flops == 1024 + 32));
  const auto names = [](const std::vector<CostRow>& rows) {
    std::vector<std::string> all;
    for (const CostRow& r : rows) all.push_back(r.name);
    return all;
  };
  CHECK(names(cost.layers) == std::vector<std::string>{"fc1", "net.cpp:4"});
  CHECK(names(cost.sources) == std::vector<std::string>{"net.cpp:3", "net.cpp:4"});
  CHECK(names(cost.phases) == std::vector<std::string>{"forward", "backward"});
  CHECK(names(cost.kinds) == std::vector<std::string>{"matmul", "mul", "reshape"});
  CHECK_THAT(cost.table(), contains_text("FLOPs") && contains_text("  fc1\n") && contains_text("the whole program"));
  CHECK(Json::parse(cost.json())["layers"][0]["flops"] == 1024);
}

TEST_CASE("a trace has a track a thread, each call named by its layer and op") {
  const TempDir dir;
  Step step = training();
  CHECK_THROWS_WITH(step.trace(dir / "t.json"), contains_text("no step was traced") && contains_text("start_profile(n) comes before"));
  step.start_profile(2);
  run(step, 5);
  step.trace(dir / "t.json");
  const Json events = Json::parse(read_file(dir / "t.json"))["traceEvents"];
  std::map<int, std::string> tracks;
  std::map<int, double> ends;
  int steps = 0, products = 0;
  for (const Json& event : events) {
    if (event["ph"] == "M") {
      if (event["name"] == "thread_name") tracks[event["tid"]] = event["args"]["name"];
      continue;
    }
    REQUIRE(event["ph"] == "X");
    CHECK(event["dur"].get<double>() >= 0);
    if (event["cat"] == "step") ++steps;
    if (event["name"] == "fc1 matmul" && event["cat"] == "forward") {
      ++products;
      CHECK(event["args"]["flops"].get<double>() >= 2 * 8 * 16 * 32);  // and its bias
    }
    // Slices of a track do not overlap.
    const int track = event["tid"];
    CHECK(event["ts"].get<double>() >= ends[track] - 1e-3);
    ends[track] = event["ts"].get<double>() + event["dur"].get<double>();
  }
  CHECK(steps == 2);
  CHECK(products >= 2);
  CHECK(tracks[0] == "steps");
  CHECK(tracks[1] == "thread 0");
}

TEST_CASE("a page holds all that is known, and asks for nothing from elsewhere") {
  const TempDir dir;
  Step step = training();
  step.start_profile();
  run(step, 2);
  step.report(dir / "net.html", {.losses = {2.5, 1.25}});
  const std::string page = read_file(dir / "net.html");
  const size_t from = page.find("id=\"facts\">") + 11, to = page.find("</script>", from);
  const Json facts = Json::parse(page.substr(from, to - from));
  std::string rest = page.substr(0, from) + page.substr(to);
  rest.erase(rest.find("http://www.w3.org/2000/svg"), 26);  // a name: nobody asks there
  for (const char* elsewhere : {"http://", "https://", "src=", "<link", "@import", "{{"}) CHECK(rest.find(elsewhere) == std::string::npos);
  CHECK(facts["program"] == "net");
  CHECK(facts["losses"] == Json({2.5, 1.25}));
  CHECK(facts["launches"].size() == step.calls().size());
  CHECK(facts["profile"]["calls"].size() == step.calls().size());
  CHECK(facts["memory"]["arena_bytes"] == step.arena_bytes());
  // From wherever it runs: the compiler may have been given a name that leads there from where it built.
  CHECK_THAT(facts["sources"].at(recorded_in()).get<std::string>(), contains_text("nn::Linear(16, 32)"));
  CHECK_FALSE(facts["no_sources"].contains(recorded_in()));
  const Json& stages = facts["graph"]["stages"];
  REQUIRE(stages.size() == step.passes().size() + 1);
  CHECK(stages[0]["name"] == "recorded");
  for (size_t i = 1; i < stages.size(); ++i) CHECK(stages[i]["name"] == step.passes()[i - 1].name);
  // What a pass leaves alone keeps its number: of the recorded ops some are there after the training step.
  const auto ids = [](const Json& stage) {
    std::set<int> all;
    for (size_t i = 0; i < stage["ops"].size(); i += 5) all.insert(stage["ops"][i].get<int>());
    return all;
  };
  std::set<int> recorded = ids(stages[0]);
  for (const Json& stage : stages)
    if (stage["name"] == "training_step")
      for (int id : recorded) CHECK(ids(stage).contains(id));
  for (const auto& [name, kernel] : facts["kernels"].items()) CHECK_THAT(kernel["text"].get<std::string>(), contains_text("define"));
  // In every stage there is an op that was made of the loss.
  const Json& kinds = facts["recorded"];
  const auto loss = std::find(kinds.begin(), kinds.end(), "cross_entropy") - kinds.begin();
  for (const Json& stage : stages) {
    if (!stage.contains("ops")) continue;
    bool found = false;
    for (size_t i = 0; i < stage["ops"].size(); i += 5)
      for (const Json& number : facts["graph"]["made_of"][stage["ops"][i + 4].get<size_t>()]) found = found || number == loss;
    INFO(stage["name"]);
    CHECK(found);
  }
}

TEST_CASE("a page of a program whose names mean something in HTML") {
  const TempDir dir;
  Graph g("a</script><b>");
  g.output("y</script>", g.input("x", f32, {2}) * 2);
  compile(g, Target::cpu({.threads = 1})).report(dir / "p.html");
  const std::string page = read_file(dir / "p.html");
  size_t ends = 0;
  for (size_t at = page.find("</script>"); at != std::string::npos; at = page.find("</script>", at + 1)) ++ends;
  CHECK(ends == 3);  // of the words, of the facts and of the script
  CHECK(page.find("<b>") == std::string::npos);
  compile(g, Target::reference()).report(dir / "r.html");  // no plan, no calls
  CHECK_THROWS_WITH(compile(g, Target::reference()).report(dir / "no folder/p.html"), contains_text("no folder/p.html"));
}

TEST_CASE("a training writes its trace and its page") {
  const TempDir dir;
  nn::Sequential net(nn::Linear(2, 8), nn::ReLU(), nn::Linear(8, 2));
  optim::SGD sgd({.lr = 0.1});
  const Dataset data = testing::points(32);
  Trainer(net, cross_entropy, sgd)
      .fit(data, data, {.epochs = 2, .batch = 8, .files = {.trace = dir / "t.json", .report = dir / "r.html"}, .log = "none"});
  const std::string page = read_file(dir / "r.html");
  const size_t from = page.find("id=\"facts\">") + 11, to = page.find("</script>", from);
  const Json facts = Json::parse(page.substr(from, to - from));
  CHECK(facts["losses"].size() == 8);
  CHECK(facts["profile"]["step"]["us"].get<double>() > 0);
  // What cannot be written is said before the training.
  int made = 0;
  Trainer trainer(net, cross_entropy, sgd);
  trainer.after_step([&](auto&) { ++made; });
  for (const FileOptions& files : {FileOptions{.trace = dir / "none/t.json"}, FileOptions{.report = dir / "none/r.html"}})
    CHECK_THROWS_WITH(trainer.fit(data, data, {.batch = 8, .files = files, .log = "none"}), contains_text("none/"));
  CHECK(made == 0);
  int steps = 0;
  const Json trace = Json::parse(read_file(dir / "t.json"));
  for (const Json& event : trace["traceEvents"]) steps += event.contains("cat") && event["cat"] == "step";
  CHECK(steps == 8);
}
