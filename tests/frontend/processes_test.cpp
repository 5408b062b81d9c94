// Steps where the process forks or gets no threads.

#include <atomic>
#include <thread>

#include "weft/runtime/parallel.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/in_child.h"
#include "weft/tests/runtime/refuse_threads.h"

using namespace weft;

#ifndef WEFT_SANITIZED

namespace {

struct Net {
  Parameter w = Parameter("w", Array(f32, {256, 256}));
  std::vector<float> x = std::vector<float>(256 * 256, 0.01f);
  Step step = make();

  Step make() {
    init::constant(w, 0.001);
    Graph g("net");
    Tensor y = tanh(matmul(g.input("x", f32, {256, 256}), w));
    g.output("y", sum(y));
    optim::SGD sgd({.lr = 0.1});
    return compile(training_step(g, mean(square(y)), {w}, sgd), Target::cpu().with_threads(2));
  }
  double run() { return step({{"x", x}})["y"].item(); }
};

}  // namespace

TEST_CASE("processes: a step gives the same bits with the threads that it gets") {
  Net all, none;
  std::vector<double> want;
  for (int i = 0; i < 3; ++i) want.push_back(all.run());
  const test::GrantThreads limit(0);
  // A team of this size is idle by now, so that one is held while the step asks.
  const TeamLease held(2);
  for (int i = 0; i < 3; ++i) CHECK(none.run() == want[static_cast<size_t>(i)]);
  CHECK(test::GrantThreads::refused() > 0);
  CHECK(all.w.values<float>() == none.w.values<float>());
}

TEST_CASE("processes: a Trainer fits without any thread of its own") {
  const auto fit = [] {
    manual_seed(2);
    nn::Sequential net(nn::Linear(2, 8), nn::Tanh(), nn::Linear(8, 2));
    optim::SGD sgd({.lr = 0.1});
    Trainer(net, cross_entropy, sgd)
        .fit(testing::points(40),
             {.epochs = 2, .batch = 8, .data = {.shuffle = true, .workers = 3}, .log = "none", .program = {.threads = 2}});
    return net.parameters()[0].values<float>();
  };
  const auto want = fit();
  const test::GrantThreads limit(0);
  CHECK(fit() == want);
}

TEST_CASE("processes: a step runs in a forked child, before and after its first call, and in the child's child") {
  for (const int calls_before : {0, 2}) {
    Net net, same;
    for (int i = 0; i < calls_before; ++i) net.run(), same.run();
    const double want = same.run();
    const auto runs = [&] { return net.run() == want ? 0 : 1; };
    CHECK(test::in_child([&] {
            if (test::in_child(runs) != 0) return 2;
            return runs();
          }) == 0);
    CHECK(net.run() == want);
  }
}

TEST_CASE("processes: a child can run what another thread ran when it was forked, and compile") {
  Net net, other;
  std::atomic<bool> stop = false;
  std::thread busy([&] {
    while (!stop) net.run();
  });
  std::vector<int> codes;
  for (int i = 0; i < 10; ++i)
    codes.push_back(test::in_child([&] {
      net.run(), net.run();
      other.run();
      return 0;
    }));
  stop = true;
  busy.join();
  CHECK(codes == std::vector<int>(10, 0));
  CHECK(test::in_child([&] { return Net().run() > 0 ? 0 : 1; }) == 0);
}

TEST_CASE("processes: a child trains on where its parent stands") {
  Net net;
  net.run();
  const Results before = net.step({{"x", net.x}});
  CHECK(test::in_child([&] {
          const std::vector<float> then = before["w"].values<float>();
          net.run();
          return net.w.values<float>() != then ? 0 : 1;
        }) == 0);
  CHECK(before["w"].values<float>() == net.w.values<float>());
}

#endif
