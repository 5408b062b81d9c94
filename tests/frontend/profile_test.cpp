#include <algorithm>
#include <numeric>
#include <sstream>

#include "weft/ir/parser.h"
#include "weft/tests/frontend/support.h"

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
  CHECK_THAT(step.profile().table(), contains_text(product) && contains_text("the whole step"));
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
