#include "weft/support/philox.h"

#include <vector>

#include "weft/tests/catch.h"

using namespace weft;

TEST_CASE("philox: several elements at a time get the bits that each gets alone", "[philox]") {
  for (const uint64_t first : {uint64_t{0}, uint64_t{5}, uint64_t{0xfffffffa}, uint64_t{0xffffffffffffff00}})
    for (size_t count = 0; count < 40; ++count) {
      std::vector<uint32_t> bits(count + 1, 7);
      random_bits(0x123456789abcdef, 11, 13, first, std::span(bits).first(count));
      bool same = true;
      for (size_t i = 0; i < count; ++i) same = same && bits[i] == random_bits(0x123456789abcdef, 11, 13, first + i);
      INFO(count << " from " << first);
      CHECK(same);
      CHECK(bits[count] == 7);
    }
}
