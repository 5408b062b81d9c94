#include "weft/runtime/data/tokenizer.h"

#include "weft/support/utf8.h"
#include "weft/tests/catch.h"

using namespace weft;
using Numbers = std::vector<int64_t>;

TEST_CASE("tokenizer: bytes are their own numbers") {
  const ByteTokenizer bytes;
  CHECK(bytes.size() == 256);
  const std::string any("a\0\xff", 3);
  CHECK(bytes.encode(any) == Numbers{97, 0, 255});
  CHECK(bytes.decode(bytes.encode(any)) == any);
  CHECK_THROWS_WITH(bytes.decode({1, 256}), contains_text("number 1 of the text is 256, but there are 0 .. 255"));
  CHECK_THROWS_WITH(bytes.decode({-1}), contains_text("number 0 of the text is -1"));
}

TEST_CASE("tokenizer: characters of a text, in order, and back") {
  const CharTokenizer characters("héllo wörld\n漢🎈");
  CHECK(characters.characters() == std::vector<std::string>{"\n", " ", "d", "h", "l", "o", "r", "w", "é", "ö", "漢", "🎈"});
  CHECK(characters.encode("hö漢🎈") == Numbers{3, 9, 10, 11});
  CHECK(characters.decode({3, 9, 10, 11}) == "hö漢🎈");
  CHECK(characters.size() == 12);
  CHECK(CharTokenizer::of(characters.characters()).encode("hö") == Numbers{3, 9});
  CHECK(CharTokenizer::of({"b", "a"}).encode("ab") == Numbers{1, 0});
  CHECK(CharTokenizer("").size() == 0);
}

TEST_CASE("tokenizer: what is no character or was not learnt is told with its place") {
  const CharTokenizer ab("ab");
  CHECK_THROWS_WITH(ab.encode("aéb"), contains_text("the character 'é', at byte 1, is none of the 2 that were learnt"));
  CHECK_THROWS_WITH(CharTokenizer("ab\xc3("), contains_text("the text is no UTF-8: byte 2 is 0xc3"));
  CHECK_THROWS_WITH(ab.encode("\x80"), contains_text("byte 0 is 0x80"));
  CHECK_THROWS_WITH(ab.decode({2}), contains_text("number 0 of the text is 2, but there are 0 .. 1"));
  CHECK_THROWS_WITH(CharTokenizer::of({"a", "a"}), contains_text("the character 'a' comes twice"));
  CHECK_THROWS_WITH(CharTokenizer::of({"ab"}), contains_text("'ab' is no character"));
  CHECK_THROWS_WITH(CharTokenizer::of({""}), contains_text("'' is no character"));
  CHECK(first_character("").first == 0);
}
