// Which steps run on several threads: those that gain by it.

#include "weft/backends/cpu/exec/threads_that_pay.h"

#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// One launch of so much work on so many bytes, `passes` times, over all that it touches.
LaunchList of(double flops, double bytes, int64_t arena_bytes, int64_t passes = 1) {
  LaunchList list;
  list.arena_bytes = arena_bytes;
  list.launches.push_back({{}, true, flops, bytes});
  if (passes > 1) list.loops.push_back({0, 1, passes});
  return list;
}

int threads_of(const LaunchList& list) { return cpu::threads_that_pay(list, {0}, 2); }

constexpr int64_t beyond_caches = 1 << 30;

}  // namespace

TEST_CASE("a step runs on several threads where it gains by it", "[cpu]") {
  CHECK(threads_of(of(1e9, 1e6, beyond_caches)) == 2);
  CHECK(threads_of(of(0, 1e9, beyond_caches)) == 2);
  CHECK(threads_of(of(1e9, 1e5, 100'000)) == 2);  // much work on little memory

  CHECK(threads_of(of(1e5, 1e4, beyond_caches)) == 1);             // a microsecond's work
  CHECK(threads_of(of(0, 1e5, 100'000)) == 1);                     // a core has it in its cache, for another it is further away
  CHECK(threads_of(of(0, 1e5 * 1000, 100'000, 1000)) == 1);        // however often
  CHECK(threads_of(of(1e5 * 1000, 0, beyond_caches, 1000)) == 1);  // a microsecond's work each time, and a wait each time
  CHECK(threads_of(of(1e7 * 1000, 0, beyond_caches, 1000)) == 2);
}

TEST_CASE("what cannot be shared counts for nothing", "[cpu]") {
  CHECK(cpu::threads_that_pay(of(1e9, 1e6, beyond_caches), {}, 2) == 1);
  CHECK(cpu::threads_that_pay(of(1e9, 1e6, beyond_caches), {0}, 1) == 1);
}

TEST_CASE("inputs and constants are memory that a step touches", "[cpu]") {
  LaunchList list = of(0, 1e9, 0);
  CHECK(threads_of(list) == 1);
  list.inputs.push_back({"x", f32, Shape{beyond_caches}});
  CHECK(threads_of(list) == 2);
  list.inputs.clear();
  list.constants.emplace_back(f32, Shape{1 << 24});
  CHECK(threads_of(list) == 2);
}
