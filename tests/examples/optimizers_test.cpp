// 06_optimizers end to end: every optimizer learns, from the same weights.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "weft/tests/catch.h"
#include "weft/tests/examples/lessons.h"

using namespace weft;
using Json = nlohmann::json;

namespace {

const std::string program = WEFT_EXAMPLES_DIR "/06_optimizers ";

size_t lines_of(const std::string& text) { return static_cast<size_t>(std::count(text.begin(), text.end(), '\n')); }

}  // namespace

TEST_CASE("06_optimizers: sixteen optimizers learn the digits, two a table, each from the same weights") {
  const test::TempDir dir;
  const test::Ran ran = test::run_command(program + "--json --epochs 3 --plots " + dir / "plots");
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  std::map<std::string, Json> all;
  std::istringstream lines(ran.out);
  for (std::string line; std::getline(lines, line);) {
    const Json j = Json::parse(line);
    all[j["optimizer"]] = j;
  }
  CHECK(all.size() == 18);
  for (const char* name : {"SGD", "ASGD", "Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "LARS", "Lion", "Muon", "NAdam",
                           "RAdam", "RMSprop", "Rprop", "LBFGS"}) {
    INFO(name << ": " << all[name].dump());
    REQUIRE(all.contains(name));
    const auto losses = all[name]["losses"].get<std::vector<double>>();
    REQUIRE(losses.size() == 4);
    CHECK(losses[0] == Approx(all["SGD"]["losses"][0].get<double>()).epsilon(1e-5));
    CHECK(losses[3] < 0.5 * losses[0]);
    CHECK(all[name]["test_accuracy"].get<double>() > 0.6);
    CHECK(all[name]["step_us"].get<double>() > 0);
    if (std::string(name) != "LBFGS") CHECK(all[name]["steps"] == 3 * 20);
  }
  for (const char* name : {"Adam (table)", "SparseAdam (table)"}) {
    INFO(name << ": " << all[name].dump());
    const auto losses = all[name]["losses"].get<std::vector<double>>();
    REQUIRE(losses.size() == 4);
    CHECK(losses[0] == Approx(std::log(10.0)).epsilon(1e-5));
    CHECK(losses[3] < 0.4 * losses[0]);
    CHECK(all[name]["test_accuracy"].get<double>() > 0.7);
  }
  CHECK(all["SparseAdam (table)"]["step_us"].get<double>() <
        all["Adam (table)"]["step_us"].get<double>());  // it need not touch the whole table
  for (const std::string name : {"nets", "tables"})     // or scripts for them
    CHECK((std::filesystem::exists(dir / "plots/" + name + ".svg") || std::filesystem::exists(dir / "plots/" + name + ".svg.gp")));
}

TEST_CASE("06_optimizers prints a table, and trains with one alone at another rate") {
  const test::Ran ran = test::run_command(program + "--max-steps 2");
  INFO(ran.err << ran.out);
  REQUIRE(ran.code == 0);
  CHECK(lines_of(ran.out) == 2 + 16 + 2);  // about the data, and the head
  CHECK_THAT(ran.out, contains_text("\nRprop                 0.002      2 ") && contains_text("\nSparseAdam (table) "));
  const test::Ran one = test::run_command(program + "--max-steps 2 --optimizer RAdam --lr 0.5");
  INFO(one.err << one.out);
  REQUIRE(one.code == 0);
  CHECK(lines_of(one.out) == 3);
  CHECK_THAT(one.out, contains_text("\nRAdam                 0.025      2 "));
  const auto losses = [](const std::string& how) {
    return Json::parse(test::run_command(program + "--json --max-steps 2 --optimizer SGD " + how).out)["losses"];
  };
  CHECK(losses("") != losses("--no-shuffle"));
  CHECK(losses("") == losses("--shuffle"));
  const test::Ran lbfgs = test::run_command(program + "--max-steps 2 --optimizer LBFGS");
  CHECK_THAT(lbfgs.out, contains_text("\nLBFGS                     1      2 "));
}

TEST_CASE("06_optimizers says what it cannot do") {
  const test::Ran other = test::run_command(program + "--optimizer FTRL");
  CHECK(other.code == 1);
  CHECK_THAT(other.err, contains_text("--optimizer must be LBFGS, SGD, ") && contains_text("SparseAdam (table), not FTRL"));
  const auto alone = [](const std::string& optimizer, const std::set<std::string>& options) {
    const test::Lesson lesson{.name = "06_optimizers"};
    for (const std::string& option : options) {
      const test::TempDir dir;
      const test::Ran ran = test::run_command(command_of(lesson, {{"--optimizer", optimizer}, {option, value_of(lesson, option)}}, dir));
      CHECK(ran.code == 1);
      CHECK(ran.out.empty());
      // One option by two names, and one that needs another.
      const std::string name = option == "--no-shuffle" ? "--shuffle" : option == "--watched" ? "--watch" : option;
      CHECK(ran.err == "error: " + name + " has no effect with --optimizer '" + optimizer + "'\n");
    }
  };
  alone("LBFGS", test::not_for_lbfgs);
  alone("Adam (table)", test::not_for_tables);
  const test::Ran classic = test::run_command(program + "--json --log classic");
  CHECK(classic.code == 1);
  CHECK(classic.err == "error: --log classic prints where --json does, on standard output\n");
  const test::Ran both = test::run_command(program + "--json --profile");
  CHECK(both.code == 1);
  CHECK_THAT(both.err, contains_text("excludes"));
}
