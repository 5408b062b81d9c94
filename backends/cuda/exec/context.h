#pragma once
// A GPU that programs run on: its memory, its stream, and one for copies, its modules. All programs of a process on one device share it, so what they
// do there is done in the order in which they asked for it, and what one wrote the next one sees.

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "weft/backends/cuda/exec/driver.h"
#include "weft/backends/cuda/kernel_launch.h"
#include "weft/runtime/memory_space.h"
#include "weft/runtime/threads.h"
#include "weft/support/error.h"

namespace weft::cuda {

struct DeviceDescription {
  int number = 0;
  std::string name;  // "NVIDIA H100 80GB HBM3"
  int major = 0, minor = 0;
  int multiprocessors = 0;
  size_t memory_bytes = 0;
  int driver_version = 0;  // 12040: CUDA 12.4

  /// "sm_90"
  std::string arch() const;
};

/// What the driver says of a device, which nobody has to use for it. Throws weft::Error saying what is missing.
DeviceDescription describe_device(int device, const std::string& library = {});

/// Compiled kernels on a device.
class Module;
/// The launches of a whole step, recorded once and launched as one.
class Graph;

class Context;
/// What a context gives is given back to it.
struct GiveBack {
  std::shared_ptr<Context> context;
  void operator()(EventHandle* event) const;
};
struct GiveBackMemory {
  std::shared_ptr<Context> context;
  void operator()(std::byte* memory) const;
};
struct GiveBackPinned {
  std::shared_ptr<Context> context;
  void operator()(std::byte* memory) const;
};
using Event = std::unique_ptr<EventHandle, GiveBack>;
using DeviceBuffer = std::unique_ptr<std::byte, GiveBackMemory>;
/// Memory of the host's that the device copies from while the host goes on.
using PinnedBuffer = std::unique_ptr<std::byte, GiveBackPinned>;

/// What was asked of a context's stream, and can be done again: so that of many calls the one that fails is found.
class Repeatable {
 public:
  virtual ~Repeatable() = default;
  /// Does it again, call by call, in the context where it was done, or in another of the device, where nothing lies that lay there. False:
  /// it cannot be done now. Throws weft::Error of the call that fails.
  virtual bool repeat(const std::shared_ptr<Context>& where) = 0;
};

class Context : public std::enable_shared_from_this<Context> {
 public:
  /// Device number `device`, of which there is one Context as long as anybody uses it. `library`: see driver(). Throws weft::Error saying
  /// what is missing.
  static std::shared_ptr<Context> of(int device, const std::string& library = {});
  Context(int device, const Driver& driver);
  /// A context of its own on the same device, beside one that has failed for good.
  struct Beside {
    const Context& failed;
  };
  explicit Context(const Beside& beside);
  Context(const Context&) = delete;
  ~Context();

  const DeviceDescription& description() const { return description_; }
  const Driver& driver() const { return driver_; }
  /// Its memory, which keeps it alive.
  std::shared_ptr<MemorySpace> memory();

  std::byte* allocate(size_t bytes);
  void release(std::byte* memory);
  DeviceBuffer buffer(size_t bytes) { return DeviceBuffer(allocate(bytes), {shared_from_this()}); }
  PinnedBuffer pinned(size_t bytes);
  Event event();

  /// The one that all programs share.
  StreamHandle* stream() const { return stream_; }
  /// Beside it: what batches take to the device.
  StreamHandle* copy_stream() const { return copy_stream_; }
  // Into a stream. All return before it is done.
  void copy_in(std::byte* to, const std::byte* pinned, size_t bytes, StreamHandle* stream);
  void launch(const KernelLaunch& launch, FunctionHandle* function, std::byte* const* table, StreamHandle* stream);
  void launch(const Graph& graph);
  void record(const Event& event, StreamHandle* stream);
  /// What is put into the stream from now on begins once the event has been.
  void wait_in(StreamHandle* stream, const Event& event);

  /// Milliseconds between two recorded events that are done.
  double elapsed(const Event& start, const Event& end);

  /// What comes into the stream next. It is kept in mind, while it lives, until a wait for the stream shows that nothing has failed.
  void asks(const std::shared_ptr<Repeatable>& what);
  /// Where the device's context has failed for good, which any call may say first: names the call that was to blame, as a failed wait
  /// does.
  void explain(Error& failure);

  // Each waits until it is done. Where it was not, what was asked is done again call by call, and weft::Error names the one that fails.
  void copy_in_now(std::byte* to, const std::byte* host, size_t bytes);
  void copy_out_now(std::byte* host, const std::byte* from, size_t bytes);
  void synchronize();
  void wait_for(const Event& event);

  /// Compiles PTX for the device. Throws weft::Error with the driver's log.
  std::unique_ptr<Module> load(const std::string& ptx);
  /// What `enqueue` puts into the stream that it is given becomes a graph's instead of running.
  std::unique_ptr<Graph> capture(const std::function<void(StreamHandle*)>& enqueue);

  /// Does `call`, in which the calling thread's calls of the driver, and of libraries, are this context's.
  void with_current(const std::function<void()>& call) const;
  /// The same for destructors: a device that is gone has nothing left to release.
  void quietly(const std::function<void()>& release) const;

 private:
  friend class Module;
  friend class Graph;
  friend struct GiveBack;
  friend struct GiveBackPinned;
  /// While it lives, the calling thread's calls are this context's.
  class Current;
  /// Throws weft::Error for what went wrong before: the driver says so to who waits next.
  void waited(Result result);
  void make_streams();
  void give_back() const;
  /// Does the driver still do anything in this context?
  bool works() const;
  /// Repeats what is in mind, and says in the error what that showed.
  void repeat_for(Error& failure);
  std::vector<std::shared_ptr<Repeatable>> take_asked();

  const Driver& driver_;
  Device device_ = 0;
  DeviceDescription description_;
  ContextHandle* context_ = nullptr;
  bool is_apart_ = false;  // no primary one
  StreamHandle *stream_ = nullptr, *copy_stream_ = nullptr;
  std::weak_ptr<MemorySpace> memory_;
  ForkSafeMutex asked_mutex_;
  std::vector<std::weak_ptr<Repeatable>> asked_;
};

class Module {
 public:
  Module(std::shared_ptr<Context> context, ModuleHandle* module) : context_(std::move(context)), module_(module) {}
  Module(const Module&) = delete;
  ~Module();
  /// Throws weft::Error for a kernel that is not there.
  FunctionHandle* find(const std::string& kernel) const;

 private:
  std::shared_ptr<Context> context_;
  ModuleHandle* module_;
};

class Graph {
 public:
  Graph(std::shared_ptr<Context> context, GraphExecHandle* graph) : context_(std::move(context)), graph_(graph) {}
  Graph(const Graph&) = delete;
  ~Graph();
  GraphExecHandle* handle() const { return graph_; }

 private:
  std::shared_ptr<Context> context_;
  GraphExecHandle* graph_;
};

}  // namespace weft::cuda
