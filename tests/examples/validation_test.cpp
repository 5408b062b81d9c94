// 05_temperature_validation against known results (computed by PyTorch in f32).

#include <fmt/format.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using namespace weft;
using Json = nlohmann::json;

namespace {

const std::string program = WEFT_EXAMPLES_DIR "/05_temperature_validation ";

std::vector<Json> run_json(const std::string& arguments) {
  const test::Ran ran = test::run_command(program + "--json " + arguments);
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  std::vector<Json> lines;
  std::istringstream text(ran.out);
  for (std::string line; std::getline(text, line);) lines.push_back(Json::parse(line));
  return lines;
}

const Json& line_with(const std::vector<Json>& lines, const std::string& name, const std::string& key, int64_t value) {
  for (const Json& l : lines)
    if (l["case"] == name && l.contains(key) && l[key] == value) return l;
  FAIL("no line of " << name << " with " << key << " " << value);
  return lines[0];
}

/// The known results were printed with four places.
void check_printed(double got, double want) { CHECK(fmt::format("{:.4f}", got) == fmt::format("{:.4f}", want)); }

}  // namespace

TEST_CASE("05_temperature_validation reaches the known losses to the digit") {
  const std::vector<Json> lines = run_json("");
  const auto check = [&](const char* name, int64_t epoch, double train_loss, double val_loss) {
    const Json& l = line_with(lines, name, "epoch", epoch);
    INFO(l.dump());
    check_printed(l["train_loss"], train_loss);
    check_printed(l["val_loss"], val_loss);
  };
  check("sgd_val_1_10", 1, 68.0860, 135.6169);
  check("sgd_val_1_10", 2, 39.1856, 59.3976);
  check("sgd_val_1_10", 3, 33.5852, 36.1620);
  check("sgd_val_1_10", 500, 7.0901, 8.8026);
  check("sgd_val_1_10", 5000, 2.9413, 3.9005);
  std::vector<double> params;
  for (const Json& l : lines)
    if (l["case"] == "sgd_val_1_10" && l.contains("final_params")) params = l["final_params"].get<std::vector<double>>();
  check_printed(params.at(0), 5.2137);
  check_printed(params.at(1), -16.8632);
  check("line_adam_val_3_4", 1, 51.4150, 210.6365);
  check("line_adam_val_3_4", 2, 45.8208, 189.5128);
  check("line_adam_val_3_4", 3, 40.9619, 169.7757);
  check("line_adam_val_3_4", 500, 2.9175, 3.6702);
  check("line_adam_val_3_4", 1000, 2.9111, 3.3966);
  check("parabola_adam_val_3_4", 1, 51.4150, 210.6365);
  check("parabola_adam_val_3_4", 2, 23.1888, 75.3991);
  check("parabola_adam_val_3_4", 3, 17.3617, 15.7157);
  check("parabola_adam_val_3_4", 500, 2.1791, 13.3067);
  check("parabola_adam_val_3_4", 1000, 2.1270, 10.2992);
}

TEST_CASE("05_temperature_validation compares every split and stops early, with a few programs") {
  const test::TempDir dir;
  const std::vector<Json> lines = run_json("--dump-ir " + dir / "ir");
  CHECK(line_with(lines, "line_adam_val_3_4", "splits", 55)["mean_excess"].get<double>() == Approx(0.84).margin(0.005));
  CHECK(line_with(lines, "parabola_adam_val_3_4", "splits", 55)["mean_excess"].get<double>() == Approx(1.54).margin(0.005));
  const Json& stopped = line_with(lines, "parabola_adam_val_3_4", "early_stopping_epoch", 55);
  CHECK(stopped["val_loss"].get<double>() == Approx(0.49).margin(0.005));  // of the restored weights
  const std::filesystem::directory_iterator programs(dir / "ir");
  CHECK(std::distance(begin(programs), end(programs)) == 6);  // training and validation of three cases
}

TEST_CASE("05_temperature_validation keeps back what it is told to, or two readings by seed") {
  const test::TempDir dir;
  const test::Ran chosen = test::run_command(program + "--epochs 2 --validation 3,4 --metrics " + dir / "m.jsonl --plots " + dir / "plots");
  CHECK(chosen.code == 0);
  CHECK_THAT(chosen.out, contains_text("Kept back: t_u = 81.9, 56.3\n") && contains_text("train_loss 45.8208  val_loss 189.5128"));
  CHECK_THAT(chosen.out, contains_text("case line  final_params ") && !contains_text("\"") && !contains_text("["));
  std::istringstream text(test::read_file(dir / "m.jsonl"));
  int lines = 0;
  for (std::string line; std::getline(text, line); ++lines) CHECK(Json::parse(line).contains("val_loss"));
  CHECK(lines == 2 * 2);
  for (const std::string name : {"losses.svg", "fits.svg"})  // or scripts for them
    CHECK((std::filesystem::exists(dir / "plots/" + name) || std::filesystem::exists(dir / "plots/" + name + ".gp")));
  const auto kept_back = [](const std::string& seed) {
    const test::Ran ran = test::run_command(program + "--epochs 1 --seed " + seed);
    CHECK(ran.code == 0);
    return ran.out.substr(0, ran.out.find('\n'));
  };
  CHECK(kept_back("5") == kept_back("5"));
  CHECK(kept_back("5") != kept_back("6"));
  const test::Ran few = test::run_command(program + "--data " + dir.write("few.csv", "t_u,t_c\n1,2\n3,4\n"));
  CHECK(few.code == 1);
  CHECK(few.err == "error: 2 readings are too few: two are kept back\n");
  const std::string three = dir.write("three.csv", "t_u,t_c\n1,2\n3,4\n5,7\n");
  CHECK(test::run_command(program + "--json --data " + three).err ==
        "error: --json keeps readings back up to number 10, counted from 0, but '" + three + "' has 3\n");
  const test::Ran wrong = test::run_command(program + "--validation 3,11");
  CHECK(wrong.code == 1);
  CHECK(wrong.err == "error: data set 'temperatures' has no example 11: it has 11, counted from 0\n");
}
