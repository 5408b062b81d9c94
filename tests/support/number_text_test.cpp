#include "weft/support/number_text.h"

#include <cmath>
#include <cstdint>

#include "weft/tests/catch.h"

using namespace weft;

TEST_CASE("numbers in text: all of it, or nothing") {
  CHECK(number_in<int>("-12") == -12);
  CHECK(number_in<double>("1e-3") == 1e-3);
  CHECK(std::isnan(number_in<double>("nan").value()));
  for (const char* text : {"", " 1", "1 ", "+1", "0x10", "1.5"}) CHECK(number_in<int>(text) == std::nullopt);
  CHECK(number_in<uint8_t>("256") == std::nullopt);
  CHECK(number_in<uint64_t>("-1") == std::nullopt);
  CHECK(number_in<double>("1e999") == std::nullopt);
  CHECK(hex_number_in<uint8_t>("fF") == 255);
  CHECK(hex_number_in<uint8_t>("100") == std::nullopt);
  CHECK(hex_number_in<uint8_t>("-1") == std::nullopt);
  CHECK(hex_number_in<uint8_t>("f") == 15);
  CHECK(hex_number_in<uint8_t>("fg") == std::nullopt);
}

TEST_CASE("numbers in text: one that a text begins with") {
  const auto number = leading_number<int>("90a");
  CHECK(number.value == 90);
  CHECK(number.length == 2);
  CHECK(!number.is_all_of("90a"));
  CHECK(leading_number<int>("a90").length == 0);
  const auto large = leading_number<int64_t>("99999999999999999999, 1");
  CHECK(large.out_of_range);
  CHECK(large.length == 20);
  CHECK(!large.is_all_of("99999999999999999999"));
}
