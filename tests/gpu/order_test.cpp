// What sorts runs on a GPU without a call for it: elements are ranked by counting. The CPU's elements and indices, and its gradients.

#include "weft/tests/catch.h"
#include "weft/tests/gpu/fake_cuda.h"
#include "weft/weft.h"

using namespace weft;

namespace {

void check_equal(const Array& got, const Array& want) {
  REQUIRE(got.shape() == want.shape());
  for (int64_t i = 0; i < want.shape().numel(); ++i)
    if (got.at(i) != want.at(i) && !(std::isnan(got.at(i)) && std::isnan(want.at(i))))
      FAIL_CHECK("element " << i << " is " << got.at(i) << ", not " << want.at(i));
}

Graph orders() {
  Graph g("orders");
  const Tensor x = g.input("x", f32, {3, 21}), n = g.input("n", i64, {21, 2});
  const ValuesAndIndices all = sort(x), down = sort(n, 0, true), some = topk(x, 4), middle = median(x, 1);
  g.output("values", all.values), g.output("indices", all.indices);
  g.output("values down", down.values), g.output("indices down", down.indices);
  g.output("top", some.values), g.output("top indices", some.indices);
  g.output("median", middle.values), g.output("median index", middle.indices), g.output("median of all", median(x));
  g.output("places", searchsorted(all.values, x)), g.output("permutation", randperm(17));
  g.output("gradient", gradients(sum(all.values * x) + sum(some.values), {x})[0]);
  return g;
}

}  // namespace

TEST_CASE("gpu: what orders elements gives the CPU's elements and indices") {
  Array x(f32, {3, 21}), n(i64, {21, 2});
  for (int64_t i = 0; i < 63; ++i) x.set(i, i % 11 == 4 ? std::nan("") : static_cast<double>(7 * i % 13) - 6);
  for (int64_t i = 0; i < 42; ++i) n.set(i, static_cast<double>(5 * i % 9));
  const test::FakeCuda gpu;
  Step here = compile(orders(), Target::cpu(), {.seed = 1}), there = compile(orders(), gpu.target(), {.seed = 1});
  const Results want = here({{"x", x}, {"n", n}}), got = there({{"x", x}, {"n", n}});
  for (const char* name : {"values", "indices", "values down", "indices down", "top", "top indices", "median", "median index",
                           "median of all", "places", "permutation", "gradient"}) {
    INFO(name);
    check_equal(got[name].array(), want[name].array());
  }
}
