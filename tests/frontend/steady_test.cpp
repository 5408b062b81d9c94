// A program that steps for hours: it allocates nothing, and neither its memory nor its page faults grow.

#include <sys/resource.h>
#include <unistd.h>

#include <fstream>

#include "weft/backends/cpu/exec/gemm.h"
#include "weft/ir/parser.h"
#include "weft/tests/frontend/allocations.h"
#include "weft/tests/frontend/support.h"

using namespace weft;

namespace {

struct Steady {
  Step step;
  std::vector<float> x;
  std::vector<int64_t> y;

  void run(int steps) {
    for (int i = 0; i < steps; ++i) step({{"x", x}, {"y", y}})["loss"].item();
  }
};

/// A classifier trained by Adam, with dropout: with `hidden` = 0 a single scaled layer without any product.
Steady classifier(int64_t batch, int64_t features, int64_t hidden, int threads) {
  manual_seed(0);
  Graph g("steady");
  const Tensor x = g.input("x", f32, {batch, features}), y = g.input("y", i64, {batch});
  nn::Dropout drop(0.1);
  optim::Adam adam({.lr = 1e-3});
  std::vector<Parameter> parameters;
  Tensor logits = x;
  if (hidden == 0) {
    parameters.push_back(Parameter("scale", Array(f32, Shape{features})));
    logits = drop(tanh(x * parameters[0]));
  } else {
    nn::Sequential net(nn::Linear(features, hidden), nn::ReLU(), nn::Linear(hidden, hidden), nn::ReLU(), nn::Linear(hidden, 10));
    parameters = net.parameters();
    logits = net.forward(drop(x));
  }
  Steady s{compile(training_step(g, cross_entropy(logits, y), parameters, adam), Target::cpu({.threads = threads, .share_all = true})),
           std::vector<float>(static_cast<size_t>(batch * features), 0.25f), std::vector<int64_t>(static_cast<size_t>(batch), 3)};
  s.run(5);  // what a first call makes: threads, the library's tables
  return s;
}

int64_t resident_pages() {
  std::ifstream file("/proc/self/statm");
  int64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident;
}

int64_t page_faults() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt;
}

}  // namespace

TEST_CASE("steady: generated kernels step without a single allocation, on one thread and on two") {
  for (int threads : {1, 2}) {
    Steady s = classifier(256, 512, 0, threads);
    REQUIRE(s.step.calls().size() > 1);
    const int64_t before = testing::allocations_so_far();
    s.run(100);
    CHECK(testing::allocations_so_far() == before);
  }
}

TEST_CASE("steady: with products, only the library allocates") {
  Steady s = classifier(32, 784, 64, 2);
  const ir::Module plan = ir::parse(s.step.ir("plan"));
  int64_t calls = 0;
  for (const auto& op : plan.graph().ops())
    if (op->is("matmul")) calls += op->integer("slices");
  REQUIRE(calls >= 8);
  if (cpu::gemm_kernels()) calls = 0;  // all are our own
  const auto ours = [] { return testing::allocations_so_far() - testing::library_allocations_so_far(); };
  const int64_t before = ours(), calls_before = testing::library_calls_so_far();
  s.run(100);
  CHECK(ours() == before);
  CHECK(testing::library_calls_so_far() == calls_before + 100 * calls);
}

#ifndef WEFT_SANITIZED  // a sanitizer keeps what the library frees for a while
TEST_CASE("steady: 10,000 steps take no more memory and no more page faults") {
  Steady s = classifier(32, 64, 32, 2);
  s.run(1000);
  const int64_t pages = resident_pages(), faults = page_faults();
  s.run(10000);
  // The kernel counts pages in batches of 64 a thread; 64 bytes lost in each step would be 156 pages.
  CHECK(resident_pages() - pages <= 128);
  CHECK(page_faults() - faults <= 16);
}
#endif
