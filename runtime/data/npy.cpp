#include "weft/runtime/data/npy.h"

#include <fmt/ranges.h>

#include "weft/runtime/data/npy_header.h"
#include "weft/runtime/replace_file.h"
#include "weft/support/input_file.h"

namespace weft {
namespace {

std::string_view descr_of(DType dtype) {
  switch (dtype) {
    case DType::f64: return "<f8";
    case DType::f32:
    case DType::bf16: return "<f4";
    case DType::i64: return "<i8";
    case DType::i32: return "<i4";
    case DType::f16: return "<f2";
    case DType::i16: return "<i2";
    case DType::i8: return "|i1";
    case DType::u32: return "<u4";
    case DType::u16: return "<u2";
    case DType::u8: return "|u1";
    case DType::bool_: return "|b1";
  }
  return "";
}

/// Everything before the elements, padded so that they start at a multiple of 64.
std::string header_of(const Array& array) {
  std::string shape = fmt::format("{}", fmt::join(array.shape(), ", "));
  if (array.shape().rank() == 1) shape += ',';  // Python writes (), (3,) and (3, 4)
  std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}), }}", descr_of(array.dtype()), shape);
  const bool wide = text.size() + 64 > 65535;
  const size_t prefix = detail::npy_magic.size() + 2 + (wide ? 4 : 2);
  text.append(63 - (prefix + text.size()) % 64, ' ');
  text += '\n';
  std::string result(detail::npy_magic);
  result += wide ? '\2' : '\1';
  result += '\0';
  for (int shift = 0; shift < (wide ? 32 : 16); shift += 8) result += static_cast<char>(text.size() >> shift & 255);
  return result + text;
}

}  // namespace

Array read_npy(const std::string& path) {
  const InputFile file(path);
  return detail::read_npy_content(detail::content_of(file));
}

void write_npy(const std::string& path, const Array& array) {
  if (array.dtype() == bf16) {
    Array widened(f32, array.shape());
    for (int64_t i = 0; i < array.shape().numel(); ++i) widened.set(i, array.at(i));
    return write_npy(path, widened);
  }
  const std::string header = header_of(array);
  FileReplacement file(path);
  file.write(header.data(), header.size());
  file.write(array.data(), array.bytes());
  file.commit();
}

}  // namespace weft
