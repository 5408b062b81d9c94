#include "weft/runtime/parallel.h"

#include <atomic>
#include <cmath>
#include <thread>

#include "weft/runtime/float_mode.h"
#include "weft/tests/catch.h"

using namespace weft;

TEST_CASE("parallel: shares cover every unit once, in order, and differ by at most one") {
  for (int threads : {1, 2, 3, 7})
    for (int64_t units : {0, 1, 2, 5, 7, 100}) {
      int64_t next = 0;
      for (int me = 0; me < threads; ++me) {
        const Share s = share_of(units, me, threads);
        CHECK(s.begin == next);
        CHECK(s.end - s.begin >= units / threads);
        CHECK(s.end - s.begin <= (units + threads - 1) / threads);
        next = s.end;
      }
      CHECK(next == units);
    }
}

TEST_CASE("parallel: every thread of a team runs once in each round, and rounds do not overlap") {
  for (int threads : {1, 2, 4}) {
    Team team(threads);
    struct Count {
      std::atomic<int> inside = 0;
      std::vector<int> runs;
    } count;
    count.runs.resize(static_cast<size_t>(threads));
    for (int round = 0; round < 2000; ++round) {
      team.run(
          [](void* context, int me) {
            auto& c = *static_cast<Count*>(context);
            ++c.inside;
            ++c.runs[static_cast<size_t>(me)];
            --c.inside;
          },
          &count);
      REQUIRE(count.inside == 0);
    }
    for (int runs : count.runs) CHECK(runs == 2000);
  }
}

TEST_CASE("parallel: what is written before a barrier is read behind it") {
  constexpr int threads = 3;
  Team team(threads);
  struct Board {
    Team* team;
    std::vector<int> values = std::vector<int>(threads);
    std::atomic<int> wrong = 0;
  } board{&team};
  team.run(
      [](void* context, int me) {
        auto& b = *static_cast<Board*>(context);
        for (int turn = 1; turn < 1000; ++turn) {
          b.values[static_cast<size_t>(me)] = turn;
          b.team->barrier();
          for (int v : b.values)
            if (v != turn) ++b.wrong;
          b.team->barrier();
        }
      },
      &board);
  CHECK(board.wrong == 0);
}

TEST_CASE("parallel: what is done alone at a barrier is done once, before any thread goes on") {
  constexpr int threads = 3;
  Team team(threads);
  struct Board {
    Team* team;
    int done = 0;
    std::atomic<int> wrong = 0;
  } board{&team};
  team.run(
      [](void* context, int) {
        auto& b = *static_cast<Board*>(context);
        for (int turn = 1; turn < 1000; ++turn) {
          b.team->barrier([&] { ++b.done; });
          if (b.done != turn) ++b.wrong;
          b.team->barrier();
        }
      },
      &board);
  CHECK(board.wrong == 0);
  CHECK(board.done == 999);
}

TEST_CASE("parallel: programs that run at once have teams of their own, one after the other they share one") {
  const Team* first = nullptr;
  {
    const TeamLease lease(2);
    first = &*lease;
    const TeamLease other(2);
    CHECK(&*other != first);
    CHECK(other->threads() == 2);
  }
  const TeamLease again(2), once_more(2);
  CHECK((&*again == first || &*once_more == first));
  CHECK(TeamLease(3)->threads() == 3);
}

#if defined(__x86_64__)
TEST_CASE("float mode: denormal numbers are kept, and the caller's mode comes back") {
  const unsigned before = _mm_getcsr(), flush = before | 0x8040;
  _mm_setcsr(flush);
  volatile float tiny = 1e-39f, half = 0.5f;
  CHECK(tiny * half == 0.0f);
  {
    const FloatMode mode;
    CHECK(tiny * half != 0.0f);
  }
  CHECK((_mm_getcsr() & ~0x3fu) == (flush & ~0x3fu));  // but for the flags of what happened
  _mm_setcsr(before);
}
#endif
