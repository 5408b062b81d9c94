#include "weft/support/memory.h"

#include "weft/tests/catch.h"

using namespace weft;

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
