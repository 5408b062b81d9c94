#pragma once
// What a compiled program launches, in order, and where the operands of each launch are: plain data that every backend's programs
// are made of. What carries a launch out (a kernel, a library's primitive) is the backend's.

#include <cstdint>
#include <string>
#include <vector>

#include "weft/runtime/array.h"
#include "weft/runtime/program.h"

namespace weft {

/// Where a buffer is.
struct BufferPlace {
  enum class Kind { input, arena, constant } kind = Kind::arena;
  int64_t position = 0;  // input number, arena offset in bytes, constant number
  int64_t bytes = 0;
  bool written = false;  // else only read

  /// Do they share bytes that one of the two writes? Then one must wait for the other.
  bool conflicts(const BufferPlace& other) const;
};

/// A kernel or a library call.
struct Launch {
  /// Operands, then results.
  std::vector<BufferPlace> buffers;
  /// Is it worth several threads? Otherwise all of it runs on one.
  bool parallel = true;
  double flops = 0, bytes = 0;
  /// One line for people: what is run, on what, for which source lines.
  std::string description = {};

  /// Must the later of the two wait for the earlier?
  bool conflicts(const Launch& other) const;
};

struct LaunchList {
  std::vector<Port> inputs, outputs;
  std::vector<BufferPlace> output_places;
  std::vector<Launch> launches;
  std::vector<Array> constants;
  int64_t arena_bytes = 0;
};

// What a list from a file is asked before it runs. Each throws weft::Error.

/// The place exists, and has at least so many bytes: "a buffer of 16 bytes, which needs 64, does not lie where ...".
void require_room(const LaunchList& list, const BufferPlace& place, int64_t needed, const std::string& what);
/// Every output has a place, and where it takes over an input, one that it fits.
void require_outputs(const LaunchList& list);

}  // namespace weft
