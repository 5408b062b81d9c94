#pragma once
// A compiled function as the runtime sees it: buffers in, buffers out, one call per step. It knows no graph.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weft/runtime/profiler.h"
#include "weft/support/dtype.h"
#include "weft/support/shape.h"

namespace weft {

/// An input or output of a program.
struct Port {
  std::string name;
  DType dtype = f32;
  Shape shape;
  /// Of an output: the input whose memory it takes over.
  std::optional<int> alias = {};
  /// The user's line that made it, for errors ("train.cpp:31").
  std::string where = {};

  size_t bytes() const { return static_cast<size_t>(shape.numel()) * size_of(dtype); }
};

class Program {
 public:
  virtual ~Program() = default;

  const std::vector<Port>& inputs() const { return inputs_; }
  const std::vector<Port>& outputs() const { return outputs_; }

  /// Runs once. `inputs[i]` points to the elements of input i; an input that an output aliases is overwritten in
  /// place, the others are only read, and must lie apart from these and from the arena. Not to be called from two threads
  /// at once.
  virtual void run(std::span<std::byte* const> inputs) = 0;

  /// Where the elements of output i are after run(), until the next run(). For an aliased output: the input's memory.
  virtual const std::byte* output(int i) const = 0;

  /// Bytes of the arena that holds every intermediate value; 0 when nothing was planned.
  virtual size_t arena_bytes() const { return 0; }
  /// The arena: run() writes it while it reads the inputs, which must not lie there.
  virtual std::span<const std::byte> arena() const { return {}; }
  /// One line per launch or library call, in order of execution.
  virtual std::vector<std::string> calls() const { return {}; }

  /// From the next run on, measures each call; starting again forgets what was measured.
  virtual void start_profile() {}
  /// What was measured, one entry per call in order of execution; empty when profiling was not started.
  virtual std::vector<CallTime> profile() const { return {}; }

 protected:
  std::vector<Port> inputs_, outputs_;
};

}  // namespace weft
