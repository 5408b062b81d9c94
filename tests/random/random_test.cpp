// Random graphs: WEFT_RANDOM_GRAPHS says how many (40 when unset), WEFT_RANDOM_SEED where to start.

#include <cstdlib>

#include "weft/ir/printer.h"
#include "weft/tests/catch.h"
#include "weft/tests/random/random_graph.h"

using namespace weft;

namespace {

uint64_t from_environment(const char* name, uint64_t fallback) {
  const char* text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : fallback;
}

}  // namespace

TEST_CASE("random graphs: every stage and every way of compiling computes the same") {
  const uint64_t count = from_environment("WEFT_RANDOM_GRAPHS", 40), first = from_environment("WEFT_RANDOM_SEED", 0);
  for (uint64_t seed = first; seed < first + count; ++seed) {
    const ir::Module module = test::random_module(seed);
    const auto fault = test::find_fault(module, seed);
    CHECK(!fault);
    if (!fault) continue;
    const ir::Module smallest = test::shrink(module, seed);
    FAIL_CHECK("seed " << seed << ": " << *fault << "\nsmallest: " << test::find_fault(smallest, seed).value_or("?") << "\n"
                       << ir::print(smallest));
  }
}
