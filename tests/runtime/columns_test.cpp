#include "weft/runtime/columns.h"

#include <cmath>
#include <set>

#include "weft/support/number_text.h"
#include "weft/tests/catch.h"

using namespace weft;

TEST_CASE("columns: a text comes out on one line, in UTF-8") {
  CHECK(one_line("a_1 {b} ü€日\xf0\x9f\x98\x80") == "a_1 {b} ü€日\xf0\x9f\x98\x80");
  CHECK(one_line(std::string("a\0b\nc\td\re\x1b\x7f", 11)) == "a b c d e  ");
  CHECK(one_line("\xc2\x85 \xe2\x80\xa8") == "   ");  // other ends of lines
  const std::string bad = "\xef\xbf\xbd";
  CHECK(one_line("\xff\xc3") == bad + bad);
  CHECK(one_line("\xc0\xaf") == bad + bad);                      // overlong
  CHECK(one_line("\xed\xa0\x80x") == bad + bad + bad + "x");     // a surrogate
  CHECK(one_line("\xf4\x90\x80\x80") == bad + bad + bad + bad);  // beyond Unicode
  CHECK(one_line("\xe2\x82") == bad + bad);                      // cut off
  CHECK(one_line("").empty());
}

TEST_CASE("columns: letters of East Asia take two, accents none") {
  CHECK(columns_of("abc") == 3);
  CHECK(columns_of("übé") == 3);
  CHECK(columns_of("日本") == 4);
  CHECK(columns_of("\xf0\x9f\x98\x80") == 2);
  CHECK(columns_of("e\xcc\x81") == 1);
  CHECK(columns_of("\xff\xff") == 2);
}

TEST_CASE("columns: what is too long is cut after two thirds") {
  CHECK(elided("encoder.layers.20", 17) == "encoder.layers.20");
  CHECK(elided("encoder.layers.20", 12) == "encode....20");
  CHECK(elided("encoder.layers.20", 4) == "enco");
  CHECK(elided("encoder.layers.20", 0).empty());
  CHECK(elided("日本日本日本", 8) == "日...本");
  for (int columns = 0; columns < 30; ++columns)
    for (const char* text :
         {"encoder.layers.20", "日本日本日本", "\xcc\x81n\xcc\x81o\xcc\x81n\xcc\x81o\xcc\x81", "\xff\xff\xff\xff\xff\xff\xff"})
      CHECK(columns_of(elided(text, columns)) <= columns);
}

TEST_CASE("columns: names that differ in one place still differ when they are cut") {
  for (const std::string pattern :
       {"#.self_attention.out_proj.weight", "encoder.layers.#.self_attention.out_proj", "encoder.self_attention.out_proj.#"}) {
    std::vector<std::string> names;
    for (int i = 0; i < 40; ++i) names.push_back(std::string(pattern).replace(pattern.find('#'), 1, std::to_string(i)));
    const std::vector<std::string> cut = elided_apart(names, 20);
    REQUIRE(cut.size() == 40);
    CHECK(std::set<std::string>(cut.begin(), cut.end()).size() == 40);
    for (const std::string& text : cut) CHECK(columns_of(text) <= 20);
  }
  CHECK(elided_apart({}, 20).empty());
  CHECK(elided_apart({"a", "a"}, 20) == std::vector<std::string>{"a", "a"});
}

TEST_CASE("columns: numbers keep to their width") {
  CHECK(number_text(0.12345) == "0.1235");
  CHECK(number_text(12.3456) == "12.346");
  CHECK(number_text(1234.56) == "1234.6");
  CHECK(number_text(0) == "0.0000");
  CHECK(number_text(9.81e-5) == "9.8e-05");
  CHECK(number_text(1234567) == "1.2e+06");
  CHECK(number_text(NAN) == "nan");
  for (double value = 1e-300; value < 1e308; value *= 1.7)
    for (const double x : {value, -value}) {
      CHECK(number_text(x).size() <= 7);
      CHECK(number_in<double>(number_text(x)).value() == Approx(x).epsilon(0.5).margin(1e-300));
    }
  CHECK(number_text(-INFINITY).size() <= 7);
  CHECK(percent_text(0.97118) == "97.12%");
  CHECK(percent_text(0.05) == " 5.00%");
  CHECK(percent_text(1) == "100.0%");
  CHECK(percent_text(0.999999) == "100.0%");
  CHECK(duration_text(3035) == "3035 us");
  CHECK(duration_text(12.345) == "12.3 us");
  CHECK(duration_text(0) == "0.00 us");
  CHECK(duration_text(12345) == "12.3 ms");
  CHECK(duration_text(4.21e7) == "42.1 s");
  for (double us = 0.001; us < 9e9; us *= 1.3) CHECK(duration_text(us).size() <= 7);
}
