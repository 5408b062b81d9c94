#pragma once
// What is in a file that may be compressed.

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "weft/support/error.h"
#include "weft/support/input_file.h"

namespace weft::detail {

/// The content of a file, uncompressed where it is gzip (RFC 1952; its first two bytes tell), read forward once. Members of
/// gzip one after the other are one content, as gunzip has it, and zero bytes behind them nothing.
class Content {
 public:
  /// Throws weft::Error as InputFile does.
  explicit Content(const std::string& path);
  Content(const Content&) = delete;
  Content& operator=(const Content&) = delete;
  ~Content();

  /// Fewer than `count` bytes only at the end of the content. Throws weft::Error with the offset where a compressed one is
  /// damaged or breaks off, and where anything else is behind it.
  size_t read(std::byte* to, size_t count);

  /// Of what comes next, in the content.
  uint64_t offset() const { return offset_; }
  /// There is no more left than this: exactly this in a plain file; deflate makes no byte of more than 1,032.
  uint64_t left_at_most() const;
  bool compressed() const { return compressed_; }

  /// Throws weft::Error naming the file and an offset in the content.
  template <class... Args>
  [[noreturn]] void fail(uint64_t offset, fmt::format_string<Args...> format, Args&&... args) const {
    throw Error(ErrorKind::file, "{}", fmt::format(format, std::forward<Args>(args)...))
        .at(fmt::format("'{}', byte {}{}", file_.path(), offset, compressed_ ? " of the uncompressed content" : ""));
  }

 private:
  size_t inflate_some(std::byte* to, size_t count);
  /// More of the file; false at its end.
  bool fill();
  void begin_member();
  [[noreturn]] void fail_behind(size_t done, const char* why) const;

  InputFile file_;
  bool compressed_ = false;
  uint64_t offset_ = 0;
  uint64_t read_ = 0;  // of the file
  std::vector<Bytef> buffer_;
  z_stream stream_ = {};
  bool in_member_ = true, first_member_ = true;
};

}  // namespace weft::detail
