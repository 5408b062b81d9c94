// A factor of a product, wherever compilation may move it: what is finite stays finite, what is not zero does not become zero.

#include "weft/tests/frontend/support.h"

using namespace weft;

namespace {

struct Row {
  float a, b;
  double s;  // a b and a b s are moderate, but s a is infinite or zero
};
const Row rows[] = {{1e10f, 1e-20f, 1e30}, {1e-20f, 1e20f, 1e-30}, {1e30f, 1e-30f, -1e20}, {1e-37f, 1e37f, 0x1p-100}, {3e38f, 1e-37f, 2}};

/// s times each product that is linear in two factors, s behind and in front, as a number and as what is fed.
std::vector<std::pair<std::string, Tensor>> products(const Tensor& a, const Tensor& b, const Arg& s) {
  const Tensor images = reshape(slice(a, 0, 0, 9), {1, 1, 6, 6}), kernels = reshape(slice(b, 1, 0, 9), {4, 1, 3, 3});
  const Tensor w = slice(matmul(a, b), 0, 0, 8);
  return {{"behind", matmul(a, b) * s},
          {"in front", s * matmul(a, b)},
          {"subtracted", w - s * slice(matmul(a, b), 0, 0, 8)},
          {"negated", -(matmul(a, b) * s)},
          {"convolution", conv2d(images, kernels) * s},
          {"divided", matmul(a, b) / (1.0 / s)}};
}

}  // namespace

TEST_CASE("a factor is not moved where it would overflow or underflow") {
  for (const Row& row : rows)
    for (const bool fed : {false, true}) {
      INFO(row.a << " " << row.b << " " << row.s << (fed ? " fed" : ""));
      const auto outputs = [&](const Target& target) {
        Graph g("g");
        Tensor a = g.input("a", f32, {64, 4}), b = g.input("b", f32, {4, 64}), s = g.input("s", f32, {});
        std::vector<std::string> names;
        for (const auto& [name, y] : products(a, b, fed ? Arg(s) : Arg(row.s))) g.output(name, y), names.push_back(name);
        g.output("s used", s + 1);
        Step step = compile(g, target);
        Results r = step({{"a", std::vector<float>(256, row.a)},
                          {"b", std::vector<float>(256, row.b)},
                          {"s", std::vector<float>{static_cast<float>(row.s)}}});
        std::vector<std::pair<std::string, double>> all;
        for (const std::string& name : names) all.emplace_back(name, r[name].array().at(0));
        return all;
      };
      const auto got = outputs(Target::cpu()), want = outputs(Target::reference());
      for (size_t i = 0; i < want.size(); ++i) {
        INFO(want[i].first);
        CHECK(std::isfinite(want[i].second));
        CHECK(got[i].second == Approx(want[i].second).epsilon(1e-5));
      }
    }
}
