// Target::cpu({.memory_limit = bytes}): the same losses in less memory, or a refusal that says what is in the way.

#include <cmath>

#include "weft/support/error.h"
#include "weft/tests/catch.h"
#include "weft/weft.h"

using namespace weft;

namespace {

/// Numbers that follow from their places and the step alone.
std::vector<float> rows(int n) {
  std::vector<float> all(256 * 64);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<float>(std::sin(0.37 * static_cast<double>(i) + n));
  return all;
}
std::vector<int64_t> classes(int n) {
  std::vector<int64_t> all(256);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int64_t>((i * 7 + static_cast<size_t>(n)) % 10);
  return all;
}

struct Trained {
  std::vector<double> losses;
  int64_t arena = 0;
};

/// A deep net whose layers keep a good deal for their gradients.
Trained trained(std::optional<int64_t> limit) {
  manual_seed(3);
  nn::Sequential net(nn::Linear(64, 128), nn::BatchNorm1d(128), nn::GELU());
  for (int layer = 0; layer < 6; ++layer) {
    net.append(nn::Linear(128, 128));
    net.append(nn::BatchNorm1d(128));
    net.append(nn::GELU());
    net.append(nn::Dropout(0.1));
  }
  net.append(nn::Linear(128, 10));
  Graph g("train");
  const Tensor x = g.input("x", f32, {256, 64}), y = g.input("y", i64, {256});
  const Tensor loss = g.output("loss", cross_entropy(net(x), y));
  optim::AdamW adam({.lr = 1e-2});
  Step step = compile(training_step(g, loss, net.parameters(), adam), Target::cpu({.memory_limit = limit}));
  Trained all{.arena = step.memory().arena_bytes.value_or(0)};
  for (int n = 0; n < 6; ++n) all.losses.push_back(step({{"x", rows(n)}, {"y", classes(n)}})["loss"].item());
  return all;
}

}  // namespace

TEST_CASE("memory limit: a step within it gives the losses that it gives without, bit for bit") {
  const Trained all = trained({});
  CHECK(std::isfinite(all.losses.back()));
  for (const int percent : {90, 75, 60, 45}) {
    INFO(percent << " % of " << all.arena);
    const int64_t limit = all.arena * percent / 100;
    const Trained less = trained(limit);
    CHECK(less.arena <= limit);
    CHECK(less.losses == all.losses);
  }
  const Trained as_it_is = trained(all.arena);
  CHECK(as_it_is.arena == all.arena);
}

TEST_CASE("memory limit: one that cannot be met is refused with the largest values and their lines") {
  try {
    trained(100000);
    FAIL("100 kB are not enough");
  } catch (const Error& e) {
    CHECK_THAT(e.what(), contains_text("memory_limit") && contains_text("nothing more can be computed again") &&
                             contains_text("memory_limit_test.cpp:") && contains_text("f32[256,128]"));
  }
  for (const int64_t none : {int64_t{0}, int64_t{-1}})
    CHECK_THROWS_WITH(Target::cpu({.memory_limit = none}), contains_text(".memory_limit must be positive, not"));
}
