#pragma once
// The lessons as a test runs them: their options, from --help, and a value for each.

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "weft/tests/process.h"

namespace weft::test {

using Options = std::map<std::string, std::string>;  // "--option" to its value, empty for a flag

/// Two options in the order of their names.
using Pair = std::pair<std::string, std::string>;
Pair pair_of(const std::string& a, const std::string& b);

struct Lesson {
  std::string name;
  Options small;                                // what keeps it short
  Options values = {};                          // of options of its own, or that mean something else there
  std::map<std::string, Options> instead = {};  // of `small` beside an option; the value left_out leaves one out
  std::set<Pair> apart = {};                    // that are refused beside each other with the values given here
};

inline const std::string left_out = "-";

/// What lessons refuse that train with a Trainer.
std::set<Pair> apart_in_training(const std::set<Pair>& besides = {});

/// What 06_optimizers refuses where it trains LBFGS alone, or a table alone.
const std::set<std::string> not_for_lbfgs{"--shuffle",     "--no-shuffle", "--eval-every", "--patience", "--find-lr", "--curve",
                                          "--tensorboard", "--profile",    "--trace",      "--report",   "--save",    "--resume",
                                          "--accumulate",  "--clip-norm",  "--metrics",    "--watch",    "--watched", "--check-finite"};
const std::set<std::string> not_for_tables{"--data", "--overfit"};

/// The options that its --help lists.
std::vector<std::string> options_of(const Lesson& lesson);

/// A value that suits the option: the lesson's, or that of all lessons. DIR in front of it stands for a folder.
std::string value_of(const Lesson& lesson, const std::string& option);

/// `options` and what of `small` is left beside them, as a command line; DIR in front of a value is `dir`.
std::string command_of(const Lesson& lesson, const Options& options, const TempDir& dir);

/// The lines of a file of metrics.
std::vector<nlohmann::json> metrics_in(const std::string& path);

/// The test accuracy that a lesson says at its end, in percent; fails the test where it says none.
double accuracy_in(const Ran& ran);

/// Writes the four IDX files of MNIST, of so few drawn digits; returns the folder.
std::string write_digits(const TempDir& dir, int64_t count);

/// Writes CIFAR-10's binary version: five times the same `count` records, at least 20, which one class colours alike, and 20 to test on.
void write_pictures(const TempDir& dir, int64_t count = 200);

}  // namespace weft::test
