#pragma once
// A backend as the rest of weft knows it: one value.

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/backends/program/kernel_text.h"
#include "weft/ir/module.h"
#include "weft/passes/target.h"
#include "weft/runtime/program_data.h"

namespace weft {

class Backend {
 public:
  virtual ~Backend() = default;

  /// As users ask for it: "cpu".
  virtual std::string_view name() const = 0;
  /// What the passes ask, as long as the backend lives.
  virtual const passes::Target& target() const = 0;
  /// The pipeline (passes::pipeline) that makes of a recorded module what build() takes.
  virtual std::string_view pipeline() const = 0;
  /// Does build() take a module of any stage? Then a text runs as it stands.
  virtual bool takes_every_stage() const { return false; }
  /// Chooses by measurement, where it was asked to, what a planned module leaves open, and writes it down there.
  virtual void tune(ir::Module& /*module*/) const {}
  /// A program of `module`; when `kernels` is given, also fills in the generated code. Throws weft::Error for a module of
  /// another stage or target, and for an op that the backend cannot run.
  virtual std::unique_ptr<Program> build(const ir::Module& module, std::vector<KernelText>* kernels) const = 0;
  /// All that the code which lower() gives depends on besides the module and the files whose code is loaded: the machine, limits. Empty
  /// where there is no lower().
  virtual std::string fingerprint() const { return ""; }
  /// The machine that programs run on, with its limit on instructions, as what was measured of it is kept (frontend/report/machine.h); empty
  /// where nothing is.
  virtual std::string machine() const { return ""; }
  /// build() in two halves, between which the program may be kept in a file: for this machine, and from there.
  virtual ProgramData lower(const ir::Module& /*module*/) const {
    throw InternalError(fmt::format("programs for '{}' are no data", name()));
  }
  virtual std::unique_ptr<Program> load(ProgramData /*data*/) const {
    throw InternalError(fmt::format("programs for '{}' are no data", name()));
  }
  /// The same module as data that a file may hold, compiled for each of `machines` (of the cpu: instruction sets), or without any for
  /// all that the backend knows. Throws as build() does, and for a name that it does not know.
  virtual ProgramData portable(const ir::Module& /*module*/, std::span<const std::string> /*machines*/) const {
    throw Error(ErrorKind::device, "programs for '{}' cannot be saved: it interprets them", name());
  }
  /// The same with so many compute threads; null where it has none that are anybody's to choose.
  virtual std::shared_ptr<const Backend> with_threads(int /*threads*/) const { return nullptr; }
};

}  // namespace weft
