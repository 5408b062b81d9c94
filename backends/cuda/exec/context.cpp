#include "weft/backends/cuda/exec/context.h"

#include <map>

#include "weft/runtime/array.h"
#include "weft/runtime/threads.h"
#include "weft/support/error.h"
#include "weft/support/memory.h"

namespace weft::cuda {
namespace {

DevicePointer pointer(const std::byte* memory) { return reinterpret_cast<DevicePointer>(memory); }

ForkSafeMutex& opening() {
  static auto* const mutex = new ForkSafeMutex;
  return *mutex;
}
[[maybe_unused]] const ForkSafeMutex& made_before_main = opening();

DeviceDescription describe(const Driver& driver, int number, Device* device) {
  int count = 0;
  driver.check(driver.device_count(&count), "cuDeviceGetCount");
  if (number >= count) throw Error(ErrorKind::device, "there is no CUDA device {}: the driver finds {} (numbered from 0)", number, count);
  driver.check(driver.device(device, number), "cuDeviceGet");
  DeviceDescription d{.number = number};
  char name[256] = {};
  driver.check(driver.device_name(name, sizeof name, *device), "cuDeviceGetName");
  d.name = name;
  const auto attribute = [&](int which) {
    int value = 0;
    driver.check(driver.device_attribute(&value, which, *device), "cuDeviceGetAttribute");
    return value;
  };
  d.major = attribute(attribute_major);
  d.minor = attribute(attribute_minor);
  d.multiprocessors = attribute(attribute_multiprocessors);
  driver.check(driver.device_memory(&d.memory_bytes, *device), "cuDeviceTotalMem");
  driver.check(driver.driver_version(&d.driver_version), "cuDriverGetVersion");
  return d;
}

class DeviceMemory final : public MemorySpace {
 public:
  explicit DeviceMemory(std::shared_ptr<Context> context)
      : context_(std::move(context)), name_(context_->description().name + ", memory") {}

  std::string_view name() const override { return name_; }
  std::byte* allocate(size_t bytes) override { return context_->allocate(bytes); }
  void release(std::byte* memory) override { context_->release(memory); }
  void copy_in(std::byte* to, const std::byte* host, size_t bytes) override { context_->copy_in_now(to, host, bytes); }
  void copy_out(std::byte* host, const std::byte* from, size_t bytes) override { context_->copy_out_now(host, from, bytes); }

 private:
  std::shared_ptr<Context> context_;
  std::string name_;
};

}  // namespace

std::string DeviceDescription::arch() const { return fmt::format("sm_{}{}", major, minor); }

DeviceDescription describe_device(int device, const std::string& library) {
  Device unused = 0;
  return describe(cuda::driver(library), device, &unused);
}

class Context::Current {
 public:
  explicit Current(const Context& context) : driver_(context.driver_) { driver_.check(driver_.push_context(context.context_), "CUDA"); }
  ~Current() {
    ContextHandle* popped = nullptr;
    driver_.pop_context(&popped);
  }
  Current(const Current&) = delete;

 private:
  const Driver& driver_;
};

std::shared_ptr<Context> Context::of(int device, const std::string& library) {
  static auto* const open = new std::map<std::pair<const Driver*, int>, std::weak_ptr<Context>>;
  const Driver& driver = cuda::driver(library);
  const std::lock_guard lock(opening());
  std::weak_ptr<Context>& known = (*open)[{&driver, device}];
  std::shared_ptr<Context> context = known.lock();
  if (!context) known = context = std::make_shared<Context>(device, driver);
  return context;
}

Context::Context(int device, const Driver& driver) : driver_(driver), description_(describe(driver, device, &device_)) {
  driver_.check(driver_.retain_context(&context_, device_), fmt::format("CUDA device {} ({})", device, description_.name));
  make_streams();
}

Context::Context(const Beside& beside)
    : driver_(beside.failed.driver_), device_(beside.failed.device_), description_(beside.failed.description_), is_apart_(true) {
  driver_.check(driver_.create_context(&context_, 0, device_), "cuCtxCreate");
  ContextHandle* made_current = nullptr;
  driver_.pop_context(&made_current);
  make_streams();
}

void Context::make_streams() {
  try {
    const Current current(*this);
    driver_.check(driver_.create_stream(&stream_, stream_non_blocking), "cuStreamCreate");
    driver_.check(driver_.create_stream(&copy_stream_, stream_non_blocking), "cuStreamCreate");
  } catch (...) {
    if (stream_) quietly([&] { driver_.destroy_stream(stream_); });
    give_back();
    throw;
  }
}

void Context::give_back() const {
  if (is_apart_) driver_.destroy_context(context_);
  else driver_.release_context(device_);
}

Context::~Context() {
  quietly([&] {
    for (StreamHandle* stream : {copy_stream_, stream_}) driver_.synchronize(stream), driver_.destroy_stream(stream);
  });
  give_back();
}

void Context::quietly(const std::function<void()>& release) const {
  if (driver_.push_context(context_) != success) return;
  release();
  ContextHandle* popped = nullptr;
  driver_.pop_context(&popped);
}

void Context::with_current(const std::function<void()>& call) const {
  const Current current(*this);
  call();
}

std::shared_ptr<MemorySpace> Context::memory() {
  // One for all who ask: storages tell spaces apart by it. It lives as long as somebody has it.
  const std::lock_guard lock(opening());
  std::shared_ptr<MemorySpace> space = memory_.lock();
  if (!space) memory_ = space = std::make_shared<DeviceMemory>(shared_from_this());
  return space;
}

std::byte* Context::allocate(size_t bytes) {
  const Current current(*this);
  DevicePointer memory = 0;
  // Whole lines, so that vectors at the end of a buffer stay inside.
  const size_t lines = std::max<size_t>(1, (bytes + buffer_alignment - 1) / buffer_alignment);
  const Result result = driver_.allocate(&memory, lines * buffer_alignment);
  if (result == error_out_of_memory)
    throw OutOfMemory("{} has no {} left (it has {} in all)", description_.name, bytes_text(bytes), bytes_text(description_.memory_bytes));
  driver_.check(result, "cuMemAlloc");
  return reinterpret_cast<std::byte*>(memory);
}

void Context::release(std::byte* memory) {
  quietly([&] { driver_.release(pointer(memory)); });
}

PinnedBuffer Context::pinned(size_t bytes) {
  const Current current(*this);
  void* memory = nullptr;
  driver_.check(driver_.allocate_pinned(&memory, std::max<size_t>(1, bytes), host_alloc_portable), "cuMemHostAlloc");
  return PinnedBuffer(static_cast<std::byte*>(memory), {shared_from_this()});
}

void GiveBackPinned::operator()(std::byte* memory) const {
  context->quietly([&] { context->driver_.release_pinned(memory); });
}

void GiveBackMemory::operator()(std::byte* memory) const { context->release(memory); }

void Context::copy_in(std::byte* to, const std::byte* pinned, size_t bytes, StreamHandle* stream) {
  const Current current(*this);
  if (bytes > 0) driver_.check(driver_.copy_in(pointer(to), pinned, bytes, stream), "cuMemcpyHtoDAsync");
}

void Context::launch(const KernelLaunch& launch, FunctionHandle* function, std::byte* const* table, StreamHandle* stream) {
  const Current current(*this);
  void* parameters[] = {const_cast<std::byte**>(table)};
  driver_.check(driver_.launch_kernel(function, launch.blocks, 1, 1, launch.threads, 1, 1, 0, stream, parameters, nullptr),
                "cuLaunchKernel of " + launch.name);
}

void Context::launch(const Graph& graph) {
  const Current current(*this);
  const Result result = driver_.launch_graph(graph.handle(), stream_);
  if (result == success) return;
  // Which of its calls the driver does not say.
  Error failure(ErrorKind::device, "cuGraphLaunch: {}", driver_.describe(result));
  repeat_for(failure);
  throw failure;
}

void Context::record(const Event& event, StreamHandle* stream) {
  const Current current(*this);
  driver_.check(driver_.record_event(event.get(), stream), "cuEventRecord");
}

void Context::wait_in(StreamHandle* stream, const Event& event) {
  const Current current(*this);
  driver_.check(driver_.stream_waits(stream, event.get(), 0), "cuStreamWaitEvent");
}

Event Context::event() {
  const Current current(*this);
  EventHandle* event = nullptr;
  driver_.check(driver_.create_event(&event, event_default), "cuEventCreate");
  return Event(event, {shared_from_this()});
}

void GiveBack::operator()(EventHandle* event) const {
  context->quietly([&] { context->driver_.destroy_event(event); });
}

double Context::elapsed(const Event& start, const Event& end) {
  const Current current(*this);
  float milliseconds = 0;
  driver_.check(driver_.elapsed(&milliseconds, start.get(), end.get()), "cuEventElapsedTime");
  return milliseconds;
}

void Context::copy_in_now(std::byte* to, const std::byte* host, size_t bytes) {
  copy_in(to, host, bytes, stream_);
  synchronize();
}

void Context::copy_out_now(std::byte* host, const std::byte* from, size_t bytes) {
  {
    const Current current(*this);
    if (bytes > 0) driver_.check(driver_.copy_out(host, pointer(from), bytes, stream_), "cuMemcpyDtoHAsync");
  }
  synchronize();
}

void Context::synchronize() {
  const Current current(*this);
  waited(driver_.synchronize(stream_));
  const std::lock_guard lock(asked_mutex_);
  asked_.clear();
}

void Context::wait_for(const Event& event) {
  const Current current(*this);
  waited(driver_.wait_for_event(event.get()));
}

void Context::waited(Result result) {
  if (result == success) return;
  Error failure(ErrorKind::device, "what was asked of CUDA device {} ({}) failed: {}", description_.number, description_.name,
                driver_.describe(result));
  repeat_for(failure);
  throw failure;
}

std::unique_ptr<Module> Context::load(const std::string& ptx) {
  const Current current(*this);
  std::string log(8192, '\0');
  int names[] = {jit_error_log, jit_error_log_bytes};
  void* values[] = {log.data(), reinterpret_cast<void*>(log.size())};
  ModuleHandle* module = nullptr;
  const Result result = driver_.load_module(&module, ptx.c_str(), 2, names, values);
  if (result != success)
    throw Error(ErrorKind::device, "the driver does not compile the kernels for {} ({}): {}. {}", description_.name, description_.arch(),
                driver_.describe(result), log.c_str());
  return std::make_unique<Module>(shared_from_this(), module);
}

std::unique_ptr<Graph> Context::capture(const std::function<void(StreamHandle*)>& enqueue) {
  const Current current(*this);
  // A stream of its own: what others ask of the device meanwhile is none of the graph's.
  StreamHandle* stream = nullptr;
  driver_.check(driver_.create_stream(&stream, stream_non_blocking), "cuStreamCreate");
  GraphHandle* recorded = nullptr;
  GraphExecHandle* graph = nullptr;
  const auto end = [&] {
    if (recorded) driver_.destroy_graph(recorded);
    driver_.destroy_stream(stream);
  };
  try {
    driver_.check(driver_.begin_capture(stream, capture_thread_local), "cuStreamBeginCapture");
    try {
      enqueue(stream);
    } catch (...) {
      driver_.end_capture(stream, &recorded);
      throw;
    }
    driver_.check(driver_.end_capture(stream, &recorded), "cuStreamEndCapture");
    driver_.check(driver_.instantiate_graph(&graph, recorded, 0), "cuGraphInstantiate");
  } catch (...) {
    end();
    throw;
  }
  end();
  return std::make_unique<Graph>(shared_from_this(), graph);
}

Module::~Module() {
  context_->quietly([&] { context_->driver_.unload_module(module_); });
}

FunctionHandle* Module::find(const std::string& kernel) const {
  const Context::Current current(*context_);
  FunctionHandle* function = nullptr;
  if (const Result result = context_->driver_.find_function(&function, module_, kernel.c_str()); result != success)
    throw Error(ErrorKind::file, "there is no code of the kernel '{}': {}", kernel, context_->driver_.describe(result));
  return function;
}

Graph::~Graph() {
  context_->quietly([&] { context_->driver_.destroy_graph_exec(graph_); });
}

}  // namespace weft::cuda
