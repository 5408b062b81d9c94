#pragma once
// The device behind the fake driver: memory, streams, graphs, and what of it is alive.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "weft/backends/cuda/exec/driver.h"
#include "weft/tests/fake_cuda/control.h"
#include "weft/tests/ptx/machine.h"

namespace weft::test::fake_cuda {

// The driver's results that weft has no name for.
inline constexpr int invalid_value = 1, not_initialized = 3, invalid_context = 201, invalid_ptx = 218, invalid_handle = 400,
                     not_found = 500, illegal_address = 700, capture_unsupported = 900, capture_invalidated = 901;

/// Something that a stream does.
using Work = std::function<void()>;

struct Graph {
  std::vector<Work> work;
};
struct Event {
  uint64_t number = 0;  // of the work that it comes behind; 0: never recorded
  struct Stream* stream = nullptr;
  double milliseconds = 0;
};
struct Stream {
  const void* context = nullptr;
  std::deque<std::pair<uint64_t, Work>> queue;
  uint64_t asked = 0, done = 0;
  std::shared_ptr<Graph> captured;  // not null: while it captures
  bool invalidated = false;
};
struct Module {
  std::unique_ptr<ptx::Machine> machine;
  std::map<std::string, struct Function*> functions;
};
struct Function {
  std::string name;
  Module* module;
};

/// Handles that are alive, each an object of its own.
template <class T>
class Handles {
 public:
  template <class Handle>
  Handle* add(std::shared_ptr<T> object) {
    auto* const handle = reinterpret_cast<Handle*>(object.get());
    alive_[handle] = std::move(object);
    return handle;
  }
  std::shared_ptr<T> find(const void* handle) const {
    const auto found = alive_.find(handle);
    return found == alive_.end() ? nullptr : found->second;
  }
  bool remove(const void* handle) { return alive_.erase(handle) == 1; }
  size_t count() const { return alive_.size(); }
  template <class F>
  void each(F f) {
    for (auto& [handle, object] : alive_) f(*object);
  }

 private:
  std::map<const void*, std::shared_ptr<T>> alive_;
};

class Device {
 public:
  static Device& instance();

  std::recursive_mutex mutex;
  bool started = false;
  FakeCudaReport report = {};
  int major = 8, minor = 0;
  size_t memory_bytes = size_t{1} << 30;
  uint64_t seed = 0;
  bool early_copies = false;
  std::map<std::string, std::pair<int, int>> failures;  // by function: the result, and how many calls before it

  ptx::Memory memory;
  std::map<uint64_t, size_t> allocations;
  std::map<const std::byte*, size_t> pinned;
  Handles<Stream> streams;
  Handles<Event> events;
  Handles<Module> modules;
  Handles<Function> functions;
  Handles<Graph> graphs, executables;
  std::map<const void*, std::string> faults;  // by context, of a kernel or a copy: from then on nothing works any more there
  std::string last_fault;
  std::string faulty_kernel;           // that goes wrong whenever it runs; "": none
  std::set<const void*> own_contexts;  // beside the device's primary one
  bool refuses_contexts = false;
  size_t library_objects = 0;
  double clock = 0;  // milliseconds of the device's time
  double milliseconds_of_algorithm[3] = {1, 1, 1};

  bool is_pinned(const void* host, size_t bytes) const;
  /// Puts work into a stream, or the graph that it captures.
  int enqueue(Stream& stream, Work work);
  /// Does what was asked of a stream, up to its work `number`.
  void run(Stream& stream, uint64_t number);
  void run_all();
  void copy_in(uint64_t to, const std::byte* from, size_t bytes);
  void copy_out(std::byte* to, uint64_t from, size_t bytes);
  void run_kernel(Function& function, uint32_t blocks, uint32_t threads, std::vector<std::byte> params);

 private:
  uint64_t kernels_ = 0;
};

}  // namespace weft::test::fake_cuda
