#include "weft/frontend/report/packed.h"

#include <zlib.h>

#include "weft/tests/catch.h"

namespace {

/// As a browser's atob reads it: whole groups of four digits.
std::string bytes_of(const std::string& base64) {
  const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  REQUIRE(base64.size() % 4 == 0);
  std::string bytes;
  for (size_t i = 0; i < base64.size(); i += 4) {
    unsigned group = 0, count = 0;
    for (size_t k = 0; k < 4; ++k) {
      const size_t digit = digits.find(base64[i + k]);
      REQUIRE((digit != std::string::npos || (base64[i + k] == '=' && k >= 2 && i + 4 == base64.size())));
      group = group << 6 | static_cast<unsigned>(digit == std::string::npos ? 0 : digit);
      count += digit != std::string::npos;
    }
    for (unsigned k = 0; k + 1 < count; ++k) bytes += static_cast<char>(group >> (16 - 8 * k));
  }
  return bytes;
}

}  // namespace

TEST_CASE("what a page carries packed is read back, and is small") {
  for (size_t length = 0; length < 20; ++length) {
    const std::string text = std::string("{\"\xc3\xa4\": [1, 2.5, null]}").substr(0, length), bytes = bytes_of(weft::detail::packed(text));
    std::string read(100, ' ');
    uLongf size = 100;
    REQUIRE(uncompress(reinterpret_cast<Bytef*>(read.data()), &size, reinterpret_cast<const Bytef*>(bytes.data()),
                       static_cast<uLong>(bytes.size())) == Z_OK);
    CHECK(read.substr(0, size) == text);
  }
  CHECK(weft::detail::packed(std::string(1'000'000, 'x')).size() < 2000);
}
