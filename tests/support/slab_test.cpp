// Memory of many objects: pieces never overlap, and what is given back is taken again.

#include "weft/support/slab.h"

#include <cstdint>
#include <cstring>
#include <map>
#include <random>

#include "weft/support/memory.h"
#include "weft/tests/catch.h"

using namespace weft;

TEST_CASE("slab: pieces are aligned, keep their bytes and do not overlap", "[slab]") {
  Slab slab;
  std::mt19937 dice(7);
  std::map<std::byte*, std::pair<size_t, unsigned char>> pieces;  // where: how long, filled with what
  const auto still_whole = [&](std::byte* piece) {
    const auto [bytes, filling] = pieces.at(piece);
    return std::all_of(piece, piece + bytes, [&](std::byte b) { return b == std::byte{filling}; });
  };
  for (int i = 0; i < 20000; ++i) {
    if (dice() % 3 == 0 && !pieces.empty()) {
      auto gone = pieces.lower_bound(pieces.begin()->first + dice() % 100000);
      if (gone == pieces.end()) gone = pieces.begin();
      REQUIRE(still_whole(gone->first));
      slab.give_back(gone->first, gone->second.first);
      pieces.erase(gone);
      continue;
    }
    // Mostly the sizes of ops; sometimes one larger than a block, and once a huge page's.
    const size_t bytes = i == 10000 ? huge_page + 1 : dice() % 100 == 0 ? dice() % 20000 + 1 : dice() % 700 + 1;
    auto* piece = static_cast<std::byte*>(slab.take(bytes));
    REQUIRE(reinterpret_cast<uintptr_t>(piece) % alignof(std::max_align_t) == 0);
    const auto filling = static_cast<unsigned char>(dice());
    std::memset(piece, filling, bytes);
    const auto [at, added] = pieces.emplace(piece, std::pair(bytes, filling));
    REQUIRE(added);
    if (at != pieces.begin()) REQUIRE(std::prev(at)->first + std::prev(at)->second.first <= piece);
    if (std::next(at) != pieces.end()) REQUIRE(piece + bytes <= std::next(at)->first);
  }
  for (const auto& [piece, what] : pieces) {
    REQUIRE(still_whole(piece));
    slab.give_back(piece, what.first);
  }
}

#ifndef WEFT_SANITIZED  // under the address sanitizer each piece is on its own
TEST_CASE("slab: what was given back is the next of its size", "[slab]") {
  Slab slab;
  void *a = slab.take(100), *b = slab.take(100), *c = slab.take(300);
  slab.give_back(a, 100);
  slab.give_back(c, 300);
  CHECK(slab.take(290) == c);
  CHECK(slab.take(97) == a);
  CHECK(slab.take(100) != b);
}
#endif
