#include "weft/tests/frontend/allocations.h"

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <new>

namespace {

std::atomic<int64_t> count = 0, count_of_library = 0, calls = 0;
thread_local bool in_library = false;

void note() {
  ++count;
  if (in_library) ++count_of_library;
}

}  // namespace

int64_t weft::testing::allocations_so_far() { return count; }
int64_t weft::testing::library_allocations_so_far() { return count_of_library; }
int64_t weft::testing::library_calls_so_far() { return calls; }

// The linker gives this program's calls to the first, and the library's function the second name.
extern "C" int __real_dnnl_primitive_execute(const void* primitive, void* stream, int count, const void* arguments);
extern "C" int __wrap_dnnl_primitive_execute(const void* primitive, void* stream, int count, const void* arguments) {
  ++calls;
  in_library = true;
  const int status = __real_dnnl_primitive_execute(primitive, stream, count, arguments);
  in_library = false;
  return status;
}

#ifdef WEFT_SANITIZED

// Every form without alignment is replaced, so that each delete frees what its new allocated.
void* operator new(size_t size, const std::nothrow_t&) noexcept {
  note();
  return std::malloc(size ? size : 1);
}
void* operator new(size_t size) {
  if (void* p = operator new(size, std::nothrow)) return p;
  throw std::bad_alloc();
}
void operator delete(void* p) noexcept { std::free(p); }
void operator delete(void* p, size_t) noexcept { std::free(p); }
void operator delete(void* p, const std::nothrow_t&) noexcept { std::free(p); }

#else

// glibc's own functions stay underneath, so its free() takes what these return.
extern "C" {
void* __libc_malloc(size_t);
void* __libc_calloc(size_t, size_t);
void* __libc_realloc(void*, size_t);
void* __libc_memalign(size_t, size_t);

void* malloc(size_t size) {
  note();
  return __libc_malloc(size);
}
void* calloc(size_t number, size_t size) {
  note();
  return __libc_calloc(number, size);
}
void* realloc(void* p, size_t size) {
  note();
  return __libc_realloc(p, size);
}
void* memalign(size_t alignment, size_t size) {
  note();
  return __libc_memalign(alignment, size);
}
void* aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }
int posix_memalign(void** result, size_t alignment, size_t size) {
  *result = memalign(alignment, size);
  return *result ? 0 : ENOMEM;
}
}

#endif
