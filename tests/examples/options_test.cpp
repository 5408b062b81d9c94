// Every lesson with every option of its --help: alone, and all of them together.

#include <fmt/format.h>

#include <cmath>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <sstream>

#include "weft/runtime/data/digits.h"
#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using namespace weft;

namespace {

using Options = std::map<std::string, std::string>;  // "--option" to its value, empty for a flag

struct Lesson {
  std::string name;
  Options small;        // what keeps it short
  Options values = {};  // of options of its own, or that mean something else there
};

const Options values{{"--device", "cpu"},
                     {"--epochs", "2"},
                     {"--batch", "10"},
                     {"--lr", "0.002"},
                     {"--seed", "3"},
                     {"--max-steps", "3"},
                     {"--threads", "1"},
                     {"--max-isa", "sse4"},
                     {"--metrics", "DIR/m.jsonl"},
                     {"--dump-ir", "DIR/ir"},
                     {"--optimizer", "adam"},
                     {"--workers", "2"},
                     {"--eval-every", "2"},
                     {"--overfit", "40"},
                     {"--patience", "1"},
                     {"--log", "plain"},
                     {"--curve", "DIR/curve"},
                     {"--plots", "DIR/plots"},
                     {"--tensorboard", "DIR/events"},
                     {"--save", "DIR/net.safetensors"},
                     {"--resume", "DIR/net.safetensors"},
                     {"--accumulate", "2"},
                     {"--clip-norm", "0.5"},
                     {"--find-lr", ""},
                     {"--profile", ""},
                     {"--shuffle", ""},
                     {"--no-shuffle", ""},
                     {"--json", ""}};

std::string big_endian(int64_t value) {
  std::string text;
  for (int shift = 24; shift >= 0; shift -= 8) text += static_cast<char>(value >> shift & 255);
  return text;
}

/// The four IDX files of MNIST, of so few drawn digits.
std::string write_digits(const test::TempDir& dir, int64_t count) {
  for (const std::string part : {"train", "t10k"}) {
    const Dataset digits = generate_digits(count, part == "train" ? 1 : 2);
    std::string images = big_endian(0x803) + big_endian(count) + big_endian(28) + big_endian(28),
                labels = big_endian(0x801) + big_endian(count);
    for (int64_t i = 0; i < count * 28 * 28; ++i) images += static_cast<char>(std::lround(255 * digits.inputs.at(i)));
    for (int64_t i = 0; i < count; ++i) labels += static_cast<char>(digits.targets.at(i));
    dir.write(part + "-images-idx3-ubyte", images);
    dir.write(part + "-labels-idx1-ubyte", labels);
  }
  return dir.path();
}

/// The options that --help lists.
std::vector<std::string> options_of(const Lesson& lesson) {
  const test::Ran help = test::run_command(WEFT_EXAMPLES_DIR "/" + lesson.name + " --help");
  REQUIRE(help.code == 0);
  std::vector<std::string> all;
  std::istringstream lines(help.out);
  const std::regex option("^ +(?:-[a-z],)?(--[a-z-]+)(?:\\{[a-z]+\\})?(?:,(--[a-z-]+))?.*");
  for (std::string line; std::getline(lines, line);) {
    std::smatch found;
    if (!std::regex_match(line, found, option)) continue;
    for (size_t i = 1; i < found.size(); ++i)
      if (found[i].matched && found[i] != "--help") all.push_back(found[i]);
  }
  REQUIRE(all.size() > 10);
  return all;
}

std::string value_of(const Lesson& lesson, const std::string& option) {
  INFO("no value is known for " << option << " of " << lesson.name);
  const auto own = lesson.values.find(option), shared = values.find(option);
  REQUIRE((own != lesson.values.end() || shared != values.end()));
  return own != lesson.values.end() ? own->second : shared->second;
}

/// `options`, and what keeps it short. DIR in a value is `dir`.
void check_runs(const Lesson& lesson, Options options, const test::TempDir& dir) {
  options.insert(lesson.small.begin(), lesson.small.end());
  std::string command = WEFT_EXAMPLES_DIR "/" + lesson.name;
  for (const auto& [option, value] : options)
    command += " " + option + (value.empty() ? "" : " '" + std::regex_replace(value, std::regex("^DIR"), dir.path()) + "'");
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

/// All that exclude no others; going on from what these left behind; and with another start.
void check_together(const Lesson& lesson) {
  const std::set<std::string> excluding{"--find-lr", "--json", "--no-shuffle", "--resume", "--shared-weights"};
  const test::TempDir dir;
  Options all;
  for (const std::string& option : options_of(lesson))
    if (!excluding.contains(option)) all[option] = lesson.small.contains(option) ? lesson.small.at(option) : value_of(lesson, option);
  check_runs(lesson, all, dir);
  if (!all.contains("--save")) return;
  all["--max-steps"] = "6", all["--epochs"] = "4";
  all["--resume"] = value_of(lesson, "--resume");
  check_runs(lesson, all, dir);
  all.erase("--resume");
  all["--find-lr"] = "";
  check_runs(lesson, all, dir);
}

}  // namespace

TEST_CASE("lesson 1 runs with each of its options") {
  const test::TempDir dir;
  const std::string table = dir.write("t.csv", "t_u,t_c\n35.7,0.5\n55.9,14\n58.2,15\n");
  const Lesson lesson{"01_temperature", {{"--epochs", "3"}, {"--data", table}}, {{"--data", table}, {"--batch", "3"}}};
  check_alone(lesson);
  check_together(lesson);
}

TEST_CASE("lesson 2 runs with each of its options") {
  const test::TempDir dir;
  const std::string digits = write_digits(dir, 40);
  const Lesson lesson{
      "02_fashion_mnist", {{"--log", "none"}, {"--batch", "16"}, {"--epochs", "2"}, {"--data", digits}}, {{"--data", digits}}};
  check_alone(lesson);
  check_together(lesson);
}

TEST_CASE("lesson 3 runs with each of its options") {
  const test::TempDir dir;
  const std::string digits = write_digits(dir, 40);
  const Lesson lesson{"03_mnist_bn_dropout",
                      {{"--log", "none"}, {"--batch", "16"}, {"--epochs", "2"}, {"--data", digits}},
                      {{"--data", digits}, {"--depth", "1"}, {"--shared-weights", ""}}};
  check_alone(lesson);
  check_together(lesson);
}

TEST_CASE("lesson 4 runs with each of its options") {
  const test::TempDir dir;
  std::string records;
  for (int64_t i = 0; i < 10000; ++i) records += static_cast<char>(i % 10) + std::string(3072, static_cast<char>(i % 10 * 25));
  dir.write("data_batch_1.bin", records);
  for (int n = 2; n <= 5; ++n) std::filesystem::create_symlink(dir / "data_batch_1.bin", dir / fmt::format("data_batch_{}.bin", n));
  dir.write("test_batch.bin", records.substr(0, 20 * 3073));
  const Lesson lesson{"04_cifar10",
                      {{"--log", "none"}, {"--batch", "16"}, {"--epochs", "2"}, {"--overfit", "40"}, {"--net", "fc"}, {"--hidden", "8"}},
                      {{"--data", dir.path()}, {"--net", "conv"}, {"--style", "module"}, {"--hidden", "6"}, {"--momentum", "0.5"}}};
  check_alone(lesson);
  check_together(lesson);
  for (const std::string style : {"barebones", "sequential"}) {
    Lesson other = lesson;
    other.small["--style"] = style;
    check_together(other);
  }
}

TEST_CASE("lesson 5 runs with each of its options") {
  const test::TempDir dir;
  const std::string table = dir.write("t.csv", "t_u,t_c\n35.7,0.5\n55.9,14\n58.2,15\n60.4,13\n");
  const Lesson lesson{"05_temperature_validation", {{"--epochs", "3"}}, {{"--data", table}, {"--validation", "1,2"}}};
  check_alone(lesson);
  check_together(lesson);
}

TEST_CASE("lesson 6 runs with each of its options, whatever is trained") {
  const test::TempDir dir;
  const std::string digits = write_digits(dir, 40);
  Lesson lesson{
      "06_optimizers",
      {{"--batch", "16"}, {"--epochs", "2"}, {"--overfit", "0"}, {"--max-steps", "5"}, {"--data", digits}, {"--optimizer", "Adam"}},
      {{"--data", digits}, {"--optimizer", "SGD"}}};
  check_alone(lesson);
  for (const std::string optimizer : {"Adam", "LBFGS", "SparseAdam (table)"}) {
    lesson.small["--optimizer"] = optimizer;
    check_together(lesson);
  }
}
