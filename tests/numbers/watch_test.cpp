// CompileOptions::watch: what activations, gradients and updates are like, step by step.

#include <filesystem>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>

#include "weft/frontend/program/watch.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/process.h"

using namespace weft;
using nlohmann::json;

namespace {

std::vector<json> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<json> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
  return lines;
}

ValueStatistics of_floats(const std::vector<float>& values) {
  return statistics_of(f32, reinterpret_cast<const std::byte*>(values.data()), static_cast<int64_t>(values.size()));
}

}  // namespace

TEST_CASE("statistics count what is nan, infinite, zero and subnormal, and describe the rest") {
  constexpr float inf = std::numeric_limits<float>::infinity(), tiny = std::numeric_limits<float>::denorm_min();
  const ValueStatistics s = of_floats({1, 3, 0, -0.0f, tiny, -tiny, inf, -inf, std::numeric_limits<float>::quiet_NaN(), 2});
  CHECK(s.count == 10);
  CHECK(s.nans == 1);
  CHECK(s.infinities == 2);
  CHECK(s.zeros == 2);
  CHECK(s.subnormals == 2);
  CHECK(s.finite() == 7);
  CHECK(s.mean == Approx(6.0 / 7));
  CHECK(s.deviation == Approx(std::sqrt(14.0 / 7 - 36.0 / 49)));
  CHECK(s.smallest == -tiny);
  CHECK(s.largest == 3);
  CHECK(range_text(of_floats({1, inf, 4})) == "1 inf, from 1 to 4");
  CHECK(range_text(of_floats({})) == "no elements");
  CHECK(range_text(of_floats({inf})) == "1 inf, none finite");
  CHECK(std::isnan(of_floats({}).mean));
  const std::vector<double> wide{5e-324, 0, 1};
  const ValueStatistics d = statistics_of(f64, reinterpret_cast<const std::byte*>(wide.data()), 3);
  CHECK(d.subnormals == 1);
  Array narrow(bf16, {3});
  narrow.set(0, 1e-39), narrow.set(1, 1.0);
  CHECK(statistics_of(bf16, narrow.data(), 3).subnormals == 1);
  CHECK(statistics_of(bf16, narrow.data(), 3).zeros == 1);
}

TEST_CASE("the first element that is not finite is found wherever it stands") {
  for (const int64_t count : {1, 5, 1023, 1024, 1025, 5000}) {
    std::vector<float> values(static_cast<size_t>(count), 3e38f);
    CHECK(first_not_finite(f32, reinterpret_cast<const std::byte*>(values.data()), count) == -1);
    for (const int64_t at : {int64_t{0}, count / 2, count - 1}) {
      values[static_cast<size_t>(at)] = at % 2 ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
      CHECK(first_not_finite(f32, reinterpret_cast<const std::byte*>(values.data()), count) == at);
      values[static_cast<size_t>(at)] = 0;
    }
  }
  CHECK(first_not_finite(f32, nullptr, 0) == -1);
}

TEST_CASE("a histogram has every finite element in one bucket") {
  const std::vector<float> values{0, 1, 2, 3, 3, std::numeric_limits<float>::infinity()};
  const ValueHistogram h = histogram_of(f32, reinterpret_cast<const std::byte*>(values.data()), 6, 3);
  CHECK(h.edges == std::vector<double>{0, 1, 2, 3});
  CHECK(h.counts == std::vector<int64_t>{1, 1, 3});
  CHECK(h.sum == 9);
  CHECK(h.squares == 23);
  const std::vector<float> equal{2, 2};
  CHECK(histogram_of(f32, reinterpret_cast<const std::byte*>(equal.data()), 2).counts == std::vector<int64_t>{2});
  CHECK(histogram_of(f32, nullptr, 0).counts.empty());
}

TEST_CASE("patterns fit names") {
  using detail::fits;
  CHECK(fits("*", "fc1.weight.grad"));
  CHECK(fits("fc1", "fc1"));
  CHECK_FALSE(fits("fc1", "fc1.weight.grad"));
  CHECK(fits("*.grad", "fc1.weight.grad"));
  CHECK(fits("fc*weight*", "fc1.weight.grad"));
  CHECK_FALSE(fits("*.grad", "fc1.weight.update"));
  CHECK(fits("a*b*c", "abbbc"));
  CHECK_FALSE(fits("a*b*c", "abbb"));
}

TEST_CASE("layers, gradients and updates of a step are watched, and the step computes what it did") {
  const auto trained = [](const std::vector<std::string>& watch) {
    manual_seed(3);
    nn::Linear fc(2, 1);
    fc.weight.set_values(std::vector<float>{2, 0});
    fc.bias.set_values(std::vector<float>{1});
    optim::SGD sgd({.lr = 0.5});
    Graph g("net");
    Tensor x = g.input("x", f32, {2, 2});
    struct Net : nn::Module {
      nn::Linear fc;
      explicit Net(nn::Linear l) : fc(add("fc", l)) {}
      Tensor forward(Tensor x) { return fc(x); }
    } net(fc);
    Tensor loss = g.output("loss", sum(net.forward(x)));
    Step step = compile(training_step(g, loss, net.parameters(), sgd), Target::cpu(), {.watch = watch});
    step({{"x", std::vector<float>{1, 2, 3, 4}}});
    return std::tuple(fc.weight.values<float>(), step.watched(), step);
  };
  const auto [weights, all, step] = trained({"fc", "fc.weight.*"});
  CHECK(weights == std::get<0>(trained({})));
  CHECK(std::get<1>(trained({})).empty());
  REQUIRE(all.size() == 3);
  CHECK(all[0].name == "fc");
  CHECK(all[0].values.smallest == 3);
  CHECK(all[0].values.largest == 7);
  CHECK(std::isnan(all[0].relative));
  CHECK(all[1].name == "fc.weight.grad");
  CHECK(all[1].values.mean == 5);  // 4 and 6
  CHECK(all[2].name == "fc.weight.update");
  CHECK(all[2].values.smallest == -3);
  CHECK(all[2].relative == Approx(std::sqrt(4.0 + 9.0) / 2));
  CHECK_THROWS_WITH(trained({"fc1"}), contains_text("nothing to watch is called 'fc1'; did you mean 'fc'"));
}

TEST_CASE("a Trainer writes what it watches as lines of JSON and as histograms") {
  const test::TempDir dir;
  nn::Sequential net(nn::Linear(2, 4), nn::ReLU(), nn::Linear(4, 2));
  optim::SGD sgd({.lr = 0.1});
  Trainer trainer(net, cross_entropy, sgd);
  const Dataset data = testing::points(20);
  FitOptions options{.epochs = 2, .batch = 8, .log = "none"};
  options.measure.watch = {"1", "*.update"};
  CHECK_THROWS_WITH(trainer.fit(data, options), contains_text(".measure.watch needs .files.watched or .files.tensorboard"));
  options.files = {.watched = dir / "watched.jsonl", .tensorboard = dir / "events"};
  trainer.fit(data, options);
  const std::vector<json> lines = lines_of(dir / "watched.jsonl");
  REQUIRE(lines.size() == 6 * 5);
  CHECK(lines[0]["step"] == 1);
  CHECK(lines[0]["value"] == "1");
  CHECK(lines[0]["zeros"].get<double>() > 0);
  CHECK(lines[0]["smallest"] == 0.0);
  CHECK(lines[0].contains("subnormals"));
  CHECK_FALSE(lines[0].contains("relative"));
  CHECK(lines[1]["value"] == "0.weight.update");
  CHECK(lines[1]["relative"].get<double>() > 0);
  CHECK(lines.back()["step"] == 6);
  std::string events;
  for (const auto& entry : std::filesystem::directory_iterator(dir / "events")) events += test::read_file(entry.path().string());
  CHECK_THAT(events, contains_text("0.weight.update"));
  FitOptions unheard{.log = "none"};
  unheard.files.watched = dir / "w";
  CHECK_THROWS_WITH(trainer.fit(data, unheard), contains_text(".files.watched needs a .measure.watch"));
}

TEST_CASE("weft run watches what a text names") {
  const test::TempDir dir;
  const std::string file = dir.write("line.weft", R"(weft 1
train {loss = "loss", inputs = ["w"], optimizer = "sgd"}
func @line {
  input %x: f32[4] at "line.cpp":5
  input %w: f32[] parameter at "line.cpp":4
  %0 = broadcast(%w) {shape = [4]} : f32[4] at "line.cpp":7 "scale"
  %1 = mul(%0, %x) : f32[4] at "line.cpp":7 "scale"
  %2 = mean(%1) {axes = [0]} : f32[] at "line.cpp":8
  output loss = %2 at "line.cpp":8
}
)");
  Array x(f32, {4});
  for (int64_t i = 0; i < 4; ++i) x.set(i, static_cast<double>(i));
  write_npy(dir / "x.npy", x);
  const auto run = [&](const std::string& more) {
    return test::run_command(WEFT_TOOL " run " + file + " --zeros --set sgd.lr=1 --input x=" + (dir / "x.npy") + " " + more);
  };
  const test::Ran ran = run("--steps 2 --watch '*' --watched " + (dir / "w.jsonl"));
  INFO(ran.out << ran.err);
  CHECK(ran.code == 0);
  CHECK_THAT(ran.out, contains_text("watched") && contains_text("w.update") && !contains_text("weft.watch"));
  const std::vector<json> lines = lines_of(dir / "w.jsonl");
  REQUIRE(lines.size() == 6);
  CHECK(lines[0]["value"] == "scale");
  CHECK(lines[0]["zeros"] == 1.0);
  CHECK(lines[4]["value"] == "w.grad");
  CHECK(lines[4]["mean"] == 1.5);
  CHECK(lines[5]["mean"] == -1.5);
  CHECK(lines[5]["relative"] == 1.0);
  CHECK_THAT(run("--watch nothing").err, contains_text("nothing to watch is called 'nothing'"));
  CHECK(run("--device reference --watch w.grad").code == 0);
}
