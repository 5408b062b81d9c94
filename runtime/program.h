#pragma once
// A compiled function as the runtime sees it: buffers in, buffers out, one call per step. It knows no graph.

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weft/runtime/call_watcher.h"
#include "weft/runtime/profiler.h"
#include "weft/runtime/storage.h"
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

/// Where a program finds an input: in a storage, which it reads and writes wherever it computes, or in memory of the host.
class Binding {
 public:
  Binding() = default;
  Binding(Storage& storage) : storage_(&storage) {}
  Binding(std::byte* host) : host_(host) {}

  /// Null for memory of the host.
  Storage* storage() const { return storage_; }
  std::byte* host() const { return host_; }
  /// The newest elements on the host, to be read, or to be read and written.
  const std::byte* read() const { return storage_ ? storage_->read() : host_; }
  std::byte* write() const { return storage_ ? storage_->write() : host_; }

 private:
  Storage* storage_ = nullptr;
  std::byte* host_ = nullptr;
};

class Program {
 public:
  virtual ~Program() = default;

  const std::vector<Port>& inputs() const { return inputs_; }
  const std::vector<Port>& outputs() const { return outputs_; }

  /// Runs once. `inputs[i]` is where the elements of input i are; an input that an output aliases is overwritten in
  /// place, the others are only read, and must lie apart from these and from the arena. Not to be called from two threads
  /// at once.
  virtual void run(std::span<const Binding> inputs) = 0;
  /// The same for memory of the host.
  void run(std::span<std::byte* const> inputs) { run(std::vector<Binding>(inputs.begin(), inputs.end())); }

  /// The same, call by call, each of which the watcher sees. Throws what it throws, and has then run no call after that one: what was to
  /// be overwritten in place may or may not be. Throws weft::Error unless shows_calls().
  virtual bool shows_calls() const { return false; }
  virtual void run_watched(std::span<const Binding> inputs, CallWatcher& watcher);

  /// The elements of output i on the host, after run(), until the next run(). For an aliased output: the input's memory.
  virtual const std::byte* output(int i) const = 0;

  /// Bytes of the arena that holds every intermediate value; 0 when nothing was planned.
  virtual size_t arena_bytes() const { return 0; }
  /// The arena, where it is memory of the host: run() writes it while it reads the inputs, which must not lie there.
  virtual std::span<const std::byte> arena() const { return {}; }
  /// One line per launch or library call, in order of execution.
  virtual std::vector<std::string> calls() const { return {}; }

  /// How many threads of the host compute, the caller's included.
  virtual int threads() const { return 1; }

  /// From the next run on, measures each call, and of the first so many runs keeps when; starting again forgets what was measured.
  virtual void start_profile(int64_t /*traced_runs*/ = 0) {}
  /// What was measured, one entry per call in order of execution; empty when profiling was not started.
  virtual std::vector<CallTime> profile() const { return {}; }
  /// Of the runs that were traced so far.
  virtual Trace trace() const { return {}; }

 protected:
  std::vector<Port> inputs_, outputs_;
};

}  // namespace weft
