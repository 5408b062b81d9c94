// 01_temperature against known results (computed by PyTorch in f32), and against an independent loop on other data.

#include <cmath>
#include <nlohmann/json.hpp>
#include <sstream>

#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using namespace weft;
using Json = nlohmann::json;

namespace {

std::vector<Json> run_json(const std::string& arguments) {
  const test::Ran ran = test::run_command(WEFT_EXAMPLES_DIR "/01_temperature --json " + arguments);
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  std::vector<Json> lines;
  std::istringstream text(ran.out);
  for (std::string line; std::getline(text, line);) lines.push_back(Json::parse(line));
  return lines;
}

const Json& line_of(const std::vector<Json>& lines, const std::string& name, int64_t epoch) {
  for (const Json& l : lines)
    if (l["case"] == name && l["epoch"] == epoch) return l;
  FAIL("no line for " << name << ", epoch " << epoch);
  return lines[0];
}

void check_close(double got, double want, double tolerance = 1e-4) {
  INFO(got << " and " << want);
  CHECK(std::fabs(got - want) <= tolerance * std::fabs(want));
}

/// The printed digits of the known results are fewer than f32 holds.
void check_parameters(const Json& line, std::vector<double> want) {
  const auto got = line["params"].get<std::vector<double>>();
  REQUIRE(got.size() == want.size());
  for (size_t i = 0; i < want.size(); ++i) CHECK(std::fabs(got[i] - want[i]) <= 5.1e-5 + 1e-4 * std::fabs(want[i]));
}

/// A line by gradient descent in double, written as plainly as possible.
std::vector<double> plain_losses(const std::vector<double>& u, const std::vector<double>& c, double lr, int epochs) {
  double w = 1, b = 0;
  std::vector<double> losses;
  for (int epoch = 0; epoch < epochs; ++epoch) {
    double loss = 0, dw = 0, db = 0;
    for (size_t i = 0; i < u.size(); ++i) {
      const double error = w * u[i] + b - c[i];
      loss += error * error / static_cast<double>(u.size());
      dw += 2 * error * u[i] / static_cast<double>(u.size());
      db += 2 * error / static_cast<double>(u.size());
    }
    losses.push_back(loss);
    w -= lr * dw;
    b -= lr * db;
  }
  return losses;
}

}  // namespace

TEST_CASE("01_temperature gives the known losses, gradients and parameters") {
  const auto lines = run_json("");
  struct Known {
    const char* name;
    std::vector<std::pair<int64_t, double>> losses;
  };
  const std::vector<Known> known = {
      {"line_sgd_normalized",
       {{1, 80.364342},
        {2, 37.574913},
        {3, 30.871077},
        {4, 29.756193},
        {5, 29.507153},
        {500, 7.860115},
        {1000, 3.828538},
        {3000, 2.928648},
        {5000, 2.927647}}},
      {"line_hand_normalized", {{1, 80.364342}, {5, 29.507153}, {500, 7.860115}, {5000, 2.927647}}},
      {"line_sgd_raw_1e-4", {{1, 1763.884766}, {2, 323.090515}, {3, 78.929634}, {4, 37.552845}, {99, 29.023582}, {100, 29.022667}}},
      {"line_sgd_raw_1e-2", {{1, 1763.884766}, {2, 5802484.5}, {3, 19408029696.0}, {4, 64915905708032.0}, {5, 2.1713053e17}}},
      {"parabola_sgd", {{1, 447.9037}, {2, 265.7491}, {3, 159.0233}, {500, 6.7666}, {1000, 5.8650}, {5000, 3.7652}}},
  };
  for (const Known& k : known)
    for (const auto& [epoch, loss] : k.losses) {
      INFO(k.name << " epoch " << epoch);
      check_close(line_of(lines, k.name, epoch)["loss"].get<double>(), loss);
    }
  check_parameters(line_of(lines, "line_sgd_normalized", 5000), {5.3671, -17.3012});
  check_parameters(line_of(lines, "line_sgd_raw_1e-4", 100), {0.2327, -0.0438});
  check_parameters(line_of(lines, "line_adam_raw_0.1", 1), {0.9, -0.1});
  check_parameters(line_of(lines, "line_adam_raw_0.01", 1), {0.99, -0.01});
  check_parameters(line_of(lines, "parabola_sgd", 5000), {-1.1445, 0.5907, -0.6289});
}

TEST_CASE("01_temperature gives one gradient three ways") {
  int ways = 0;
  for (const Json& l : run_json("")) {
    if (l["case"] != "gradient_raw") continue;
    ++ways;
    INFO(l.dump());
    check_close(l["loss"].get<double>(), 1763.8848);
    check_close(l["grad"][0].get<double>(), 4517.2969);
    check_close(l["grad"][1].get<double>(), 82.6);
  }
  CHECK(ways == 3);
}

TEST_CASE("01_temperature says where and when a loss stops being a number") {
  const auto lines = run_json("");
  const Json* last = nullptr;
  for (const Json& l : lines)
    if (l["case"] == "line_sgd_raw_1e-2") last = &l;
  REQUIRE(last);
  CHECK((*last)["nonfinite_epoch"] == 11);
  CHECK_THAT((*last)["loss_at"].get<std::string>(), contains_text("01_temperature.cpp:"));
}

TEST_CASE("01_temperature on another table agrees with an independent loop") {
  const test::TempDir dir;
  const std::vector<double> u = {31.5, 50.25, 64.0, 77.125, 42.5, 20.75}, c = {-1.5, 11.0, 19.25, 24.5, 7.0, -6.0};
  std::string csv = "t_u,t_c\n";
  for (size_t i = 0; i < u.size(); ++i) csv += std::to_string(u[i]) + "," + std::to_string(c[i]) + "\n";
  const auto lines = run_json("--data " + dir.write("other.csv", csv));
  const std::vector<double> raw = plain_losses(u, c, 1e-4, 100);
  for (int64_t epoch : {1, 2, 3, 4, 5, 99, 100})
    check_close(line_of(lines, "line_sgd_raw_1e-4", epoch)["loss"].get<double>(), raw[static_cast<size_t>(epoch) - 1]);
  std::vector<double> scaled;
  for (double x : u) scaled.push_back(0.1 * x);
  const std::vector<double> normalized = plain_losses(scaled, c, 1e-2, 5000);
  for (int64_t epoch : {1, 2, 5, 500, 5000})
    check_close(line_of(lines, "line_sgd_normalized", epoch)["loss"].get<double>(), normalized[static_cast<size_t>(epoch) - 1]);
}

TEST_CASE("01_temperature writes a line of metrics for every epoch of every run") {
  const test::TempDir dir;
  const test::Ran ran = test::run_command(WEFT_EXAMPLES_DIR "/01_temperature --epochs 7 --metrics " + dir / "m.jsonl");
  REQUIRE(ran.code == 0);
  std::istringstream text(test::read_file(dir / "m.jsonl"));
  int lines = 0;
  for (std::string line; std::getline(text, line); ++lines) CHECK(Json::parse(line).contains("train_loss"));
  CHECK(lines == 4 * 7);
}

TEST_CASE("01_temperature refuses a batch that is not all readings") {
  const test::Ran ran = test::run_command(WEFT_EXAMPLES_DIR "/01_temperature --batch 4");
  CHECK(ran.code == 1);
  CHECK(ran.err == "error: --batch is 4, but a step takes all 11 readings\n");
}

TEST_CASE("01_temperature refuses bad tables") {
  const test::TempDir dir;
  const auto fails = [&](const std::string& csv, const std::string& words) {
    const test::Ran ran = test::run_command(WEFT_EXAMPLES_DIR "/01_temperature --data " + dir.write("bad.csv", csv));
    CHECK(ran.code == 1);
    CHECK_THAT(ran.err, contains_text(words));
  };
  fails("t_u,t_x\n1,2\n", "t_c");
  fails("t_u,t_c\n1,two\n", "two");
}
