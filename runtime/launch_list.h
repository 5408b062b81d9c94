#pragma once
// What a compiled program launches, in order, and where the operands of each launch are: plain data that every backend's programs
// are made of. What carries a launch out (a kernel, a library's primitive) is the backend's.

#include <cstdint>
#include <string>
#include <vector>

#include "weft/runtime/array.h"
#include "weft/runtime/float_mode.h"
#include "weft/runtime/program.h"

namespace weft {

/// Where a buffer is.
struct BufferPlace {
  enum class Kind { input, arena, constant } kind = Kind::arena;
  int64_t position = 0;  // input number, arena offset in bytes, constant number
  int64_t bytes = 0;
  bool written = false;  // else only read
  /// Inside of loops: how many bytes it moves from one pass to the next, of each loop around it, the outermost first; none: it stays.
  Dims steps = {};
  /// Where it lies in the first pass: so many bytes behind the position.
  int64_t offset = 0;

  /// The bytes that it touches in any pass of the loops around it.
  BufferPlace over_all(const Dims& passes) const;
  /// Do they share bytes that one of the two writes? Then one must wait for the other. Asked of places that stay.
  bool conflicts(const BufferPlace& other) const;
};

/// A kernel or a library call.
struct Launch {
  /// Operands, then results.
  std::vector<BufferPlace> buffers;
  /// Is it worth several threads? Otherwise all of it runs on one.
  bool parallel = true;
  double flops = 0, bytes = 0;  // in a step, all passes of the loops around it together
  /// One line for people: what is run, on what, for which source lines.
  std::string description = {};

  /// Must the later of the two wait for the earlier?
  bool conflicts(const Launch& other) const;
};

/// Launches that run again and again: first to last - 1, `count` times in order.
struct LaunchLoop {
  size_t first = 0, last = 0;
  int64_t count = 0;
};

struct LaunchList {
  std::vector<Port> inputs, outputs;
  std::vector<BufferPlace> output_places;
  std::vector<Launch> launches;
  /// In the order of their first launches, a loop before those inside it. Of two, one lies inside the other or they are apart.
  std::vector<LaunchLoop> loops;
  std::vector<Array> constants;
  int64_t arena_bytes = 0;
  Denormals denormals = Denormals::kept;  // of a program for the CPU
};

/// The numbers of the loops around the launch, the outermost first, and how often each of them runs.
std::vector<size_t> loops_around(const LaunchList& list, size_t launch);
Dims passes_around(const LaunchList& list, size_t launch);

// What a list from a file is asked before it runs. Each throws weft::Error.

/// The place exists, and has at least so many bytes in every pass of the loops around it: "a buffer of 16 bytes, which needs 64, does
/// not lie where ...".
void require_room(const LaunchList& list, const BufferPlace& place, int64_t needed, const std::string& what, const Dims& passes = {});
/// The loops lie inside each other or apart, and are none without launches.
void require_loops(const LaunchList& list);
/// Every output has a place, and where it takes over an input, one that it fits.
void require_outputs(const LaunchList& list);

}  // namespace weft
