#pragma once
// From a recorded graph to a program.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "weft/frontend/program/recorded.h"
#include "weft/frontend/program/step.h"
#include "weft/frontend/program/target.h"

namespace weft {

struct CompileOptions {
  /// A directory for the module as recorded and after each pass, and for the generated code:
  /// DIR/<program>/00-recorded.weft, 01-autocast.weft, ..., kernels/<name>.ll and .s. A second program of the same name
  /// in this process goes to DIR/<program>.1. Empty: the environment variable WEFT_DUMP_IR decides; unset or empty, off.
  std::string dump_ir = {};
  /// A directory that keeps compiled programs: a later process that compiles the same graph for the same target with the same program
  /// and libraries on a machine like this one loads what is there. Any number of processes may use it at once; what is damaged or of
  /// another build is compiled anew, and nobody removes what is no longer used. Programs that are dumped, validated, checked or
  /// watched are compiled. Empty: the environment variable WEFT_CACHE decides; unset or empty, none.
  std::string cache = {};
  /// Of dropout masks and random numbers; manual_seed's unless given. Each graph draws numbers of its own, the same from run
  /// to run: by its name, and, unless the seed is given here, by how many graphs of that name were made since manual_seed. All
  /// training steps of one optimizer, which count their steps together, draw from one stream, which checkpoints keep.
  std::optional<uint64_t> seed = {};
  /// After every pass, lets the reference interpret the program on sample data and compares what it gives with what it gave
  /// before the pass (but for autocast, which changes types); slow. Unset: the environment variable WEFT_VALIDATE decides (1 or 0), else off.
  std::optional<bool> validate = {};
  /// Looks at what every launch and library call of a run has written, and throws NotFinite (frontend/program/not_finite.h) at the first
  /// element that is not finite: the op, its layer and line, whether it is of the forward part, of a gradient or of an update, and the
  /// ranges of what it read. Parameters, states and counters are then what they were before the call, and a reproducer is written. Also throws
  /// weft::Error when an index that the program computed is out of its range (it would give nan, or pick nothing). For debugging:
  /// every value is read once more, and what a step updates is copied before it.
  bool check_finite = false;
  /// Where check_finite writes the reproducer, a folder that `weft run DIR` replays: "" is PROGRAM.not_finite, beside what is running.
  std::string reproducer = {};
  /// Values of which every call measures mean, deviation, range, zeros and subnormals (Step::watched): names, in which * stands for anything.
  /// See frontend/program/watch.h for what there is.
  std::vector<std::string> watch = {};
};

/// Compiles `recorded`, or a graph as it is now. Throws weft::Error for what only the whole graph shows: a parameter to
/// train that the loss does not depend on, an op without gradient on the way (with its lines), a gradient to keep that
/// does not exist, a folder that cannot be written. With validation, throws InternalError naming the pass that changed an
/// output and by how much.
Step compile(Recorded recorded, const Target& target, CompileOptions options = {});

/// How many programs compile() has compiled in this process, those aside that were found in a cache.
int64_t compiled_programs();

}  // namespace weft
