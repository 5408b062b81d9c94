// How tests ask the library, and tell it to fail.

#include "weft/tests/fake_cuda/control.h"

#include "weft/tests/fake_cuda/device.h"

namespace fake = weft::test::fake_cuda;

namespace {

fake::Device& device() { return fake::Device::instance(); }

}  // namespace

extern "C" {

const weft::test::FakeCudaControl* fake_cuda_control() {
  static const weft::test::FakeCudaControl control = {
      .report =
          [](weft::test::FakeCudaReport* out) {
            fake::Device& d = device();
            const std::lock_guard lock(d.mutex);
            *out = d.report;
            out->allocations = d.allocations.size(), out->pinned = d.pinned.size(), out->modules = d.modules.count();
            out->library_objects = d.library_objects;
            out->streams = d.streams.count(), out->events = d.events.count(), out->graphs = d.graphs.count() + d.executables.count();
          },
      .reset =
          [] {
            fake::Device& d = device();
            const std::lock_guard lock(d.mutex);
            for (double& milliseconds : d.milliseconds_of_algorithm) milliseconds = 1;
            d.report = {.contexts = d.report.contexts, .bytes = d.report.bytes, .most_bytes = d.report.bytes};
          },
      .fail =
          [](const char* function, int result, int after) {
            const std::lock_guard lock(device().mutex);
            device().failures[function] = {result, after};
          },
      .limit_memory = [](size_t bytes) { device().memory_bytes = bytes; },
      .set_capability = [](int major, int minor) { device().major = major, device().minor = minor; },
      .set_seed = [](uint64_t seed) { device().seed = seed; },
      .copy_early = [](bool early) { device().early_copies = early; },
      .set_algorithm_time = [](int algorithm, double milliseconds) { device().milliseconds_of_algorithm[algorithm] = milliseconds; },
      .fault_in = [](const char* kernel) { device().faulty_kernel = kernel; },
      .refuse_contexts = [](bool refuse) { device().refuses_contexts = refuse; },
      .forget_fault = [] { device().faults.clear(); },
  };
  return &control;
}

}  // extern "C"
