#include "weft/tests/fake_cuda/device.h"

#include <cstring>

namespace weft::test::fake_cuda {

Device& Device::instance() {
  static auto* const device = new Device;  // programs may end after static objects
  return *device;
}

bool Device::is_pinned(const void* host, size_t bytes) const {
  const auto* start = static_cast<const std::byte*>(host);
  auto at = pinned.upper_bound(start);
  return at != pinned.begin() && (--at, start + bytes <= at->first + at->second);
}

int Device::enqueue(Stream& stream, Work work) {
  if (stream.invalidated) return capture_invalidated;
  if (stream.captured) stream.captured->work.push_back(std::move(work));
  else stream.queue.emplace_back(++stream.asked, std::move(work));
  return cuda::success;
}

void Device::run(Stream& stream, uint64_t number) {
  while (!stream.queue.empty() && stream.queue.front().first <= number) {
    const Work work = std::move(stream.queue.front().second);
    stream.done = stream.queue.front().first;
    stream.queue.pop_front();
    if (faults.contains(stream.context)) continue;
    try {
      work();
    } catch (const ptx::Fault& e) {
      faults[stream.context] = last_fault = e.what();
    } catch (const ptx::Problem& e) {
      faults[stream.context] = last_fault = std::string(ptx::name_of(e.check)) + ": " + e.message;
    }
  }
}

void Device::run_all() {
  streams.each([&](Stream& stream) { run(stream, stream.asked); });
}

void Device::copy_in(uint64_t to, const std::byte* from, size_t bytes) {
  uint32_t hint = 0;
  ptx::Region& region = memory.find(to, static_cast<unsigned>(bytes), hint);
  region.fill(to - region.base(), {from, bytes});
  report.copied_in += bytes;
}

void Device::copy_out(std::byte* to, uint64_t from, size_t bytes) {
  uint32_t hint = 0;
  const ptx::Region& region = memory.find(from, static_cast<unsigned>(bytes), hint);
  const uint64_t start = from - region.base();
  for (uint64_t i = 0; i < bytes; ++i)
    if (!region.is_written(start + i))
      throw ptx::Problem{ptx::Check::unwritten_memory, "byte " + std::to_string(start + i) + " of " + region.name() +
                                                           " is copied to the host, and nobody has written it"};
  std::memcpy(to, region.contents().data() + start, bytes);
  report.copied_out += bytes;
}

void Device::run_kernel(Function& function, uint32_t blocks, uint32_t threads, std::vector<std::byte> params) {
  if (function.name == faulty_kernel) throw ptx::Fault(ptx::Check::bounds, "the kernel " + function.name + " was told to go wrong");
  ptx::Launch launch{.kernel = function.name, .blocks = {blocks}, .threads = {threads}, .params = std::move(params)};
  ++kernels_;
  launch.seed = seed == 0 ? 0 : seed + kernels_;
  const uint64_t instructions = function.module->machine->launch(launch);
  report.instructions += instructions;
  ++report.kernels_run;
  clock += static_cast<double>(instructions) / 1e6;
}

}  // namespace weft::test::fake_cuda
