#pragma once
// How kernels of a GPU program are launched.

#include <cstdint>
#include <string>

namespace weft::cuda {

/// Of one launch, and of a block of it.
inline constexpr int64_t most_blocks = INT32_MAX, most_threads = 1024;

/// One launch of an entry point `name(buffers)`, where `buffers` is an array of 8-byte addresses in global memory, passed by value.
/// The grid and its blocks are one-dimensional; shared memory is what the entry point declares.
struct KernelLaunch {
  std::string name;
  uint32_t blocks = 1, threads = 1;
  bool operator==(const KernelLaunch&) const = default;
};

}  // namespace weft::cuda
