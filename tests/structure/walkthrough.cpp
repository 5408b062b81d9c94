// The layer that CONTRIBUTING.md tells a reader to add: nn::Softsign, its values and gradient on the cpu.

#include <weft/weft.h>
#include <cmath>
#include <cstdio>

using namespace weft;

int main() {
  nn::Softsign layer;
  Graph g("walkthrough");
  const Tensor x = g.input("x", f32, {4});
  const Tensor y = g.output("y", layer(x));
  auto [dx] = gradients<1>(sum(y), {x});
  g.output("dx", dx);
  Step step = compile(g, Target::cpu());
  const std::vector<float> values{-3, -0.5f, 0.25f, 7};
  const Results r = step({{"x", values}});
  bool right = g.ir().find("softsign(%x)") != std::string::npos;
  for (size_t i = 0; i < values.size(); ++i) {
    const float d = 1 + std::fabs(values[i]);
    right = right && std::fabs(r["y"].values<float>()[i] - values[i] / d) < 1e-6f &&
            std::fabs(r["dx"].values<float>()[i] - 1 / (d * d)) < 1e-6f;
  }
  std::puts(right ? "as CONTRIBUTING.md says" : "not as CONTRIBUTING.md says");
  return right ? 0 : 1;
}
