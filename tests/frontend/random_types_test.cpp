// Random numbers of every floating type: where they lie, and that kernels and the reference draw the same.

#include <algorithm>

#include "weft/tests/frontend/support.h"

using namespace weft;

namespace {

constexpr int64_t count = 1 << 16;

/// What a program of one output draws.
std::vector<double> drawn(Tensor (*draw)(DType), DType dtype, const Target& target) {
  Graph g("g");
  g.output("r", draw(dtype));
  Step step = compile(g, target, {.seed = 1});  // the same for every graph of the name
  const Array r = step()["r"].array();
  std::vector<double> all;
  for (int64_t i = 0; i < r.shape().numel(); ++i) all.push_back(r.at(i));
  return all;
}

Tensor uniform(DType t) { return random_uniform({count}, t); }
Tensor normal(DType t) { return random_normal({count}, t); }

}  // namespace

TEST_CASE("uniform numbers are below 1 in every type, and equal in kernels and the reference") {
  for (const DType t : {f32, f16, bf16, f64}) {
    INFO(name_of(t));
    const std::vector<double> all = drawn(uniform, t, Target::cpu());
    CHECK(*std::min_element(all.begin(), all.end()) >= 0);
    CHECK(*std::max_element(all.begin(), all.end()) < 1);
    const double parts = t == bf16 ? 256 : t == f16 ? 2048 : 0x1p24;
    CHECK(std::all_of(all.begin(), all.end(), [&](double u) { return u * parts == std::floor(u * parts); }));
    double sum = 0;
    for (double u : all) sum += u;
    CHECK(sum / count == Approx(0.5 - 0.5 / parts).margin(0.01));
    CHECK(all == drawn(uniform, t, Target::reference()));
  }
}

TEST_CASE("normal numbers are finite in every type, and bf16 reaches as far as f32") {
  for (const DType t : {f32, f16, bf16, f64}) {
    INFO(name_of(t));
    const std::vector<double> all = drawn(normal, t, Target::cpu());
    double sum = 0, squares = 0, largest = 0;
    for (double x : all) sum += x, squares += x * x, largest = std::max(largest, std::fabs(x));
    CHECK(std::isfinite(squares));
    CHECK(sum / count == Approx(0).margin(0.02));
    CHECK(squares / count == Approx(1).margin(0.03));
    CHECK((largest > 3.6 && largest < 6));  // of uniforms of 8 bits none would be beyond 3.4
  }
}

TEST_CASE("dropout in bf16 keeps all at rate 0, none at rate 1, and scales what it keeps") {
  for (const double p : {0.0, 0.5, 1.0}) {
    Graph g("g");
    g.output("y", dropout(ones({1000}, bf16), p));
    Step step = compile(g, Target::cpu());
    const Array y = step()["y"].array();
    int64_t kept = 0;
    for (int64_t i = 0; i < 1000; ++i) {
      CHECK((y.at(i) == 0 || y.at(i) == 1 / (1 - p)));
      kept += y.at(i) != 0;
    }
    CHECK(static_cast<double>(kept) == Approx(1000 * (1 - p)).margin(p == 0.5 ? 80 : 0));
  }
}
