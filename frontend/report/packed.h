#pragma once
// Text that a page carries in a small form.

#include <string>

namespace weft::detail {

/// In zlib's format, of that the bytes in base64: a browser reads it with atob and DecompressionStream("deflate").
std::string packed(const std::string& text);

}  // namespace weft::detail
