// Which launches several threads share, what that is expected to gain, and which way is kept once it is measured.

#include "weft/backends/cpu/exec/sharing.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include "weft/backends/cpu/exec/contention.h"
#include "weft/backends/cpu/exec/fastest_way.h"
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

/// Of the way that is expected to take the least time.
cpu::Sharing best_of(const LaunchList& list, const std::vector<bool>& may_share, int threads = 2) {
  const auto ways = cpu::ways_to_share(list, may_share, threads);
  return *std::min_element(ways.begin(), ways.end(), [](const auto& a, const auto& b) { return a.seconds < b.seconds; });
}
int threads_of(const LaunchList& list) { return best_of(list, {true}).threads; }

constexpr int64_t beyond_caches = 1 << 30;

/// Runs a way so often, each time as long as it takes by then; returns how often each was taken.
template <class Seconds>
std::vector<int> run(cpu::FastestWay& fastest, size_t ways, int64_t runs, Seconds seconds) {
  std::vector<int> taken(ways, 0);
  for (int64_t i = 0; i < runs; ++i) {
    const size_t way = fastest.next();
    ++taken[way];
    if (fastest.is_measured()) fastest.took(seconds(way));
  }
  return taken;
}

}  // namespace

TEST_CASE("a step runs on several threads where it is expected to gain by it", "[cpu]") {
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
  CHECK(best_of(of(1e9, 1e6, beyond_caches), {false}).threads == 1);
  CHECK(cpu::ways_to_share(of(1e9, 1e6, beyond_caches), {true}, 1).size() == 1);
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

TEST_CASE("small launches may stay with one thread while the large ones are shared", "[cpu]") {
  LaunchList list;
  list.arena_bytes = beyond_caches;
  const BufferPlace written{BufferPlace::Kind::arena, 0, 64, true};
  for (const double flops : {1e9, 1e4, 1e4, 1e9}) list.launches.push_back({{written}, true, flops, 0});
  const auto ways = cpu::ways_to_share(list, {true, true, true, true}, 2);
  REQUIRE(ways.size() == 3);
  CHECK(ways[0].threads == 1);
  CHECK(ways[0].waits == std::vector<bool>{false, false, false, false});
  CHECK(ways[1].shared == std::vector<bool>{true, true, true, true});
  CHECK(ways[1].waits == std::vector<bool>{false, true, true, true});
  CHECK(ways[2].shared == std::vector<bool>{true, false, false, true});
  CHECK(ways[2].waits == std::vector<bool>{false, true, false, true});  // thread 0 runs the second and the third, in order
  CHECK(ways[2].seconds < ways[1].seconds);
}

TEST_CASE("the way that was measured to be the fastest is kept", "[cpu]") {
  cpu::FastestWay fastest(3, 1, cpu::FastestWay::of_short_runs);
  CHECK(fastest.best() == 1);
  const auto speeds = [](std::vector<double> of_ways) { return [of_ways](size_t way) { return of_ways[way]; }; };
  CHECK(run(fastest, 3, 10, speeds({3, 2, 1})) == std::vector<int>{0, 10, 0});  // the guess, at first
  run(fastest, 3, 100, speeds({3, 2, 1}));
  CHECK(fastest.best() == 2);
  CHECK(run(fastest, 3, 800, speeds({3, 2, 1})) == std::vector<int>{0, 0, 800});
  // The machine has changed: it is found out again, later each time.
  run(fastest, 3, 5000, speeds({1, 2, 3}));
  CHECK(fastest.best() == 0);
  const std::vector<int> taken = run(fastest, 3, 100'000, speeds({1, 2, 3}));
  CHECK(taken[0] > 99'000);
  CHECK(taken[1] == taken[2]);
  CHECK(taken[1] > 0);
}

TEST_CASE("a way that has become slower than one thread is tried again before its time", "[cpu]") {
  cpu::FastestWay fastest(2, 1, cpu::FastestWay::of_short_runs);
  double together = 1;  // way 0 takes 2
  const auto seconds = [&](size_t way) { return way == 0 ? 2 : together; };
  run(fastest, 2, 200'000, seconds);
  CHECK(fastest.best() == 1);
  // Another trial is 100,000 runs away, or nearly.
  together = 16;
  CHECK(run(fastest, 2, 4000, seconds)[0] > 3000);
  CHECK(fastest.best() == 0);
  together = 1;
  run(fastest, 2, 20'000, seconds);
  CHECK(fastest.best() == 1);
  // Where both are slower by the same, one trial finds out, and nothing changes.
  together = 3;
  int trials = 0;
  const auto all_slower = [&](size_t way) { return trials += way == 0, way == 0 ? 6.0 : together; };
  run(fastest, 2, 50'000, all_slower);
  CHECK(fastest.best() == 1);
  CHECK(trials > 0);
  CHECK(trials < 100);
}

TEST_CASE("the way of fewest threads is kept unless another one is faster by more than chance", "[cpu]") {
  cpu::FastestWay fastest(2, 1, cpu::FastestWay::of_short_runs);
  run(fastest, 2, 200, [](size_t way) { return way == 0 ? 1.0 : 0.97; });
  CHECK(fastest.best() == 0);
}

TEST_CASE("a run that was disturbed decides nothing", "[cpu]") {
  cpu::FastestWay fastest(2, 0, cpu::FastestWay::of_short_runs);
  int measured = 0;
  run(fastest, 2, 200, [&](size_t way) { return way == 1 && measured++ % 4 == 0 ? 100.0 : way == 1 ? 0.5 : 1.0; });
  CHECK(fastest.best() == 1);
}

TEST_CASE("where there is one way, nothing is measured", "[cpu]") {
  cpu::FastestWay fastest(1, 0, cpu::FastestWay::of_short_runs);
  CHECK(run(fastest, 1, 5000, [](size_t) -> double { throw 1; }) == std::vector<int>{5000});
}

TEST_CASE("trials cost less than a fiftieth of the time, however slow the other ways are", "[cpu]") {
  cpu::FastestWay fastest(2, 1, cpu::FastestWay::of_short_runs);
  const std::vector<int> taken = run(fastest, 2, 2'000'000, [](size_t way) { return way == 0 ? 1000.0 : 1.0; });  // one round tells
  CHECK(taken[0] >= 24);
  CHECK((taken[0] - 8) * 999 < 2'000'000 / 50);  // but for the first, of one round
}

TEST_CASE("long runs are tried where that is asked for, and then until the guess is the best again", "[cpu]") {
  cpu::FastestWay fastest(2, 1, cpu::FastestWay::of_long_runs);
  double alone = 1;  // way 1 takes 1.5
  const auto seconds = [&](size_t way) { return way == 0 ? alone : 1.5; };
  CHECK(run(fastest, 2, 1000, seconds) == std::vector<int>{0, 1000});
  fastest.ask_for_trial();
  CHECK(run(fastest, 2, 11, seconds)[1] == 5);
  CHECK(fastest.best() == 0);
  alone = 3;
  run(fastest, 2, 1000, seconds);
  CHECK(fastest.best() == 1);
  CHECK(run(fastest, 2, 5000, seconds) == std::vector<int>{0, 5000});
}

TEST_CASE("a trial that is asked for too soon after another one is not made", "[cpu]") {
  cpu::FastestWay fastest(2, 1, cpu::FastestWay::of_long_runs);
  const auto seconds = [](size_t way) { return way == 0 ? 2.0 : 1.0; };
  run(fastest, 2, 20, seconds);
  fastest.ask_for_trial();
  run(fastest, 2, 11, seconds);
  fastest.ask_for_trial();
  CHECK(run(fastest, 2, 60, seconds) == std::vector<int>{0, 60});
}

TEST_CASE("a thread that mostly sleeps while it waits tells that others have the cores", "[cpu]") {
  const auto most = [](bool sleeps) {
    cpu::Contention contention;
    bool found = false;
    for (int i = 0; i < 16; ++i) {
      contention.begin();
      if (sleeps) std::this_thread::sleep_for(std::chrono::milliseconds(2));
      found = contention.end(sleeps ? 2e-3 : 0);
      CHECK((!found || i == 15));
    }
    return found;
  };
  CHECK(most(true));
  CHECK_FALSE(most(false));
}
