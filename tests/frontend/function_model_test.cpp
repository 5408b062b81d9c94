// Models that are functions: their layers have equal names, and are kept apart all the same.

#include "weft/tests/frontend/support.h"
#include "weft/tests/process.h"

using namespace weft;
using test::TempDir;
using weft::testing::points;

namespace {

/// Two linear layers and a norm between them, which a function captures.
struct Layers {
  nn::Linear a{2, 4}, b{4, 2};
  nn::BatchNorm1d norm{4}, other{4};
  optim::Adam adam{{.lr = 1e-2}};

  Trainer trainer() {
    return Trainer([a = a, b = b, norm = norm, other = other](Tensor x) mutable { return b(other(relu(norm(a(x))))); }, cross_entropy,
                   adam);
  }
  std::vector<float> numbers() const {
    std::vector<float> all;
    for (const Parameter& p : {a.weight, a.bias, b.weight, b.bias, norm.weight, norm.running_mean, other.weight, other.running_mean})
      for (const float x : p.values<float>()) all.push_back(x);
    return all;
  }
};

FitOptions kept(const std::string& path, int64_t max_steps) {
  return {.epochs = 3,
          .batch = 8,
          .seed = 1,
          .stop = {.max_steps = max_steps},
          .checkpoints = {.path = path},
          .log = "none",
          .program = {.target = Target::cpu({.threads = 1})}};
}

}  // namespace

TEST_CASE("a function of layers with equal names is saved, goes on bit for bit and is stopped early") {
  const TempDir dir;
  manual_seed(3);
  Layers whole;
  whole.trainer().fit(points(40), kept(dir / "whole.safetensors", 0));
  manual_seed(3);
  Layers first;
  first.trainer().fit(points(40), kept(dir / "part.safetensors", 7));
  manual_seed(8);
  Layers second;
  FitOptions rest = kept(dir / "part.safetensors", 0);
  rest.checkpoints.resume = dir / "part.safetensors";
  second.trainer().fit(points(40), rest);
  CHECK(second.numbers() == whole.numbers());

  FitOptions patient = kept(dir / "patient.safetensors", 0);
  patient.stop.patience = 1;
  CHECK_NOTHROW(Layers().trainer().fit(points(40), points(8, 50), patient));
}
