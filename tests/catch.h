#pragma once
// Catch2 in either of its majors: 2.x is one header (Debian 12), 3.x a library.

#if __has_include(<catch2/catch_all.hpp>)
#include <catch2/catch_all.hpp>
using Catch::Approx;  // as 2.x does
#else
#include <catch2/catch.hpp>
#endif

#include <string>

/// A matcher for REQUIRE_THROWS_WITH and REQUIRE_THAT; the majors name it differently.
inline auto contains_text(const std::string& text) {
#if __has_include(<catch2/catch_all.hpp>)
  return Catch::Matchers::ContainsSubstring(text);
#else
  return Catch::Matchers::Contains(text);
#endif
}
