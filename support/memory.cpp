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

std::optional<int64_t> bytes_in(std::string_view text) {
  constexpr double most = 0x1p62;
  constexpr std::pair<std::string_view, double> units[] = {{"", 1},         {"b", 1},       {"kb", 1e3},     {"mb", 1e6},
                                                           {"gb", 1e9},     {"tb", 1e12},   {"kib", 0x1p10}, {"mib", 0x1p20},
                                                           {"gib", 0x1p30}, {"tib", 0x1p40}};
  const LeadingNumber<double> number = leading_number<double>(text);
  if (number.length == 0 || number.out_of_range || !(number.value >= 0)) return std::nullopt;
  std::string_view rest = text.substr(number.length);
  if (rest.starts_with(' ')) rest.remove_prefix(1);
  std::string unit(rest);
  for (char& c : unit)
    if ('A' <= c && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  for (const auto& [name, bytes] : units)
    if (unit == name && number.value * bytes <= most) return static_cast<int64_t>(number.value * bytes);
  return std::nullopt;
}

OutOfMemory out_of_memory(const std::string& what, uint64_t bytes) {
  return OutOfMemory(
      "{} needs {}, which {}", what, bytes_text(bytes),
      bytes > memory_limit() ? "is more than the " + bytes_text(memory_limit()) + " that this process can have" : "the system refuses");
}

}  // namespace weft
