#include "weft/tests/device/fake_device.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "weft/runtime/device_program.h"
#include "weft/support/memory.h"

namespace weft::test {
namespace {

/// nan, -1, 255
constexpr int spoiled = 0xff;

class FakeProgram final : public DeviceProgram {
 public:
  FakeProgram(std::shared_ptr<FakeMemory> memory, std::unique_ptr<Program> program)
      : DeviceProgram(std::move(memory), program->inputs(), program->outputs()), program_(std::move(program)) {}

  size_t arena_bytes() const override { return program_->arena_bytes(); }
  std::vector<std::string> calls() const override { return program_->calls(); }
  void start_profile(int64_t traced_runs) override { program_->start_profile(traced_runs); }
  std::vector<CallTime> profile() const override { return program_->profile(); }
  Trace trace() const override { return program_->trace(); }

 protected:
  void launch(std::span<std::byte* const> inputs) override { program_->run(inputs); }
  const std::byte* result(int i) const override { return program_->output(i); }

 private:
  std::unique_ptr<Program> program_;
};

class FakeBackend final : public Backend {
 public:
  FakeBackend(std::shared_ptr<FakeMemory> memory, std::shared_ptr<const Backend> cpu) : memory_(std::move(memory)), cpu_(std::move(cpu)) {}

  std::string_view name() const override { return cpu_->name(); }
  const passes::Target& target() const override { return cpu_->target(); }
  std::string_view pipeline() const override { return cpu_->pipeline(); }
  std::unique_ptr<Program> build(const ir::Module& module, std::vector<KernelText>* kernels) const override {
    return std::make_unique<FakeProgram>(memory_, cpu_->build(module, kernels));
  }
  std::shared_ptr<const Backend> with_threads(int threads) const override {
    return std::make_shared<FakeBackend>(memory_, cpu_->with_threads(threads));
  }

 private:
  std::shared_ptr<FakeMemory> memory_;
  std::shared_ptr<const Backend> cpu_;
};

}  // namespace

FakeMemory::~FakeMemory() { require(buffers_.empty(), "a buffer was not released"); }

void FakeMemory::require(bool right, const char* what) const {
  if (right) return;
  std::fprintf(stderr, "fake device: %s\n", what);
  std::abort();
}

bool FakeMemory::holds(const std::byte* memory, size_t bytes) const {
  const std::lock_guard lock(mutex_);
  auto at = buffers_.upper_bound(memory);
  return at != buffers_.begin() && (--at, memory + bytes <= at->first + at->second);
}

size_t FakeMemory::buffers() const {
  const std::lock_guard lock(mutex_);
  return buffers_.size();
}

std::byte* FakeMemory::allocate(size_t bytes) {
  const size_t lines = std::max<size_t>(1, (bytes + buffer_alignment - 1) / buffer_alignment);
  std::byte* const memory = allocate_buffer(lines * buffer_alignment, buffer_alignment);
  if (!memory) throw out_of_memory("a buffer of the fake device", bytes);
  std::memset(memory, spoiled, lines * buffer_alignment);
  const std::lock_guard lock(mutex_);
  buffers_[memory] = lines * buffer_alignment;
  return memory;
}

void FakeMemory::release(std::byte* memory) {
  const std::lock_guard lock(mutex_);
  require(buffers_.erase(memory) == 1, "what is released was not allocated");
  std::free(memory);
}

void FakeMemory::copy_in(std::byte* to, const std::byte* host, size_t bytes) {
  require(holds(to, bytes) && !holds(host, bytes), "copy_in goes from the host to the device");
  std::memcpy(to, host, bytes);
  copied_in_ += bytes;
}

void FakeMemory::copy_out(std::byte* host, const std::byte* from, size_t bytes) {
  require(!holds(host, bytes), "copy_out goes from the device to the host");
  std::memcpy(host, from, bytes);
  copied_out_ += bytes;
}

void FakeMemory::outdated_on_host(std::byte* host, size_t bytes) { std::memset(host, spoiled, bytes); }
void FakeMemory::outdated_here(std::byte* memory, size_t bytes) { std::memset(memory, spoiled, bytes); }

std::shared_ptr<const Backend> fake_backend(std::shared_ptr<FakeMemory> memory, cpu::Options options) {
  return std::make_shared<FakeBackend>(std::move(memory), cpu::backend(std::move(options)));
}

}  // namespace weft::test
