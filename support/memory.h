#pragma once
// How much memory there is, and how its refusal is said.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "weft/support/error.h"

namespace weft {

/// Thrown where memory is not to be had.
class OutOfMemory : public Error {
 public:
  template <class... Args>
  explicit OutOfMemory(fmt::format_string<Args...> format, Args&&... args)
      : Error(ErrorKind::memory, fmt::format(format, std::forward<Args>(args)...)) {}
};

/// Bytes that this process can have at most: the machine's memory and swap space, or its control group's where that is less.
/// Linux grants more than that without a word and ends the process once it is touched.
uint64_t memory_limit();

/// The bytes of a large page of the system's.
inline constexpr uint64_t huge_page = uint64_t{1} << 21;

/// Memory to be freed by std::free, or null when the system refuses. Large buffers begin with a huge page and ask the system
/// for such pages: the processor looks up far fewer of them, and what is read from one and written to another at the same
/// index never shares the lower 12 bits of nearby addresses by chance.
std::byte* allocate_buffer(uint64_t bytes, size_t alignment);

/// "360000000000 bytes (335.3 GiB)"
std::string bytes_text(uint64_t bytes);

/// Bytes out of text: "4096", "64MiB", "1.5 GB", in any case of letters; kB to TB count by 1000, KiB to TiB by 1024. Nothing where it is
/// anything else, or more than 2^62.
std::optional<int64_t> bytes_in(std::string_view text);

/// The refusal of so many bytes for `what`: "the arena of 'net'".
OutOfMemory out_of_memory(const std::string& what, uint64_t bytes);

}  // namespace weft
