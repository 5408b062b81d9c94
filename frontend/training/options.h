#pragma once
// What the verbs of a Trainer are told. Each has a struct with what it reads and nothing else, in groups where it is much or where
// several read the same.
//
//   trainer.fit(train, test, {.epochs = 5, .batch = 64, .data = {.shuffle = true}, .stop = {.patience = 3}});

#include <cstdint>
#include <string>
#include <vector>

#include "weft/frontend/language/defaults.h"
#include "weft/frontend/program/target.h"
#include "weft/runtime/data/sampler.h"

namespace weft {

/// How a training goes through its data.
struct DataOptions {
  bool shuffle = false;    // a new order each epoch, a function of (seed, epoch)
  bool drop_last = false;  // leave a smaller last batch out of training
  int64_t overfit = 0;     // train on the first so many examples only: can the model learn them by heart? 0: on all
  int workers = 1;         // threads that load batches; their number changes no bit
  Sampler sampler = {};    // which examples an epoch has, and in which order: see sampler.h. In the place of `shuffle`
};

/// For what programs are compiled.
struct ProgramOptions {
  Target target = Target::cpu();
  int threads = 0;              // 0: the target's
  std::string dump_ir = {};     // see CompileOptions
  bool check_finite = false;    // see CompileOptions: the first value that is not finite is named, and the step that makes it undone
  std::string reproducer = {};  // see CompileOptions
};

/// When a training ends before its epochs do.
struct StopOptions {
  int64_t max_steps = 0;  // after so many steps in all; 0: no limit
  int64_t patience = 0;   // after so many epochs in a row without a smaller test loss; the model then has the weights of the
                          // smallest. 0: never
};

/// What a training measures beside its losses. All of it costs time.
struct MeasureOptions {
  bool training_set = false;            // an epoch's training numbers are measured on the training set after it, as the test numbers are;
                                        // otherwise they are those of its batches
  int64_t test_every = 0;               // also evaluate on the test set after every so many steps: History::evaluations. 0: never
  bool gradient_norms = false;          // at every step: History::gradient_norms
  std::vector<std::string> watch = {};  // values of which every step's statistics go into .files: see CompileOptions::watch
  bool profile = false;                 // where the training step's time goes: History::profile
};

/// All that training needs to go on, in safetensors files (see checkpoint.h).
struct CheckpointOptions {
  std::string path = {};    // written after every epoch and at the end
  int64_t every = 0;        // and after every so many steps; 0: not
  int64_t keep_last = 0;    // keep the last so many besides: "run.step-200.safetensors" for "run.safetensors"; what an earlier run
                            // left under such names goes first. 0: none
  bool keep_best = false;   // keep the one with the smallest test loss besides: "run.best.safetensors"
  std::string resume = {};  // go on from this checkpoint, bit for bit as if training had not stopped. epochs and max_steps count
                            // from the first beginning; the optimizer's numbers come from the file
};

/// Files for people and programs that look at a training.
struct FileOptions {
  std::string metrics = {};      // gets one line of JSON per epoch
  std::string loss_curve = {};   // gets "step,loss" for every training step, and what is measured of its batch (CSV)
  std::string watched = {};      // gets one line of JSON for every training step: statistics of what .measure.watch names
  std::string tensorboard = {};  // a folder that gets an event file: losses and metrics over training steps, of each step's batch
                                 // ("loss/step", with the "lr") and of epochs ("loss/train", "loss/test")
  std::string trace = {};        // gets what each thread did in the first 10 training steps, for ui.perfetto.dev: see Step::trace
  std::string report = {};       // gets a page about the training step, with its times and the loss of every step: see Step::report
};

/// Of Trainer::fit and fit_side_by_side.
struct FitOptions {
  int64_t epochs = 1;
  int64_t batch = 64;              // the last batch of an epoch may be smaller; both sizes are compiled ahead
  int64_t accumulate = 1;          // compute the gradient of a batch in so many parts, one after the other: see micro_batches.h
  uint64_t seed = current_seed();  // of the order, of random transforms and of dropout
  DataOptions data = {};
  StopOptions stop = {};
  MeasureOptions measure = {};
  CheckpointOptions checkpoints = {};
  FileOptions files = {};
  std::string log = "bar";  // "bar" or "plain" on stderr: what compiles, the means of the epoch so far (bar), a line for every epoch.
                            // "classic", as PyTorch's quickstart prints, or a line of an epoch's losses and accuracies for each of
                            // several models. "none"
  ProgramOptions program = {};
};

/// Of Trainer::evaluate.
struct EvaluateOptions {
  int64_t batch = 64;
  int workers = 1;                 // threads that load batches
  uint64_t seed = current_seed();  // of what the model draws in eval mode
  std::string log = "bar";         // as FitOptions::log: "bar" shows what compiles on a terminal, the others say nothing
  ProgramOptions program = {};
};

/// Of Trainer::find_lr, which makes steps of a training as FitOptions describes them.
struct LrSearchOptions {
  int64_t batch = 64;
  int64_t accumulate = 1;
  uint64_t seed = current_seed();
  DataOptions data = {};
  double min_lr = 1e-8, max_lr = 1;
  int64_t steps = 100;
  double stop_factor = 4;   // stop when the smoothed loss is so many times its smallest; 0: never
  std::string log = "bar";  // as EvaluateOptions::log
  ProgramOptions program = {};
};

}  // namespace weft
