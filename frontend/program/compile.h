#pragma once
// From a recorded graph to a program.

#include <cstdint>
#include <optional>
#include <string>

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
  /// another build is compiled anew, and nobody removes what is no longer used. Programs that are dumped, validated or checked are
  /// compiled. Empty: the environment variable WEFT_CACHE decides; unset or empty, none.
  std::string cache = {};
  /// Of dropout masks and random numbers; manual_seed's unless given. Each graph draws numbers of its own, the same from run
  /// to run: by its name, and, unless the seed is given here, by how many graphs of that name were made since manual_seed. All
  /// training steps of one optimizer, which count their steps together, draw from one stream, which checkpoints keep.
  std::optional<uint64_t> seed = {};
  /// After every pass, lets the reference interpret the program on sample data and compares what it gives with what it gave
  /// before the pass (but for autocast, which changes types); slow. Unset: the environment variable WEFT_VALIDATE decides (1 or 0), else off.
  std::optional<bool> validate = {};
  /// After every call, throws weft::Error when an index that the program computed is out of its range (it would give nan, or pick
  /// nothing) or an element of a floating output or new parameter is not finite, naming the line. Reads all of them: for debugging.
  bool check_finite = false;
};

/// Compiles `recorded`, or a graph as it is now. Throws weft::Error for what only the whole graph shows: a parameter to
/// train that the loss does not depend on, an op without gradient on the way (with its lines), a gradient to keep that
/// does not exist, a folder that cannot be written. With validation, throws InternalError naming the pass that changed an
/// output and by how much.
Step compile(Recorded recorded, const Target& target, CompileOptions options = {});

/// How many programs compile() has compiled in this process, those aside that were found in a cache.
int64_t compiled_programs();

}  // namespace weft
