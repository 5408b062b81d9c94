#pragma once
// Makes a bundle (bundle/manifest.h). Everything is compiled for a GPU that is not there, and what is wanted comes from the CPU and
// from the reference.

#include <functional>
#include <string>
#include <vector>

#include "weft/frontend/program/target.h"
#include "weft/ir/module.h"
#include "weft/runtime/array.h"
#include "weft/tests/gpu_check/bundle/manifest.h"

namespace weft::gpu_check {

class Maker {
 public:
  struct Options {
    std::string folder;
    std::string arch = "sm_80";
    std::string only;    // makes what has this in its name
    bool small = false;  // few checks, and little to measure
  };
  explicit Maker(Options options);

  const Options& options() const { return options_; }
  bool wants(const std::string& name) const { return name.find(options_.only) != std::string::npos; }
  /// The target that programs are compiled for, which needs no driver; nothing runs there.
  Target target(std::optional<DType> autocast = {}) const;
  /// A file's name for what is called so, without folder and ending; and with folder.
  std::string file_for(const std::string& name);
  std::string path(const std::string& file, const std::string& ending) const { return options_.folder + "/" + file + ending; }

  using Tensors = std::vector<std::pair<std::string, Array>>;
  void write_data(const std::string& file, const Tensors& tensors) const;
  void add(Check check) { manifest_.checks.push_back(std::move(check)); }
  void add(Measured measured) { manifest_.measured.push_back(std::move(measured)); }
  void finish() const { write_manifest(options_.folder, manifest_); }
  const Manifest& manifest() const { return manifest_; }

 private:
  Options options_;
  Manifest manifest_;
};

/// A planned module of a recorded one, for that target.
ir::Module planned(const ir::Module& recorded, const Target& target);
/// Writes a function's program. Inputs are fed; those that are parameters or states, or all where `resident`, live on the device.
void write_function(const Maker& maker, const std::string& file, const ir::Module& planned, const Target& target, bool resident = false);

// The parts of a bundle.
/// Every op of the registry, the programs of tests/passes, random graphs.
void add_functions(Maker& maker);
/// The nets of tests/gpu, whose losses are wanted step by step.
void add_trainings(Maker& maker);
/// Kernels and products that fill a GPU.
void add_table(Maker& maker);
/// Whole steps of the lessons' nets and GPT-2, in the shapes that people train.
void add_steps(Maker& maker);

}  // namespace weft::gpu_check
