// Loops on a GPU: launches that are put into the stream once for each pass, over slices that move.

#include <algorithm>
#include <cmath>
#include <functional>

#include "weft/tests/catch.h"
#include "weft/tests/gpu/fake_cuda.h"
#include "weft/tests/gpu/lowered.h"
#include "weft/tests/gpu/nets.h"
#include "weft/weft.h"

using namespace weft;

namespace {

/// h = tanh(W h + x_t) over rows of `width`, and all of them; f32 rows of 16 are aligned as buffers are.
Graph recurrence(int64_t length, int64_t width = 16) {
  Graph g("recurrence");
  const Tensor x = g.input("x", f32, {length, 4, width}), w = g.input("w", f32, {width, width}), h = g.input("h", f32, {4, width});
  const auto [last, all] = scan(h, x, [&](const Tensor& state, const Tensor& row) {
    const Tensor next = tanh(matmul(state, w) + row);
    return std::pair{next, next * 2.0};
  });
  g.output("last", last);
  g.output("all", all);
  return g;
}

std::vector<float> numbers(int64_t count, double scale) {
  std::vector<float> all;
  for (int64_t i = 0; i < count; ++i) all.push_back(static_cast<float>(scale * static_cast<double>(i * i % 23 - 11)));
  return all;
}

}  // namespace

TEST_CASE("gpu: a loop's values are the CPU's, forwards and backwards, step after step") {
  const test::FakeCuda gpu;
  for (const bool reverse : {false, true}) {
    std::vector<std::vector<float>> results;
    for (const Target& target : {Target::cpu(), gpu.target()}) {
      Graph g("sums");
      const Tensor x = g.input("x", f32, {6, 4, 16});
      const auto [last, all] = scan(zeros({4, 16}), x,
                                    [&](const Tensor& state, const Tensor& row) {
                                      const Tensor next = state * 0.5 + row;
                                      return std::pair{next, next - row};
                                    },
                                    {.reverse = reverse});
      g.output("last", last);
      g.output("all", all);
      Step step = compile(g, target);
      for (int n = 0; n < 4; ++n) {  // by itself, captured, replayed
        const Results got = step({{"x", numbers(6 * 4 * 16, 0.125 * (n + 1))}});
        results.push_back(got["last"].values<float>());
        results.push_back(got["all"].values<float>());
      }
    }
    REQUIRE(results.size() == 16);
    for (size_t i = 0; i < 8; ++i) CHECK(results[i] == results[i + 8]);
  }
}

TEST_CASE("gpu: what a loop is compiled to does not grow with its length") {
  const ProgramData few = test::lowered(recurrence(3)), many = test::lowered(recurrence(700));
  CHECK(few.list.loops.size() == 1);
  CHECK(many.list.loops.at(0).count == 700);
  CHECK(few.calls.size() == many.calls.size());
  CHECK(few.code.at(0).image.size() / 100 == many.code.at(0).image.size() / 100);  // but for digits
}

TEST_CASE("gpu: slices that are not aligned as buffers are have their loop written out") {
  const auto read_only = [](int64_t width) {
    Graph g("sum");
    const Tensor x = g.input("x", f32, {3, width});
    const ScanResult sums = scan({zeros({1})}, {x}, [](const std::vector<Tensor>& state, const std::vector<Tensor>& row) -> ScanStep {
      return {{state[0] + sum(row[0])}};
    });
    g.output("y", sums.last[0]);
    return test::lowered(g).list.loops.size();
  };
  CHECK(read_only(15) == 0);
  CHECK(read_only(16) == 1);
  CHECK(test::lowered(recurrence(3, 15)).list.loops.empty());
  CHECK(test::lowered(recurrence(3, 16)).list.loops.size() == 1);
}

TEST_CASE("gpu: recurrent layers in loops train as on the CPU") {
  for (const std::string name : {"lstm, in loops", "gru, in loops"}) {
    INFO(name);
    const test::FakeCuda gpu;
    test::NetTraining here(test::net_named(name), Target::cpu()), there(test::net_named(name), gpu.target());
    const std::vector<std::string> calls = there.training_step().calls();
    CHECK(std::ranges::any_of(calls, [](const std::string& call) { return call.starts_with("5 x "); }));
    for (int n = 0; n < 4; ++n) {
      const double want = here.train(n);
      CHECK(std::abs(there.train(n) - want) <= 1e-5 * std::max(1.0, std::abs(want)));
    }
  }
}

TEST_CASE("gpu: a profile has a loop's launch once, with the time of all passes") {
  const test::FakeCuda gpu;
  Step step = compile(recurrence(5), gpu.target());
  step.start_profile(2);
  const auto run = [&] {
    step({{"x", numbers(5 * 4 * 16, 0.125)}, {"w", numbers(16 * 16, 0.01)}, {"h", numbers(4 * 16, 0.125)}})["last"].values<float>();
  };
  run(), run();
  CHECK(step.profile().calls.size() == step.calls().size());
}

TEST_CASE("gpu: loops of a file that no GPU runs are refused with the reason") {
  const test::FakeCuda gpu;
  const auto refusal = [](const std::function<void(LaunchList&)>& damage) {
    ProgramData data = test::lowered(recurrence(5));
    damage(data.list);
    return test::refusal_of(std::move(data));
  };
  const auto moving = [](LaunchList& list) -> BufferPlace& {
    for (Launch& launch : list.launches)
      for (BufferPlace& place : launch.buffers)
        if (!place.steps.empty() && place.steps.back() != 0) return place;
    throw Error("nothing moves");
  };
  CHECK(refusal([](LaunchList&) {}) == "");
  CHECK_THAT(refusal([&](LaunchList& list) { moving(list).steps.back() -= 4; }),
             contains_text("moves by 252 bytes: a GPU's are multiples of 64"));
  CHECK_THAT(refusal([](LaunchList& list) { list.loops[0].count = 6; }), contains_text("does not lie where"));
  CHECK_THAT(refusal([](LaunchList& list) { list.loops[0].last = 99; }), contains_text("a loop over the launches"));
  CHECK_THAT(refusal([&](LaunchList& list) {
               for (Launch& launch : list.launches)
                 for (BufferPlace& place : launch.buffers) place.steps.clear(), place.offset = 0;
               list.loops[0].count = int64_t{1} << 40;
             }),
             contains_text("makes more than 1048576 launches"));
}
