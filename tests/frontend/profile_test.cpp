#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <sstream>

#include "weft/frontend/report/cost.h"
#include "weft/ir/parser.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;

namespace {

/// A product, and a sum of its squares.
Step small_program() {
  Graph g("small");
  const Tensor x = g.input("x", f32, {64, 256}), w = g.input("w", f32, {256, 128});
  g.output("y", sum(square(matmul(x, w))));
  return compile(g, Target::cpu({.threads = 2, .share_all = true}));
}

void run(Step& step, int times) {
  const std::vector<float> x(64 * 256, 1), w(256 * 128, 1);
  for (int i = 0; i < times; ++i) step({{"x", x}, {"w", w}});
}

}  // namespace

TEST_CASE("a profile has each call's time, and its work") {
  Step step = small_program();
  run(step, 2);
  CHECK(step.profile().empty());  // not asked for
  CHECK_THAT(step.profile().table(), contains_text("nothing was measured: start_profile() comes before"));
  step.start_profile();
  run(step, 20);
  const std::vector<ProfileRow> calls = step.profile().calls;
  REQUIRE(calls.size() == step.calls().size());
  CHECK(calls[0].name == step.calls()[0]);
  CHECK(calls[0].flops == 2.0 * 64 * 256 * 128);
  CHECK(calls[0].bytes == 4.0 * (64 * 256 + 256 * 128 + 64 * 128));
  for (const ProfileRow& c : calls) {
    CHECK(c.microseconds > 0);
    CHECK(c.waiting <= c.microseconds);
  }
  CHECK_THAT(step.profile().table(),
             contains_text("GFLOP/s") && contains_text("matmul (f32[64,256], f32[256,128])") && contains_text("the whole step"));
}

TEST_CASE("a profile has a loop's calls, each with its time and work over all of the loop's steps") {
  nn::LSTM lstm(8, 16);
  optim::SGD sgd;
  Graph g("series");
  const Tensor loss = g.output("loss", mean(square(lstm(g.input("x", f32, {5, 4, 8})).output)));
  Step step = compile(training_step(g, loss, lstm.parameters(), sgd), Target::cpu({.threads = 2, .share_all = true}));
  step.start_profile();
  for (int i = 0; i < 5; ++i) step({{"x", std::vector<float>(5 * 4 * 8, 1)}});
  const std::vector<ProfileRow> calls = step.profile().calls;
  REQUIRE(calls.size() == step.calls().size());
  const std::string product = "5 x matmul (f32[4,16], f32[64,16]";  // of the state and its weights, in each step
  const auto found = std::find_if(calls.begin(), calls.end(), [&](const ProfileRow& c) { return c.name.starts_with(product); });
  INFO(fmt::format("{}", fmt::join(step.calls(), "\n")));
  REQUIRE(found != calls.end());
  CHECK(found->microseconds > 0);
  CHECK(found->flops == 5 * 2.0 * 4 * 16 * 64);
  CHECK(found->runs == 5);
  CHECK(found->kernel.starts_with("matmul by "));
  CHECK_THAT(step.profile().table(), contains_text(product) && contains_text("the whole step"));
  // Fusion, whose rows the page shows beside these times, says the same of their work.
  const std::vector<FusedCall> fused = step.fusion().calls;
  REQUIRE(fused.size() == calls.size());
  for (size_t i = 0; i < calls.size(); ++i) {
    INFO(calls[i].name);
    CHECK((fused[i].flops == calls[i].flops && fused[i].bytes == calls[i].bytes && fused[i].runs == calls[i].runs));
  }
}

TEST_CASE("a trace has each run of what a loop repeats, with the work of one") {
  nn::LSTM lstm(8, 16);
  Graph g("series");
  g.output("y", mean(square(lstm(g.input("x", f32, {5, 4, 8})).output)));
  Step step = compile(g, Target::cpu({.threads = 1}));
  step.start_profile(1);
  step({{"x", std::vector<float>(5 * 4 * 8, 1)}});
  const test::TempDir dir;
  step.trace(dir / "trace.json");
  double runs = 0, flops = 0;
  const nlohmann::json trace = nlohmann::json::parse(test::read_file(dir / "trace.json"));
  for (const auto& event : trace["traceEvents"]) {
    if (!event.contains("args") || !event["args"].contains("flops")) continue;
    flops += event["args"]["flops"].get<double>();
    if (event["args"]["call"].get<std::string>().starts_with("5 x matmul")) ++runs;
  }
  CHECK(runs >= 5);
  CHECK(flops == Approx(step.profile().step.flops));
}

TEST_CASE("what runs in loops, one inside the other, does its work as often as they run") {
  const ir::Module m = ir::parse(R"(weft 1
func @f {
  input %h: f32[4,4]
  input %xs: f32[3,2,4,4]
  %0 = scan(%h, %xs) {carried = 1, sliced = 1, length = 3} : f32[4,4] {
    input %h: f32[4,4]
    input %x: f32[2,4,4]
    %0 = scan(%h, %x) {carried = 1, sliced = 1, length = 2} : f32[4,4] {
      input %h: f32[4,4]
      input %x: f32[4,4]
      %next = matmul(%h, %x) : f32[4,4]
      output %next aliases %h
    }
    output %0 aliases %h
  }
  output y = %0
}
)");
  const std::vector<FusedCall> fused = detail::fused_calls(m.graph(), {});
  REQUIRE(fused.size() == 1);
  CHECK((fused[0].runs == 6 && fused[0].flops == 6 * 2 * 64 && fused[0].bytes == 6 * 3 * 64));
  const CostRow cost = detail::cost_of(*m.graph().ops().front());
  CHECK((cost.flops == 6 * 2 * 64 && cost.read == 6 * 2 * 64 && cost.written == 6 * 64));
  // One run at a time stays in the cache that holds what it touches.
  MachineLimits limits{.threads = 1, .f32 = 1e9, .f64 = 1e9, .bf16 = 0, .memories = {{"L1", 256, 10}, {"memory", 0, 1}}};
  const std::vector<CallTime> calls{{"3 x 2 x matmul (f32[4,4], f32[4,4]) -> f32[4,4]  by a:b  # an unknown line", 1, 0, 768, 1152}};
  const Profile profile = detail::profile_of(calls, m.graph(), limits);
  CHECK(profile.calls[0].least == Approx(1152 * 1e-3 / 10));
  CHECK(profile.kernels[0].name == "matmul by a:b");
}

TEST_CASE("layers whose names are too long for a table are told apart in it") {
  std::string text = "weft 1\nfunc @f {\n  input %x: f32[4,4]\n";
  std::vector<CallTime> calls;
  for (int i = 0; i < 12; ++i) {
    const std::string layer = fmt::format("encoder.the_layers.{}.self_attention.out_projection", i);
    text += fmt::format("  %{} = matmul(%x, %x) : f32[4,4] at \"net.cpp\":3 \"{}\"\n", i, layer);
    calls.push_back({fmt::format("matmul (f32[4,4], f32[4,4]) -> f32[4,4]  by jit:x  # net.cpp:3 ({})", layer), 1, 0, 128, 192});
  }
  const ir::Module m = ir::parse(text + "  output y = %11\n}\n");
  std::istringstream lines(detail::profile_of(calls, m.graph()).table());
  std::set<std::string> shown;
  for (std::string line; std::getline(lines, line);) {
    CHECK(line.size() <= 100);
    if (const size_t at = line.rfind("  # "); at != std::string::npos) shown.insert(line.substr(at));
  }
  CHECK(shown.size() == 12);
}

TEST_CASE("a profile is summed by layer and by kernel, the largest first") {
  const ir::Module planned = ir::parse(R"(weft 1
func @net {
  input %x: f32[4,4]
  %0 = matmul(%x, %x) : f32[4,4] at "net.cpp":3 "fc1"
  %1 = reshape(%0) {shape = [16]} : f32[16] at "net.cpp":3 "fc1"
  %2 = exp(%1) : f32[16] at "net.cpp":4, "net.cpp":3 "fc1", "net.cpp":5 "fc2"
  %3 = matmul(%x, %x) : f32[4,4] at "net.cpp":5 "fc2"
  %4 = exp(%3) : f32[4,4] at "net.cpp":6
  %5 = exp(%3) : f32[4,4] at "net.cpp":5 "fc2", "net.cpp":3 "fc1", "net.cpp":7 "a", "net.cpp":7 "b"
  output y = %4
}
)");
  const std::vector<CallTime> calls{{"matmul (f32[4,4], f32[4,4]) -> f32[4,4]  by jit:x  # net.cpp:3 (fc1)", 10, 1, 128e3, 192e3},
                                    {"weft_k00_exp (f32[16]) -> f32[16]  # net.cpp:4", 30, 2, 16e3, 128e3},
                                    {"matmul (f32[4,4], f32[4,4]) -> f32[4,4]  by gemm:y  # net.cpp:5 (fc2)", 5, 0, 128e3, 192e3},
                                    {"weft_k00_exp (f32[4,4]) -> f32[4,4]  # net.cpp:6", 4, 0, 16e3, 128e3},
                                    {"weft_k01_exp (f32[4,4]) -> f32[4,4]  # net.cpp:5 (fc2)", 1, 0, 16e3, 128e3}};
  const Profile profile = detail::profile_of(calls, planned.graph());
  const auto check = [](const std::vector<ProfileRow>& rows, const std::vector<std::pair<std::string, double>>& wanted) {
    REQUIRE(rows.size() == wanted.size());
    for (size_t i = 0; i < rows.size(); ++i) CHECK((rows[i].name == wanted[i].first && rows[i].microseconds == wanted[i].second));
  };
  check(profile.layers, {{"fc1, fc2", 30}, {"fc1", 10}, {"fc2", 5}, {"net.cpp:6", 4}, {"a, b and 2 more", 1}});
  check(profile.kernels, {{"weft_k00_exp", 34}, {"matmul by jit:x", 10}, {"matmul by gemm:y", 5}, {"weft_k01_exp", 1}});
  check(profile.calls, {{calls[0].call, 10}, {calls[1].call, 30}, {calls[2].call, 5}, {calls[3].call, 4}, {calls[4].call, 1}});
  check(profile.ops, {{"exp", 35}, {"matmul", 15}});
  check(profile.phases, {{"forward", 50}});
  CHECK(profile.sources[0].name == "net.cpp:3, net.cpp:4, net.cpp:5");
  CHECK(profile.kernels[0].calls == 2);
  CHECK(profile.kernels[0].waiting == 2);
  CHECK(profile.kernels[0].bytes == 256e3);
  CHECK((profile.step.microseconds == 50 && profile.step.calls == 5 && profile.step.flops == 304e3));
  const std::string text = profile.table();
  CHECK_THAT(text, contains_text("    34.0     2.0  68.0%     0.9   7.5     2  weft_k00_exp\n") &&
                       contains_text("    10.0     1.0  20.0%    12.8  19.2  matmul (f32[4,4], f32[4,4]) -> f32[4,4]  by jit:x  # fc1\n") &&
                       contains_text("     1.0     0.0   2.0%    16.0 128.0  weft_k01_exp (f32[4,4]) -> f32[4,4]  # a, b and 2 more\n"));
}

TEST_CASE("the profile of a net of many calls: sums first, no line longer than a terminal's") {
  struct Net : nn::Module {
    Net() {
      for (int i = 0; i < 24; ++i) layers.append(nn::Linear(16, 16)), layers.append(nn::LayerNorm({16})), layers.append(nn::GELU());
    }
    Tensor forward(Tensor x) override {
      for (nn::Module& layer : layers) x = layer(x);
      return x;
    }
    nn::ModuleList layers = add("layers", nn::ModuleList());
  } net;
  optim::Adam adam;
  Graph g("deep");
  const Tensor loss = g.output("loss", mean(square(net(g.input("x", f32, {8, 16})))));
  Step step = compile(training_step(g, loss, net.parameters(), adam), Target::cpu({.threads = 1}));
  step.start_profile();
  step({{"x", std::vector<float>(8 * 16, 1)}});
  REQUIRE(step.calls().size() > 80);
  const std::string text = step.profile().table();
  INFO(text);
  std::istringstream lines(text);
  size_t count = 0;
  for (std::string line; std::getline(lines, line); ++count) CHECK(line.size() <= 100);
  CHECK(count <= step.calls().size() + 55);  // a call each, and at most 21 sums of each sort
  const size_t layers = text.find("  layer\n"), kernels = text.find("  kernel\n"), calls = text.find("  call\n"),
               whole = text.find("100.0%");
  CHECK((layers < kernels && kernels < calls && calls < whole && whole != std::string::npos));
  CHECK_THAT(text, contains_text(" others\n") && contains_text("  matmul by ") && contains_text("  # layers."));
}

TEST_CASE("a profile counts of a table the rows that a step looks up") {
  Graph g("rows");
  const Tensor table = g.input("table", f32, {1000, 16}), index = g.input("index", i64, {7});
  g.output("y", index_select(table, 0, index));
  Step step = compile(g, Target::cpu({.threads = 1}));
  step.start_profile();
  step({{"table", std::vector<float>(16000, 1)}, {"index", std::vector<int64_t>{1, 2, 3, 4, 5, 6, 7}}});
  REQUIRE(step.profile().calls.size() == 1);
  CHECK(step.profile().calls[0].bytes == 7 * 8 + 2 * 7 * 16 * 4);
}

TEST_CASE("a profile starts anew when it is started again") {
  Step step = small_program();
  step.start_profile();
  step.start_profile();
  CHECK(step.profile().calls[0].microseconds == 0);
}
