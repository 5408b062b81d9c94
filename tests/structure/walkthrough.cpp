// What CONTRIBUTING.md's walks add to the language, on the cpu: nn::Softsign and logaddexp2, values and gradients, and a step that
// trains nn::LayerScale, and a step for the backend `planned`.

#include <weft/weft.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "weft/frontend/tool/targets.h"

using namespace weft;

namespace {

const std::vector<float> values{-3, -0.5f, 0.25f, 7};

bool near(float got, double want) { return std::fabs(got - want) < 1e-6; }

/// Does f compute `value`, and the gradient of its sum `slope`?
template <class F, class Value, class Slope>
bool computes(const char* op, F f, Value value, Slope slope) {
  Graph g("walkthrough");
  const Tensor x = g.input("x", f32, {4});
  const Tensor y = g.output("y", f(x));
  auto [dx] = gradients<1>(sum(y), {x});
  g.output("dx", dx);
  Step step = compile(g, Target::cpu());
  const Results r = step({{"x", values}});
  bool right = g.ir().find(op) != std::string::npos;
  for (size_t i = 0; i < values.size(); ++i)
    right = right && near(r["y"].values<float>()[i], value(values[i])) && near(r["dx"].values<float>()[i], slope(values[i]));
  std::printf("%s %s\n", op, right ? "as CONTRIBUTING.md says" : "not as CONTRIBUTING.md says");
  return right;
}

/// One step of gradient descent on the sum of a scaled row: the weight goes down by lr times the row.
bool trains() {
  nn::LayerScale scale(4, {.init = 0.5});
  optim::SGD sgd({.lr = 0.1});
  Graph g("walkthrough");
  const Tensor loss = g.output("loss", sum(scale(g.input("x", f32, {4}))));
  Step step = compile(training_step(g, loss, scale.parameters(), sgd), Target::cpu());
  const Results r = step({{"x", values}});
  bool right = near(r["loss"].item(), 0.5 * (-3 - 0.5 + 0.25 + 7));
  for (size_t i = 0; i < values.size(); ++i) right = right && near(scale.weight.values<float>()[i], 0.5 - 0.1 * values[i]);
  std::printf("nn::LayerScale %s\n", right ? "as CONTRIBUTING.md says" : "not as CONTRIBUTING.md says");
  return right;
}

/// A net trained for the backend `planned`, beside the reference.
bool runs_planned() {
  std::vector<double> losses;
  for (const Target& target : {Target::from_name("planned"), Target::reference()}) {
    manual_seed(3);
    nn::Linear fc(4, 2);
    optim::Adam adam({.lr = 0.1});
    Graph g("walkthrough");
    const Tensor loss = g.output("loss", mean(square(fc(g.input("x", f32, {1, 4})))));
    Step step = compile(training_step(g, loss, fc.parameters(), adam), target);
    for (int i = 0; i < 3; ++i) losses.push_back(step({{"x", values}})["loss"].item());
  }
  // The tool knows it too, and what the passes ask outlives the list of targets.
  bool right = losses[2] < losses[0] && tool::target_for(ir::Module(), "planned")->name() == "planned";
  for (size_t i = 0; i < 3; ++i) right = right && near(static_cast<float>(losses[i]), losses[i + 3]);
  std::printf("the backend planned %s\n", right ? "as CONTRIBUTING.md says" : "not as CONTRIBUTING.md says");
  return right;
}

}  // namespace

int main() {
  nn::Softsign softsign;
  const bool all[] = {
      computes(
          "softsign(%x)", softsign, [](double x) { return x / (1 + std::fabs(x)); },
          [](double x) { return 1 / ((1 + std::fabs(x)) * (1 + std::fabs(x))); }),
      computes(
          "logaddexp2(%x", [](Tensor x) { return logaddexp2(x, 1.0); }, [](double x) { return std::log2(std::exp2(x) + 2); },
          [](double x) { return 1 / (1 + std::exp2(1 - x)); }),
      trains(),
      runs_planned(),
  };
  return std::all_of(std::begin(all), std::end(all), [](bool right) { return right; }) ? 0 : 1;
}
