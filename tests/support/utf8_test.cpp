#include "weft/support/utf8.h"

#include "weft/tests/catch.h"

using namespace weft;

TEST_CASE("utf8: bytes that are none are found, and escaped one by one") {
  for (const char* text : {"", "fc1.weight", "\xc3\xa9t\xc3\xa9", "\xf0\x9f\x90\x8d"}) {
    CHECK_FALSE(first_byte_outside_utf8(text));
    CHECK(escaped_outside_utf8(text) == text);
  }
  CHECK(first_byte_outside_utf8("\xc3\xa9\xff") == 2u);
  CHECK(escaped_outside_utf8("w\xff\xfe.\xc3\xa9") == "w\\xff\\xfe.\xc3\xa9");
  // Overlong, a surrogate, cut off.
  CHECK(escaped_outside_utf8("\xc0\x80") == "\\xc0\\x80");
  CHECK(escaped_outside_utf8("\xed\xa0\x80") == "\\xed\\xa0\\x80");
  CHECK(escaped_outside_utf8("a\xe2\x82") == "a\\xe2\\x82");
}
