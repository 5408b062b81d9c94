#pragma once
// The only file that knows where compute threads come from: libgomp, as in the distributions' oneDNN.

#include <cstdint>

namespace weft {

/// The cores that this process may run on.
int available_cores();

/// Calls work(context, begin, end) on up to `threads` threads with a partition of 0 .. units - 1 into contiguous
/// parts, and returns when all are done. `work` must not throw.
void parallel_units(int threads, int64_t units, void (*work)(void*, int64_t, int64_t), void* context);

/// While it lives, libraries that this thread calls use this many threads.
class LibraryThreads {
 public:
  explicit LibraryThreads(int threads);
  ~LibraryThreads();
  LibraryThreads(const LibraryThreads&) = delete;
  LibraryThreads& operator=(const LibraryThreads&) = delete;

 private:
  int before_;
};

}  // namespace weft
