// Every lesson with every two options of its --help: both are heeded, or it says in one line that they do not go together.
//
// Most options are those of examples/options.h, so that they have most pairs in common. These are tried with lesson 2, and with
// lessons 3, 4, 6 and 10 where WEFT_ALL_PAIRS=1 asks for it: that takes some minutes for each.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "weft/tests/catch.h"
#include "weft/tests/examples/lessons.h"

using namespace weft;
using Json = nlohmann::json;
using test::apart_in_training;
using test::left_out;
using test::Lesson;
using test::Options;
using test::options_of;
using test::Pair;
using test::pair_of;
using test::value_of;
using test::write_digits;
using test::write_pictures;

namespace {

namespace fs = std::filesystem;

/// What an option leaves in the folder, whatever else is given; a folder must not be empty.
const Options leaves{{"--metrics", "m.jsonl"},    {"--dump-ir", "ir"},           {"--curve", "curve"}, {"--plots", "plots"},
                     {"--tensorboard", "events"}, {"--save", "net.safetensors"}, {"--trace", "trace"}, {"--report", "report"}};

/// What an option has the lesson say.
const Options says{{"--profile", "the whole step"},
                   {"--find-lr", "learning rates from"},
                   {"--patience", "The weights are those of epoch"},
                   {"--log", "epoch 1/"}};

/// Options that may leave what is learnt as it is: an end that does not come first, other ways to the same numbers, and what shows values
/// that a program computes, which may then be rounded otherwise.
const std::set<std::string> not_judged_by_numbers{"--patience", "--device", "--max-isa", "--autocast",    "--accumulate",
                                                  "--plots",    "--watch",  "--watched", "--memory-limit"};
constexpr int timed_out = 124;  // what timeout exits with
const std::set<Pair> ends{pair_of("--epochs", "--max-steps"), pair_of("--epochs", "--patience")};

struct Tried {
  test::Ran ran;
  std::string numbers;               // what was learnt, without times
  std::vector<std::string> unheard;  // options that left no trace
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> all;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) all.push_back(line);
  return all;
}

/// The losses and accuracies in a file of metrics.
std::string numbers_in(const std::string& metrics) {
  std::string all;
  for (const std::string& line : lines_of(metrics)) {
    Json j = Json::parse(line);
    for (const char* changing : {"step_us", "planned_bytes", "compile_ms"}) j.erase(changing);
    all += j.dump() + "\n";
  }
  return all;
}

bool left(const fs::path& path) {
  return fs::exists(path) && (!fs::is_directory(path) || fs::directory_iterator(path) != fs::directory_iterator());
}

bool is_heard(const std::string& option, const test::Ran& ran, const test::TempDir& dir) {
  if (const auto path = leaves.find(option); path != leaves.end()) return left(dir / path->second);
  if (const auto words = says.find(option); words != says.end()) return (ran.out + ran.err).find(words->second) != std::string::npos;
  if (option != "--json") return true;
  const std::vector<std::string> lines = lines_of(ran.out);
  return !lines.empty() && std::all_of(lines.begin(), lines.end(), [](const std::string& line) { return Json::accept(line); });
}

class Pairs {
 public:
  /// `mute`: options of `says` and `leaves` of which this lesson says and leaves nothing.
  explicit Pairs(Lesson lesson, std::set<std::string> mute = {})
      : lesson_(std::move(lesson)), mute_(std::move(mute)), shares_(lesson_.name == "03_mnist_bn_dropout" || lesson_.name == "04_cifar10" ||
                                                                    lesson_.name == "06_optimizers" || lesson_.name == "10_autoencoder") {}

  void check() {
    const std::vector<std::string> all = options_of(lesson_);
    for (const std::string& option : all) check_alone(option);
    std::set<Pair> apart;
    for (size_t i = 0; i < all.size(); ++i)
      for (size_t j = i + 1; j < all.size(); ++j) {
        if (tried_elsewhere(all[i]) && tried_elsewhere(all[j])) continue;
        check_pair(all[i], all[j]);
        if (lesson_.apart.contains(pair_of(all[i], all[j]))) apart.insert(pair_of(all[i], all[j]));
      }
    CHECK(refused_ == apart);
  }

 private:
  /// With lesson 2, and here only when all is asked for.
  bool tried_elsewhere(const std::string& option) const {
    static const std::vector<std::string> shared = options_of({.name = "02_fashion_mnist", .small = {}});
    const char* all = std::getenv("WEFT_ALL_PAIRS");
    const bool asked = all && std::string(all) == "1";
    return !asked && shares_ && std::count(shared.begin(), shared.end(), option) > 0;
  }

  /// What two options change of `small`.
  Options changes(const std::string& a, const std::string& b) const {
    Options all;
    for (const std::string& option : {a, b})
      if (const auto own = lesson_.instead.find(option); own != lesson_.instead.end()) all.insert(own->second.begin(), own->second.end());
    return all;
  }

  Tried attempt(const Options& given, const Options& changes) const {
    Options options = given;
    options.insert(changes.begin(), changes.end());
    const test::TempDir dir;
    if (given.contains("--resume")) {
      Options first = options;
      first.erase("--resume");
      first["--max-steps"] = "1", first["--save"] = value_of(lesson_, "--save");
      const test::Ran ran = run(first, dir);
      INFO(ran.out << ran.err);
      REQUIRE(ran.code == 0);
    }
    Tried tried{run(options, dir), {}, {}};
    REQUIRE(tried.ran.code != timed_out);
    const std::string metrics = dir / "m.jsonl";
    tried.numbers = lesson_.small.contains("--metrics") && fs::exists(metrics) ? numbers_in(test::read_file(metrics)) : tried.ran.out;
    for (const auto& [option, value] : given)
      if (!mute_.contains(option) && !is_heard(option, tried.ran, dir)) tried.unheard.push_back(option);
    return tried;
  }

  test::Ran run(const Options& options, const test::TempDir& dir) const {
    // No gnuplot is found, so that a picture is a script.
    return test::run_command("timeout 60 env PATH=/ WEFT_CACHE=" + programs_.path() + " " + command_of(lesson_, options, dir));
  }

  Options given(const std::string& a, const std::string& b = "") const {
    Options all;
    for (const std::string& option : {a, b})
      if (!option.empty()) all[option] = value_of(lesson_, option);
    return all;
  }

  /// What is learnt with an option alone, or with none.
  const std::string& numbers(const std::string& option, const Options& changes) {
    const auto [at, added] = numbers_.try_emplace({option, changes});
    if (added) at->second = attempt(given(option), changes).numbers;
    return at->second;
  }

  void check_alone(const std::string& option) const {
    const Tried tried = attempt(given(option), {});
    INFO(lesson_.name << " " << option << "\n" << tried.ran.out << tried.ran.err);
    CHECK(tried.ran.code == 0);
    CHECK(tried.unheard == std::vector<std::string>());
  }

  void check_pair(const std::string& a, const std::string& b) {
    const Tried tried = attempt(given(a, b), {});
    INFO(lesson_.name << " " << a << " " << b << ", exit code " << tried.ran.code << "\n" << tried.ran.out << tried.ran.err);
    if (tried.ran.code == 1) return check_refused(a, b, tried.ran);
    CHECK(tried.ran.code == 0);
    CHECK(tried.ran.err.find("error") == std::string::npos);
    CHECK(tried.unheard == std::vector<std::string>());
    if (ends.contains(pair_of(a, b))) return;
    check_heeded(a, b, tried.numbers);
    check_heeded(b, a, tried.numbers);
  }

  void check_refused(const std::string& a, const std::string& b, const test::Ran& ran) {
    refused_.insert(pair_of(a, b));
    CHECK(lines_of(ran.err).size() == 1);
    CHECK(ran.err.starts_with("error: "));
    CHECK((ran.err.find(a) != std::string::npos || ran.err.find(b) != std::string::npos));
  }

  /// What an option changes alone, it changes beside the other.
  void check_heeded(const std::string& option, const std::string& other, const std::string& together) {
    if (not_judged_by_numbers.contains(option)) return;
    const Options changed = changes(option, other);
    if (numbers(option, changed) == numbers("", changed)) return;
    INFO(option << " changes nothing beside " << other);
    CHECK(together != numbers(other, changed));
  }

  Lesson lesson_;
  test::TempDir programs_;  // most runs compile what one before them has
  std::set<std::string> mute_;
  bool shares_;
  std::map<std::pair<std::string, Options>, std::string> numbers_;
  std::set<Pair> refused_;
};

/// Small enough for the reference, which compiles nothing.
Options small_training(const std::string& digits) {
  return {{"--device", "reference"}, {"--data", digits}, {"--log", "none"},
          {"--batch", "4"},          {"--epochs", "3"},  {"--metrics", "DIR/m.jsonl"}};
}

const std::map<std::string, Options> on_the_cpu{{"--threads", {{"--device", "cpu"}}},  {"--max-isa", {{"--device", "cpu"}}},
                                                {"--autocast", {{"--device", "cpu"}}}, {"--memory-limit", {{"--device", "cpu"}}},
                                                {"--profile", {{"--device", "cpu"}}},  {"--trace", {{"--device", "cpu"}}}};

std::set<Pair> apart_from(const std::string& option, const std::vector<std::string>& others) {
  std::set<Pair> all;
  for (const std::string& other : others) all.insert(pair_of(option, other));
  return all;
}

}  // namespace

TEST_CASE("lesson 1 heeds every two options, or refuses them") {
  const test::TempDir dir;
  const std::string table = dir.write("t.csv", "t_u,t_c\n35.7,0.5\n55.9,14\n58.2,15\n");
  std::set<Pair> apart = apart_from("--json", {"--epochs", "--lr", "--max-steps", "--metrics"});
  apart.merge(apart_from("--device", {"--threads", "--max-isa", "--autocast", "--memory-limit"}));
  apart.insert(pair_of("--check-finite", "--json"));  // some of the fixed runs diverge
  Pairs({.name = "01_temperature",
         .small = {{"--epochs", "6"}, {"--data", table}},
         .values = {{"--data", table}, {"--batch", "3"}, {"--device", "reference"}},
         .instead = {{"--json", {{"--epochs", left_out}}}},
         .apart = apart})
      .check();
}

TEST_CASE("lesson 2 heeds every two options, or refuses them") {
  const test::TempDir dir;
  const std::string digits = write_digits(dir, 12);
  std::map<std::string, Options> instead = on_the_cpu;
  instead["--find-lr"] = {{"--device", "cpu"}};
  Pairs({.name = "02_fashion_mnist",
         .small = small_training(digits),
         .values = {{"--data", digits}, {"--batch", "6"}, {"--overfit", "8"}},
         .instead = instead,
         .apart = apart_in_training()})
      .check();
}

TEST_CASE("lesson 3 heeds every two options, or refuses them") {
  const test::TempDir dir;
  const std::string digits = write_digits(dir, 12);
  Pairs({.name = "03_mnist_bn_dropout",
         .small = small_training(digits),
         .values = {{"--data", digits}, {"--batch", "6"}, {"--overfit", "8"}, {"--depth", "1"}, {"--shared-weights", ""}},
         .instead = on_the_cpu,
         .apart = apart_in_training(apart_from("--shared-weights", {"--find-lr", "--patience"}))})
      .check();
}

TEST_CASE("lesson 4 heeds every two options, or refuses them") {
  const test::TempDir dir;
  write_pictures(dir, 40);
  std::set<Pair> apart = apart_in_training({pair_of("--net", "--hidden"), pair_of("--optimizer", "--momentum")});
  apart.merge(apart_from("--device", {"--threads", "--max-isa", "--autocast", "--memory-limit", "--profile", "--trace"}));
  Pairs({.name = "04_cifar10",
         .small = {{"--threads", "1"},
                   {"--data", dir.path()},
                   {"--log", "none"},
                   {"--batch", "4"},
                   {"--epochs", "2"},
                   {"--overfit", "16"},
                   {"--eval-every", "0"},
                   {"--net", "fc"},
                   {"--hidden", "16"},
                   {"--metrics", "DIR/m.jsonl"}},
         .values = {{"--data", dir.path()},
                    {"--device", "reference"},
                    {"--threads", "2"},
                    {"--batch", "6"},
                    {"--epochs", "3"},
                    {"--overfit", "8"},
                    {"--net", "conv"},
                    {"--style", "module"},
                    {"--hidden", "12"},
                    {"--momentum", "0.8"}},
         .instead = {{"--net", {{"--hidden", left_out}}},
                     {"--device", {{"--threads", left_out}, {"--max-steps", "1"}}},
                     {"--find-lr", {{"--data", left_out}}}},  // of pictures of one colour none is better
         .apart = apart})
      .check();
}

TEST_CASE("lesson 5 heeds every two options, or refuses them") {
  const test::TempDir dir;
  const std::string table = dir.write("t.csv", "t_u,t_c\n1,2\n2,3\n3,5\n4,4\n5,6\n6,8\n7,7\n8,9\n9,9\n10,11\n11,10\n12,13\n");
  std::set<Pair> apart = apart_from("--json", {"--epochs", "--lr", "--seed", "--max-steps", "--metrics", "--plots", "--validation"});
  apart.insert(pair_of("--seed", "--validation"));
  Pairs({.name = "05_temperature_validation",
         .small = {{"--epochs", "6"}},
         .values = {{"--data", table}, {"--validation", "1,2"}},
         .instead = {{"--json", {{"--epochs", left_out}}}},
         .apart = apart})
      .check();
}

TEST_CASE("lesson 6 heeds every two options, or refuses them") {
  const test::TempDir dir;
  const std::string digits = write_digits(dir, 12);
  Options small = small_training(digits);
  small["--optimizer"] = "SGD", small["--overfit"] = "0";
  Pairs({.name = "06_optimizers",
         .small = small,
         .values = {{"--data", digits}, {"--batch", "6"}, {"--overfit", "8"}, {"--optimizer", "RAdam"}},
         .instead = on_the_cpu,
         .apart = apart_in_training(apart_from("--json", {"--find-lr", "--profile"}))},
        {"--patience"})
      .check();
}

TEST_CASE("lesson 10 heeds every two options, or refuses them") {
  const test::TempDir dir;
  const std::string digits = write_digits(dir, 12);
  Pairs({.name = "10_autoencoder",
         .small = small_training(digits),
         .values = {{"--data", digits}, {"--batch", "6"}, {"--overfit", "8"}, {"--code", "3"}, {"--beta", "4"}},
         .instead = on_the_cpu,
         .apart = apart_in_training()})
      .check();
}
