// Denormal numbers: optimizers keep none, and a step takes them for 0 where it is told to.

#include <algorithm>
#include <cmath>
#include <limits>

#include "weft/frontend/optim/core.h"
#include "weft/tests/frontend/support.h"
#include "weft/tests/runtime/temp_files.h"

using namespace weft;
using weft::test::TempDir;

namespace {

struct Kept {
  int64_t states = 0, faded = 0, denormal = 0;  // elements
};

/// What `optimizer` keeps of a matrix whose gradient is small at first, and 0 from then on.
template <class T>
Kept after_fading(optim::Optimizer optimizer, const Target& target, T gradient, int steps) {
  Parameter w("w", Array(dtype_of<T>, {2, 20}));
  w.set_values(std::vector<T>(40, T(0.5)));
  Graph g("fading");
  const Tensor loss = g.output("loss", sum(w * g.input("x", dtype_of<T>, {2, 20})));
  Step step = compile(training_step(g, loss, {w}, optimizer), target);
  const std::vector<T> x(40, gradient), none(40, T(0));
  for (int i = 0; i < steps; ++i) step({{"x", i == 0 ? x : none}});
  Kept kept;
  for (const auto& [name, array] : optimizer.core()->states.front().arrays) {
    if (name == "exp_inf" || name == "mu_product") continue;  // these do not fade
    for (T value : array.template values<T>()) {
      ++kept.states;
      kept.faded += value == 0;
      kept.denormal += std::fpclassify(value) == FP_SUBNORMAL;
    }
  }
  return kept;
}

const std::pair<double, double> quick{0.5, 0.5};
const std::vector<std::pair<std::string, optim::Optimizer>>& that_fade() {
  static const std::vector<std::pair<std::string, optim::Optimizer>> all{
      {"sgd", optim::SGD({.momentum = 0.5})},
      {"sgd, nesterov", optim::SGD({.momentum = 0.5, .nesterov = true})},
      {"adam", optim::Adam({.betas = quick})},
      {"adam, amsgrad", optim::Adam({.betas = quick, .amsgrad = true})},
      {"adamw", optim::AdamW({.betas = quick, .weight_decay = 0})},
      {"adamax", optim::Adamax({.betas = quick})},
      {"nadam", optim::NAdam({.betas = quick})},
      {"radam", optim::RAdam({.betas = quick})},
      {"lion", optim::Lion({.betas = quick})},
      {"rmsprop", optim::RMSprop({.alpha = 0.5, .momentum = 0.5, .centered = true})},
      {"adadelta", optim::Adadelta({.rho = 0.5})},
      {"adafactor", optim::Adafactor({.beta2_decay = -0.1})},
      {"lars", optim::LARS({.momentum = 0.5})},
      {"muon", optim::Muon({.weight_decay = 0, .momentum = 0.5})}};
  return all;
}

}  // namespace

TEST_CASE("a running mean of a gradient that has become 0 ends at 0, and never stays denormal") {
  const float smallest = std::numeric_limits<float>::min();
  for (const Target& target : {Target::reference(), Target::cpu({.threads = 1}), Target::cpu({.threads = 2, .share_all = true})})
    for (const auto& [name, optimizer] : that_fade()) {
      INFO(name << " on " << target.name());
      // Means of the gradient, whose squares are 0 at once, then squares of it.
      for (const float gradient : {4 * smallest, 2 * std::sqrt(smallest)}) {
        const Kept kept = after_fading(optimizer, target, gradient, 12);
        CHECK(kept.states >= 22);  // adafactor's rows and columns
        CHECK(kept.denormal == 0);
        CHECK(kept.faded > 0);
      }
    }
  const auto sgd = [] { return optim::SGD({.momentum = 0.5}); };
  const Kept of_doubles = after_fading(sgd(), Target::cpu(), 4 * std::numeric_limits<double>::min(), 12);
  CHECK((of_doubles.states == 40 && of_doubles.faded == 40));
  // What is not denormal is kept as it is.
  CHECK(after_fading(sgd(), Target::cpu(), 4 * smallest, 3).faded == 0);
  CHECK(after_fading(sgd(), Target::cpu(), static_cast<double>(smallest), 12).faded == 0);
}

TEST_CASE("rows of a table whose gradient is 0 end at 0 too") {
  Parameter table("table", Array(f32, {4, 3}));
  optim::SparseAdam optimizer({.betas = quick});
  Graph g("rows");
  const Tensor rows = embedding(g.input("index", i64, {2}), table, {}, true);
  const Tensor loss = g.output("loss", sum(rows * g.input("x", f32, {2, 3})));
  Step step = compile(training_step(g, loss, {table}, optimizer), Target::cpu());
  const std::vector<int64_t> index{1, 3};
  for (int i = 0; i < 12; ++i)
    step({{"index", index}, {"x", std::vector<float>(6, i == 0 ? 4 * std::numeric_limits<float>::min() : 0.0f)}});
  CHECK(std::ranges::count(optimizer.state("table", "exp_avg").values<float>(), 0.0f) == 12);
}

TEST_CASE("a step takes denormal numbers for 0 where it is told to, on every thread and from a cache") {
  const int64_t n = 1 << 16;
  const std::vector<float> x(n, 1.5e-38f), tiny(n, 1e-39f);
  const auto make = [&](Target target, CompileOptions options = {}) {
    Graph g("denormals");
    const Tensor x = g.input("x", f32, {n}), tiny = g.input("tiny", f32, {n});
    g.output("result", x * 0.5);
    g.output("operand", tiny * 1e10);
    return compile(g, target, options);
  };
  const auto non_zero = [&](Step step) {
    const Results results = step({{"x", x}, {"tiny", tiny}});
    const auto count = [&](const char* name) { return n - std::ranges::count(results[name].view<float>(), 0.0f); };
    return std::pair{count("result"), count("operand")};
  };
  const std::pair all{n, n}, none{int64_t{0}, int64_t{0}};
  CHECK(non_zero(make(Target::reference())) == all);
  for (const int threads : {1, 2}) {
    CHECK(non_zero(make(Target::cpu({.threads = threads, .share_all = true}))) == all);
    CHECK(non_zero(make(Target::cpu({.threads = threads, .flush_denormals = true, .share_all = true}))) == none);
  }
  // The caller's own numbers are as they were.
  volatile float small = 1e-39f;
  CHECK(small * 0.5f != 0.0f);
  // A cache tells the two apart.
  const TempDir dir;
  const CompileOptions cached{.cache = dir / "cache"};
  for (int i = 0; i < 2; ++i) {
    CHECK(non_zero(make(Target::cpu(), cached)) == all);
    CHECK(non_zero(make(Target::cpu({.flush_denormals = true}), cached)) == none);
  }
}
