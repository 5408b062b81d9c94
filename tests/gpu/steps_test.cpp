// Whole steps on a GPU that is none: the losses of the CPU's, and in a steady step nothing but one launch of a graph.

#include <cmath>

#include "weft/tests/catch.h"
#include "weft/tests/gpu/fake_cuda.h"
#include "weft/tests/gpu/nets.h"

using namespace weft;

TEST_CASE("gpu: training and evaluation give the CPU's losses") {
  for (const test::NetTraining::Net& net : test::nets()) {
    INFO(net.name);
    const test::FakeCuda gpu;
    test::NetTraining here(net, Target::cpu()), there(net, gpu.target());
    for (int n = 0; n < 20; ++n) {
      INFO("step " << n);
      const double want = here.train(n), got = there.train(n);
      CHECK(std::isfinite(want));
      CHECK(std::abs(got - want) <= 1e-5 * std::max(1.0, std::abs(want)));
      if (n % 7 == 0) {
        const double expected = here.evaluate(n);
        CHECK(std::abs(there.evaluate(n) - expected) <= 1e-5 * std::max(1.0, std::abs(expected)));
      }
    }
  }
}

TEST_CASE("gpu: mixed precision follows the CPU's f32 losses") {
  for (const std::string name : {"fashion", "mnist, norm", "cifar, conv", "gpt"}) {
    INFO(name);
    const test::FakeCuda gpu;
    test::NetTraining here(test::net_named(name), Target::cpu()), there(test::net_named(name), gpu.target({.autocast = bf16}));
    bool differs = false;
    for (int n = 0; n < 20; ++n) {
      INFO("step " << n);
      const double want = here.train(n), got = there.train(n);
      CHECK(std::abs(got - want) <= 2e-2 * std::max(1.0, std::abs(want)));
      differs = differs || got != want;
    }
    CHECK(differs);  // else nothing ran in bf16
  }
}

TEST_CASE("gpu: a steady step is one launch of a graph, and memory stays as it is") {
  for (const std::string name : {"temperature", "fashion, Adam", "mnist, dropout"}) {
    INFO(name);
    const test::FakeCuda gpu;
    test::NetTraining net(test::net_named(name), gpu.target());
    for (int n = 0; n < 4; ++n) net.train(n);
    const test::FakeCudaReport before = gpu.report();
    CHECK(before.captures == 2);  // one for each slot of pinned memory
    for (int n = 4; n < 10; ++n) net.train(n);
    const test::FakeCudaReport after = gpu.report();
    CHECK(after.launches == before.launches);
    CHECK(after.graph_launches == before.graph_launches + 6);
    CHECK(after.captures == before.captures);
    CHECK(after.allocations == before.allocations);
    CHECK(after.bytes == before.bytes);
    CHECK(after.pinned == before.pinned);
    CHECK(after.copied_out == before.copied_out + 6 * 4);  // the loss
  }
}

TEST_CASE("gpu: a step within a limit of memory gives the bits that it gives without") {
  const test::FakeCuda gpu;
  test::NetTraining all(test::net_named("gpt"), gpu.target());
  const int64_t limit = all.training_step().memory().arena_bytes.value() * 9 / 10;
  test::NetTraining less(test::net_named("gpt"), gpu.target({.memory_limit = limit}));
  CHECK(less.training_step().memory().arena_bytes.value() <= limit);
  for (int n = 0; n < 3; ++n) CHECK(less.train(n) == all.train(n));
}

TEST_CASE("gpu: batches are right however early or late they are copied") {
  for (const bool early : {false, true})
    for (const std::string name : {"temperature", "fashion, Adam"}) {
      INFO(name << (early ? ", early" : ", late"));
      const test::FakeCuda gpu;
      gpu->copy_early(early);
      test::NetTraining here(test::net_named(name), Target::cpu()), there(test::net_named(name), gpu.target());
      // Nobody reads a loss in between, so that the device falls behind as far as it may.
      for (int n = 0; n < 9; ++n) here.start_training(n), there.start_training(n);
      CHECK(std::abs(there.train(9) - here.train(9)) <= 1e-5);
    }
}
