#pragma once
// What stands at the front of an array of NumPy's, in a file of its own or in an archive.

#include <bit>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "weft/runtime/array.h"
#include "weft/runtime/file_elements.h"
#include "weft/support/error.h"
#include "weft/support/input_file.h"

namespace weft::detail {

inline constexpr std::string_view npy_magic = "\x93NUMPY";

/// The bytes of a .npy file, wherever they are.
struct NpyContent {
  std::string name;  // for messages: "'x.npy'"
  uint64_t size;
  std::function<void(uint64_t from, void* to, uint64_t count)> read;

  /// Throws weft::Error naming an offset.
  template <class... Args>
  [[noreturn]] void fail(uint64_t offset, fmt::format_string<Args...> format, Args&&... args) const {
    throw Error(ErrorKind::file, "{}", fmt::format(format, std::forward<Args>(args)...)).at(fmt::format("{}, byte {}", name, offset));
  }
};

struct NpyHeader {
  FileType type;
  std::endian order;
  bool fortran_order;
  Shape shape;
  uint64_t start;  // of the elements, which take the rest
};

/// Throws weft::Error as read_npy() does, but for values that their type does not have.
NpyHeader read_npy_header(const NpyContent& file);

/// `file` must outlive it.
NpyContent content_of(const InputFile& file);

/// All of it, as read_npy() gives it and with its errors.
Array read_npy_content(const NpyContent& file);

}  // namespace weft::detail
