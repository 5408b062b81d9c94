#include "weft/support/memory.h"

#include "weft/tests/catch.h"

using namespace weft;

TEST_CASE("memory: bytes out of text") {
  const std::pair<const char*, int64_t> known[] = {
      {"0", 0},      {"4096", 4096},        {"12b", 12},       {"64MiB", 64 << 20},    {"64 mib", 64 << 20},      {"1kB", 1000},
      {"2KB", 2000}, {"1.5GB", 1500000000}, {"1gib", 1 << 30}, {"3TB", 3000000000000}, {"1TiB", int64_t{1} << 40}};
  for (const auto& [text, bytes] : known) {
    INFO(text);
    CHECK(bytes_in(text) == bytes);
  }
  for (const char* none : {"", " 1", "-1", "many", "3XB", "1  MB", "MB", "1MB ", "inf", "nan", "1e400", "9999999TiB", "0x10", "1,5GB"}) {
    INFO(none);
    CHECK(!bytes_in(none));
  }
}

TEST_CASE("memory: its limit is known, and a refusal says how much, for what and why") {
  CHECK(memory_limit() > uint64_t{1} << 26);
  CHECK(bytes_text(12) == "12 bytes");
  CHECK(bytes_text(uint64_t{3} << 19) == "1572864 bytes (1.5 MiB)");
  CHECK(bytes_text(uint64_t{3} << 29) == "1610612736 bytes (1.5 GiB)");
  CHECK_THROWS_WITH(throw out_of_memory("the arena", 12), "the arena needs 12 bytes, which the system refuses");
  CHECK_THROWS_WITH(throw out_of_memory("the arena", memory_limit() + 1),
                    contains_text("the arena needs ") &&
                        contains_text("which is more than the " + bytes_text(memory_limit()) + " that this process can have"));
}
