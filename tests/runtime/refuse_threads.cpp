#include "weft/tests/runtime/refuse_threads.h"

#ifndef WEFT_SANITIZED

#include <dlfcn.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <limits>

namespace {

constexpr int all = std::numeric_limits<int>::max();
std::atomic<int> granted = all, refusals = 0;

}  // namespace

// In place of the C library's, which it calls.
extern "C" int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*), void* argument) noexcept {
  static const auto real = reinterpret_cast<decltype(&pthread_create)>(dlsym(RTLD_NEXT, "pthread_create"));
  if (granted != all && granted.fetch_sub(1) <= 0) {
    ++refusals;
    return EAGAIN;
  }
  return real(thread, attributes, start, argument);
}

namespace weft::test {

GrantThreads::GrantThreads(int count) {
  refusals = 0;
  granted = count;
}
GrantThreads::~GrantThreads() { granted = all; }
int GrantThreads::refused() { return refusals; }

}  // namespace weft::test

#endif
