#pragma once
// The command line that all examples share.

#include <cstdint>
#include <string>

#include "weft/weft.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

struct Options {
  std::string device = "cpu";
  int64_t epochs = 0;
  int64_t least_epochs = 1;  // 0: of a lesson that has something to do without training; what that alone heeds is refused then
  int64_t batch = 0;
  double lr = 0;
  uint64_t seed = 0;
  std::string data;
  std::string metrics;
  std::string dump_ir;
  int64_t max_steps = 0;
  int threads = 0;
  std::string max_isa;
  std::string autocast;
  int64_t memory_limit = 0;  // bytes; 0: none
  bool check_finite = false;

  // Those of add_training_options.
  std::string optimizer = "sgd";
  bool shuffle = false;
  int workers = 1;
  int64_t eval_every = 0;
  int64_t overfit = 0;
  int64_t patience = 0;
  bool find_lr = false;
  std::string log = "bar";
  std::string curve;
  std::string plots;
  std::string tensorboard;
  std::vector<std::string> watch;
  std::string watched;
  bool profile = false;
  std::string trace;
  std::string report;
  std::string save;
  std::string resume;
  int64_t accumulate = 1;
  double clip_norm = 0;

  /// Throws weft::Error for what the device does not heed.
  weft::Target target() const;
  // What a Trainer's verbs take of them.
  /// Gradient norms are measured if there are plots.
  weft::FitOptions fit() const;
  weft::EvaluateOptions evaluation() const;
  weft::LrSearchOptions lr_search() const;
};

/// Adds the options to `app`; their values at this moment are the defaults that --help shows.
void add_options(CLI::App& app, Options& options);
/// The same, and those of examples that train with a Trainer.
void add_training_options(CLI::App& app, Options& options);
/// The same for several nets side by side, each of which has its own files.
void add_side_by_side_options(CLI::App& app, Options& options);

/// DIR/name, once DIR is there.
std::string in_directory(const std::string& directory, const std::string& name);

/// What an option takes, said plainly: "--batch must be a positive integer, not 0". Each throws weft::Error.
void require_integer(CLI::Option* option, int64_t least);
void require_number(CLI::Option* option, double least);
void require_one_of(CLI::Option* option, std::vector<std::string> names);

/// Throws weft::Error when one of these was given beside `other`, next to which it has no effect: "--hidden has no effect with
/// --net conv".
void refuse_beside(const CLI::App& app, const std::string& other, const std::vector<std::string>& names);

/// Runs an example: parses the command line, and turns an exception into a message on standard error and exit code 1.
int run_example(CLI::App& app, int argc, char** argv, void (*body)(void*), void* context);

template <class Body>
int run_example(CLI::App& app, int argc, char** argv, Body body) {
  return run_example(app, argc, argv, [](void* b) { (*static_cast<Body*>(b))(); }, &body);
}
