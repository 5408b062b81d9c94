// Threads that the system refuses, and forks, which leave them behind.

#include "weft/runtime/threads.h"

#include <atomic>
#include <numeric>
#include <optional>

#include "weft/runtime/data/batcher.h"
#include "weft/runtime/parallel.h"
#include "weft/tests/catch.h"
#include "weft/tests/runtime/in_child.h"
#include "weft/tests/runtime/refuse_threads.h"

using namespace weft;

#ifndef WEFT_SANITIZED  // a sanitizer makes threads in its own way, and some end a child that makes any

namespace {

/// The threads that took part in one round.
int members(Team& team) {
  std::atomic<int> count = 0;
  team.run([](void* context, int) { ++*static_cast<std::atomic<int>*>(context); }, &count);
  return count;
}

Dataset numbers(int64_t count) {
  Array x(f32, {count, 3}), y(i64, {count});
  for (int64_t i = 0; i < x.shape().numel(); ++i) x.set(i, static_cast<double>(i));
  for (int64_t i = 0; i < count; ++i) y.set(i, static_cast<double>(i));
  return {.inputs = std::move(x), .targets = std::move(y), .name = "numbers"};
}

/// The targets in the order in which they are delivered, from where the batcher is to the end of its epoch.
std::vector<int64_t> rest(Batcher& batcher) {
  std::vector<int64_t> all;
  while (const Batch* batch = batcher.next()) {
    const auto some = batch->targets.values<int64_t>();
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::vector<int64_t> epoch(Batcher& batcher, int64_t number) {
  batcher.start_epoch(number);
  return rest(batcher);
}

}  // namespace

TEST_CASE("threads: a team works with those that it gets, and gets the others when it can") {
  for (const int granted : {0, 1, 2}) {
    std::optional<test::GrantThreads> limit(granted);
    Team team(4);
    CHECK(test::GrantThreads::refused() == 1);
    CHECK(team.threads() == granted + 1);
    CHECK(team.wanted() == 4);
    for (int i = 0; i < 3; ++i) CHECK(members(team) == granted + 1);
    team.complete();
    CHECK(members(team) == granted + 1);
    limit.reset();
    team.complete();
    for (int i = 0; i < 3; ++i) CHECK(members(team) == 4);
  }
}

TEST_CASE("threads: a lease gives what there is, and completes it later") {
  {
    const test::GrantThreads limit(1);
    const TeamLease lease(7);
    CHECK(lease->threads() == 2);
    CHECK(members(*lease) == 2);
  }
  const TeamLease lease(7);
  CHECK(members(*lease) == 7);
}

TEST_CASE("threads: a batcher loads with fewer workers, and without any itself") {
  const Dataset data = numbers(53);
  Batcher all(data, {.batch = 4, .shuffle = true, .seed = 3, .workers = 3});
  const auto want = epoch(all, 2);
  for (const int granted : {0, 1, 2}) {
    const test::GrantThreads limit(granted);
    Batcher batcher(data, {.batch = 4, .shuffle = true, .seed = 3, .workers = 3});
    CHECK(test::GrantThreads::refused() == 1);
    CHECK(epoch(batcher, 2) == want);
    CHECK(epoch(batcher, 3) != want);
    batcher.start_epoch(2, 5);
    CHECK(rest(batcher) == std::vector<int64_t>(want.begin() + 20, want.end()));
  }
}

TEST_CASE("threads: a batcher without workers throws what loading threw") {
  Dataset data = numbers(20);
  data.class_names = {"a", "b", "c", "d", "e", "f"};
  const test::GrantThreads limit(0);
  Batcher batcher(data, {.batch = 4});
  batcher.start_epoch(0);
  CHECK(batcher.next());
  CHECK_THROWS_WITH(batcher.next(), contains_text("example 6 of data set 'numbers' has the class 6"));
}

TEST_CASE("fork: a child's team is as large as its parent's, and its child's too") {
  Team team(3);
  CHECK(members(team) == 3);
  const auto works = [&] {
    team.complete();
    for (int i = 0; i < 100; ++i)
      if (members(team) != 3) return 1;
    return 0;
  };
  CHECK(test::in_child([&] { return works() + test::in_child(works); }) == 0);
  CHECK(works() == 0);
}

TEST_CASE("fork: teams are lent and ended in a child, also where others hold them or their lock") {
  std::atomic<bool> stop = false;
  std::thread busy([&] {
    while (!stop) {
      const TeamLease lease(2);
      members(*lease);
    }
  });
  std::vector<int> codes;
  for (int i = 0; i < 30; ++i)
    codes.push_back(test::in_child([] {
      {
        const TeamLease lease(2), other(2);
        if (members(*lease) != 2 || members(*other) != 2) return 1;
      }
      Team own(2);
      return members(own) == 2 ? 0 : 2;
    }));
  stop = true;
  busy.join();
  CHECK(codes == std::vector<int>(30, 0));
}

TEST_CASE("fork: what a child leaves behind does not keep it from ending") {
  const TeamLease lease(3);
  auto team = std::make_unique<Team>(3);
  const Dataset data = numbers(50);
  auto batcher = std::make_unique<Batcher>(data, BatchOptions{.batch = 4, .workers = 2});
  batcher->start_epoch(0);
  batcher->next();
  usleep(20000);  // the workers sleep, their buffers full
  CHECK(test::in_child([&] {
          team.reset();
          batcher.reset();
          return 0;
        }) == 0);
}

TEST_CASE("fork: a batcher goes on in a child as in its parent") {
  const Dataset data = numbers(61);
  for (const int workers : {1, 3})
    for (const int taken : {0, 1, 5}) {
      Batcher batcher(data, {.batch = 4, .shuffle = true, .seed = 1, .workers = workers});
      const auto whole = epoch(batcher, 1), next = epoch(batcher, 2);
      const std::vector<int64_t> want(whole.begin() + 4 * taken, whole.end());
      batcher.start_epoch(1);
      const Batch* last = nullptr;
      for (int i = 0; i < taken; ++i) last = batcher.next();
      const auto goes_on = [&] {
        const std::vector<int64_t> held =
            last ? std::vector<int64_t>(last->targets.values<int64_t>().begin(), last->targets.values<int64_t>().end())
                 : std::vector<int64_t>();
        if (last && held != std::vector<int64_t>(whole.begin() + 4 * (taken - 1), whole.begin() + 4 * taken)) return 1;
        if (rest(batcher) != want) return 2;
        return epoch(batcher, 2) == next ? 0 : 3;
      };
      CHECK(test::in_child([&] {
              if (const int code = test::in_child(goes_on)) return 10 + code;
              return goes_on();
            }) == 0);
      CHECK(goes_on() == 0);
    }
}

TEST_CASE("fork: a batcher made before and first used in a child") {
  const Dataset data = numbers(20);
  Batcher batcher(data, {.batch = 4, .shuffle = true, .seed = 1, .workers = 2});
  std::vector<int64_t> want(20);
  shuffle_order(want, 1, 0);
  CHECK(test::in_child([&] { return epoch(batcher, 0) == want ? 0 : 1; }) == 0);
  CHECK(epoch(batcher, 0) == want);
}

#endif
