#include "weft/support/memory.h"

#include <sys/mman.h>
#include <sys/sysinfo.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>

#include "weft/support/number_text.h"

namespace weft {
namespace {

constexpr uint64_t unlimited = std::numeric_limits<uint64_t>::max();

/// The number in a file; without one ("max"), or without the file, no limit.
uint64_t limit_in(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  file >> text;
  return number_in<uint64_t>(text).value_or(unlimited);
}

uint64_t sum(uint64_t a, uint64_t b) { return a > unlimited - b ? unlimited : a + b; }

/// What the control groups of this process allow, from its own up to the root (cgroup v2), or the container's (v1).
uint64_t control_group_limit(uint64_t swap) {
  uint64_t limit = limit_in("/sys/fs/cgroup/memory/memory.limit_in_bytes");
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    if (!line.starts_with("0::")) continue;
    for (std::string group = line.substr(3);; group.resize(group.rfind('/'))) {
      const std::string folder = "/sys/fs/cgroup" + (group == "/" ? "" : group);
      limit = std::min(limit, sum(limit_in(folder + "/memory.max"), std::min(swap, limit_in(folder + "/memory.swap.max"))));
      if (group.find('/') == std::string::npos) break;
    }
  }
  return limit;
}

uint64_t find_limit() {
  struct sysinfo machine{};
  if (::sysinfo(&machine) != 0) return unlimited;
  const uint64_t swap = uint64_t{machine.totalswap} * machine.mem_unit;
  return std::min(sum(uint64_t{machine.totalram} * machine.mem_unit, swap), control_group_limit(swap));
}

}  // namespace

std::byte* allocate_buffer(uint64_t bytes, size_t alignment) {
  const bool large = bytes >= 2 * huge_page;
  void* p = nullptr;  // not by aligned_alloc, which wants a multiple of the alignment
  if (posix_memalign(&p, large ? huge_page : alignment, bytes) != 0) return nullptr;
  if (large) madvise(p, bytes / huge_page * huge_page, MADV_HUGEPAGE);  // only advice: a system without them refuses
  return static_cast<std::byte*>(p);
}

uint64_t memory_limit() {
  static const uint64_t limit = find_limit();
  return limit;
}

std::string bytes_text(uint64_t bytes) {
  std::string text = fmt::format("{} bytes", bytes);
  if (bytes >= uint64_t{1} << 30) text += fmt::format(" ({:.1f} GiB)", static_cast<double>(bytes) * 0x1p-30);
  else if (bytes >= uint64_t{1} << 20) text += fmt::format(" ({:.1f} MiB)", static_cast<double>(bytes) * 0x1p-20);
  return text;
}

OutOfMemory out_of_memory(const std::string& what, uint64_t bytes) {
  return OutOfMemory(
      "{} needs {}, which {}", what, bytes_text(bytes),
      bytes > memory_limit() ? "is more than the " + bytes_text(memory_limit()) + " that this process can have" : "the system refuses");
}

}  // namespace weft
