#pragma once
// What every function of the driver does first.

#include "weft/tests/fake_cuda/device.h"

namespace weft::test::fake_cuda {

inline thread_local std::vector<cuda::ContextHandle*> current;  // contexts of this thread
inline thread_local Stream* capturing = nullptr;                // by this thread

inline Device& device() { return Device::instance(); }

struct Allowed {
  bool without_context = false;
  bool while_capturing = true;
  bool after_fault = false;
};

/// Does `what` once every check has passed: the driver was started, a context is current, nothing has failed, no test wants this to fail.
template <class Do>
cuda::Result call(const char* name, Do what, Allowed allowed = {}) {
  Device& d = device();
  const std::lock_guard lock(d.mutex);
  if (const auto wanted = d.failures.find(name); wanted != d.failures.end() && wanted->second.second-- == 0) {
    const cuda::Result result = wanted->second.first;
    d.failures.erase(wanted);
    return result;
  }
  if (!d.started) return not_initialized;
  if (!allowed.without_context && current.empty()) return invalid_context;
  const void* const context = current.empty() ? nullptr : current.back();
  if (d.faults.contains(context) && !allowed.after_fault) return illegal_address;
  if (capturing && !allowed.while_capturing) {
    capturing->invalidated = true;
    return capture_unsupported;
  }
  const cuda::Result result = what(d);
  return !d.faults.contains(context) || allowed.after_fault ? result : illegal_address;
}

inline constexpr Allowed anywhere{.without_context = true};
inline constexpr Allowed outside_of_captures{.while_capturing = false};
inline constexpr Allowed to_release{.while_capturing = false, .after_fault = true};

/// Forgets what a handle stands for.
template <class T>
cuda::Result remove(const char* name, Handles<T> Device::* handles, const void* handle) {
  return call(name, [&](Device& d) { return (d.*handles).remove(handle) ? cuda::success : invalid_handle; }, {.after_fault = true});
}

}  // namespace weft::test::fake_cuda
