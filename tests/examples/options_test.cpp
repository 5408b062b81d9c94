// Every lesson with every option of its --help: alone, and all of them together.

#include <algorithm>
#include <set>

#include "weft/tests/catch.h"
#include "weft/tests/examples/lessons.h"

using namespace weft;
using test::left_out;
using test::Lesson;
using test::Options;
using test::options_of;
using test::pair_of;
using test::value_of;
using test::write_digits;
using test::write_pictures;

namespace {

/// `options`, and what keeps it short.
void check_runs(const Lesson& lesson, const Options& options, const test::TempDir& dir) {
  const std::string command = command_of(lesson, options, dir);
  const test::Ran ran = test::run_command(command);
  INFO(command << "\n" << ran.out << ran.err);
  CHECK(ran.code == 0);
  CHECK(ran.err.find("error") == std::string::npos);
}

/// Each alone.
void check_alone(const Lesson& lesson) {
  for (const std::string& option : options_of(lesson)) {
    const test::TempDir dir;
    if (option == "--resume") check_runs(lesson, {{"--save", value_of(lesson, "--save")}, {"--max-steps", "1"}}, dir);
    check_runs(lesson, {{option, value_of(lesson, option)}}, dir);
  }
}

/// With as many as stand beside each other and beside those that keep it short.
Options all_together(const Lesson& lesson, const std::set<std::string>& but) {
  Options all = lesson.small;
  for (const std::string& option : options_of(lesson)) {
    const auto apart = [&](const auto& given) { return lesson.apart.contains(pair_of(option, given.first)); };
    if (!but.contains(option) && std::none_of(all.begin(), all.end(), apart)) all.emplace(option, value_of(lesson, option));
  }
  return all;
}

/// All of them; going on from what these left behind; and with another start.
void check_together(const Lesson& lesson) {
  const test::TempDir dir;
  Options all = all_together(lesson, {"--find-lr", "--json", "--resume", "--shared-weights", "--weights"});
  check_runs(lesson, all, dir);
  if (!all.contains("--save")) return;
  all["--max-steps"] = "6", all["--epochs"] = "4";
  all["--resume"] = value_of(lesson, "--resume");
  check_runs(lesson, all, dir);
  const std::vector<std::string> known = options_of(lesson);
  if (std::count(known.begin(), known.end(), "--find-lr") == 0) return;
  Lesson searching = lesson;
  searching.small["--find-lr"] = "";
  check_runs(searching, all_together(searching, {"--json", "--shared-weights"}), dir);
}

}  // namespace

TEST_CASE("lesson 1 runs with each of its options") {
  const test::TempDir dir;
  const std::string table = dir.write("t.csv", "t_u,t_c\n35.7,0.5\n55.9,14\n58.2,15\n");
  const Lesson lesson{.name = "01_temperature",
                      .small = {{"--epochs", "3"}, {"--data", table}},
                      .values = {{"--data", table}, {"--batch", "3"}},
                      .instead = {{"--json", {{"--epochs", left_out}}}}};
  check_alone(lesson);
  check_together(lesson);
}

TEST_CASE("lesson 2 runs with each of its options") {
  const test::TempDir dir;
  const std::string digits = write_digits(dir, 40);
  const Lesson lesson{.name = "02_fashion_mnist",
                      .small = {{"--log", "none"}, {"--batch", "16"}, {"--epochs", "2"}, {"--data", digits}},
                      .values = {{"--data", digits}},
                      .apart = test::apart_in_training()};
  check_alone(lesson);
  check_together(lesson);
}

TEST_CASE("lesson 3 runs with each of its options") {
  const test::TempDir dir;
  const std::string digits = write_digits(dir, 40);
  const Lesson lesson{.name = "03_mnist_bn_dropout",
                      .small = {{"--log", "none"}, {"--batch", "16"}, {"--epochs", "2"}, {"--data", digits}},
                      .values = {{"--data", digits}, {"--depth", "1"}, {"--shared-weights", ""}},
                      .apart = test::apart_in_training()};
  check_alone(lesson);
  check_together(lesson);
}

TEST_CASE("lesson 4 runs with each of its options") {
  const test::TempDir dir;
  write_pictures(dir);
  Lesson lesson{.name = "04_cifar10",
                .small = {{"--log", "none"}, {"--batch", "16"}, {"--epochs", "2"}, {"--overfit", "40"}, {"--net", "fc"}, {"--hidden", "8"}},
                .values = {{"--data", dir.path()}, {"--net", "conv"}, {"--style", "module"}, {"--hidden", "6"}, {"--momentum", "0.5"}},
                .instead = {{"--net", {{"--hidden", left_out}}}},
                .apart = test::apart_in_training({pair_of("--optimizer", "--momentum")})};
  check_alone(lesson);
  check_together(lesson);
  for (const std::string style : {"barebones", "sequential"}) {
    lesson.small["--style"] = style;
    check_together(lesson);
  }
}

TEST_CASE("lesson 5 runs with each of its options") {
  const test::TempDir dir;
  const std::string table = dir.write("t.csv", "t_u,t_c\n35.7,0.5\n55.9,14\n58.2,15\n60.4,13\n");
  const Lesson lesson{.name = "05_temperature_validation",
                      .small = {{"--epochs", "3"}},
                      .values = {{"--data", table}, {"--validation", "1,2"}},
                      .instead = {{"--json", {{"--epochs", left_out}}}},
                      .apart = {pair_of("--seed", "--validation")}};
  check_alone(lesson);
  check_together(lesson);
}

TEST_CASE("lesson 6 runs with each of its options, whatever is trained") {
  const test::TempDir dir;
  const std::string digits = write_digits(dir, 40);
  Lesson lesson{
      .name = "06_optimizers",
      .small =
          {{"--batch", "16"}, {"--epochs", "2"}, {"--overfit", "0"}, {"--max-steps", "5"}, {"--data", digits}, {"--optimizer", "Adam"}},
      .values = {{"--data", digits}, {"--optimizer", "SGD"}},
      .apart = test::apart_in_training()};
  check_alone(lesson);
  check_together(lesson);
  Lesson lbfgs = lesson;
  lbfgs.small["--optimizer"] = "LBFGS";
  for (const std::string option : test::not_for_lbfgs) lbfgs.apart.insert(pair_of("--optimizer", option));
  check_together(lbfgs);
  Lesson table = lesson;
  table.small = {{"--batch", "16"}, {"--epochs", "2"}, {"--max-steps", "5"}, {"--optimizer", "SparseAdam (table)"}};
  for (const std::string option : test::not_for_tables) table.apart.insert(pair_of("--optimizer", option));
  check_together(table);
}

TEST_CASE("lesson 8 runs with each of its options") {
  const test::TempDir dir;
  std::string text;
  for (int i = 0; i < 60; ++i) text += "to be or not to be, that is the question. ";
  dir.write("input.txt", text);
  const Lesson lesson{.name = "08_char_gpt",
                      .small = {{"--log", "none"},
                                {"--data", dir.path()},
                                {"--batch", "4"},
                                {"--epochs", "2"},
                                {"--overfit", "12"},
                                {"--window", "8"},
                                {"--width", "16"},
                                {"--write", "12"},
                                {"--layers", "1"}},
                      .values = {{"--data", dir.path()},
                                 {"--window", "6"},
                                 {"--width", "8"},
                                 {"--heads", "2"},
                                 {"--layers", "2"},
                                 {"--weights", dir / "start.safetensors"},
                                 {"--write", "3"},
                                 {"--prompt", "e"},
                                 {"--temperature", "0.5"},
                                 {"--no-cache", ""}},
                      .apart = test::apart_in_training()};
  check_runs(lesson, {{"--save", dir / "start.safetensors"}, {"--max-steps", "1"}}, dir);
  check_alone(lesson);
  check_together(lesson);
}

TEST_CASE("lesson 9 runs with its options together") {
  const test::TempDir dir;
  const std::string digits = write_digits(dir, 40);
  Lesson lesson{.name = "09_lstm",
                .small = {{"--log", "none"}, {"--batch", "16"}, {"--epochs", "2"}, {"--data", digits}},
                .values = {{"--data", digits}, {"--cell", "own"}},
                .apart = test::apart_in_training()};
  check_together(lesson);
}

TEST_CASE("lesson 11 runs with its options together") {
  const test::TempDir dir;
  write_pictures(dir);
  const Lesson lesson{.name = "11_resnet_cifar",
                      .small = {{"--log", "none"}, {"--batch", "16"}, {"--epochs", "2"}, {"--data", dir.path()}, {"--width", "2"}},
                      .values = {{"--data", dir.path()}, {"--width", "2"}, {"--blocks", "2"}, {"--schedule", "onecycle"}},
                      .apart = test::apart_in_training()};
  check_together(lesson);
}

TEST_CASE("lesson 12 runs with its options together") {
  const test::TempDir dir;
  const std::string digits = write_digits(dir, 40);
  const Lesson lesson{.name = "12_gan",
                      .small = {{"--log", "none"}, {"--batch", "16"}, {"--epochs", "2"}, {"--data", digits}, {"--width", "2"}},
                      .values = {{"--data", digits}, {"--width", "2"}, {"--samples", "DIR/samples"}},
                      .apart = test::apart_in_training()};
  check_together(lesson);
}

TEST_CASE("lesson 10 runs with its options together") {
  const test::TempDir dir;
  const std::string digits = write_digits(dir, 40);
  Lesson lesson{.name = "10_autoencoder",
                .small = {{"--log", "none"}, {"--batch", "16"}, {"--epochs", "2"}, {"--data", digits}},
                .values = {{"--data", digits}, {"--code", "3"}, {"--beta", "4"}},
                .apart = test::apart_in_training()};
  check_together(lesson);
}
