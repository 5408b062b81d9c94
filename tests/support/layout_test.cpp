#include "weft/support/layout.h"

#include "weft/tests/catch.h"

using namespace weft;

TEST_CASE("a layout's text is its axes outermost first, with their blocks", "[layout]") {
  const Layout l = Layout::parse("aBcd8b", 4);
  CHECK(l.physical({2, 16, 5, 7}) == Shape{2, 2, 5, 7, 8});
  CHECK(l.logical({2, 2, 5, 7, 8}) == Shape{2, 16, 5, 7});
  CHECK(l.split({2, 16, 5, 7}) == Shape{2, 2, 8, 5, 7});
  CHECK(l.order() == Dims{0, 1, 3, 4, 2});
  CHECK_FALSE(l.fits({2, 12, 5, 7}));
  CHECK(Layout::parse("ABcd8b8a", 4).physical({16, 24, 3, 3}) == Shape{2, 3, 3, 3, 8, 8});
  for (const char* text : {"aBcd8b", "ABcd8b8a", "acdb", "bacd", "ABcd4b16a4b"}) CHECK(Layout::parse(text, 4).text() == text);
  CHECK(Layout::parse("abcd", 4).is_plain());
  CHECK(Layout::parse("abcd", 4).text().empty());
  CHECK(Layout::axes("ABcd4b16a4b", 0) == 4);
  const Layout twice = Layout::parse("ABcd4b16a4b", 4);
  CHECK(twice.block_of(0) == 16);
  CHECK(twice.block_of(1) == 16);
  CHECK(twice.block_of(2) == 1);
  CHECK((twice.is_cut(1) && !twice.is_cut(2)));
  CHECK(twice.physical({32, 48, 3, 5}) == Shape{2, 3, 3, 5, 4, 16, 4});
  CHECK_FALSE(twice.fits({32, 40, 3, 5}));
}

TEST_CASE("a layout without blocks is a view of the elements", "[layout]") {
  CHECK(Layout::channels_last(4).text() == "acdb");
  CHECK(Layout::channels_last(3).physical({2, 3, 5}) == Shape{2, 5, 3});
  CHECK(Layout::channels_last(2).is_plain());
  CHECK(Layout().view({2, 3, 5}) == StridedView{0, {2, 3, 5}, {15, 5, 1}});
  CHECK(Layout::channels_last(4).view({2, 3, 5, 7}) == StridedView{0, {2, 3, 5, 7}, {105, 1, 21, 3}});
  CHECK(Layout::parse("cab", 3).view({2, 3, 5}) == StridedView{0, {2, 3, 5}, {3, 1, 6}});
  CHECK_FALSE(Layout::parse("aBcd8b", 4).view({2, 16, 5, 7}));
  CHECK_FALSE(Layout::channels_last(4).view({2, 3, 5}));
}

TEST_CASE("a text that is no layout says why", "[layout]") {
  CHECK_THROWS_WITH(Layout::parse("abce", 4), contains_text("'abce' is no layout of 4 axes: it names another axis"));
  CHECK_THROWS_WITH(Layout::parse("abca", 4), contains_text("it names an axis twice"));
  CHECK_THROWS_WITH(Layout::parse("abc", 4), contains_text("every axis must come once"));
  CHECK_THROWS_WITH(Layout::parse("abcd8b", 4), contains_text("as a capital letter if it has blocks"));
  CHECK_THROWS_WITH(Layout::parse("aBcd", 4), contains_text("as a capital letter if it has blocks"));
  CHECK_THROWS_WITH(Layout::parse("abcd8", 4), contains_text("it ends in a number"));
  CHECK_THROWS_WITH(Layout::parse("aBcd8b", 4).logical({2, 2, 5, 7, 4}), contains_text("is no shape of a tensor that lies as aBcd8b"));
}
