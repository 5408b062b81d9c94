// Windows of values: a sum of padded values is joined from their pieces, a slice of what was joined is read from its piece,
// and every bit is as it was.

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "weft/backends/reference/reference.h"
#include "weft/ir/builder.h"
#include "weft/passes/pass.h"
#include "weft/passes/simplify.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;
using ir::Builder;
using ir::Value;
using reference::Tensor;

namespace {

class Draw {
 public:
  explicit Draw(uint64_t seed) : state_(seed * 77 + 5) {}
  int64_t operator()(int64_t below) {
    state_ = state_ * 6364136223846793005u + 1442695040888963407u;
    return static_cast<int64_t>(state_ >> 33) % below;
  }

 private:
  uint64_t state_;
};

/// Many of them zeros of either sign, for these show where a zero more is added.
Tensor values(const ir::Type& type, Draw& draw) {
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const double reals[] = {-0.0, -0.0, -0.0, 0.0, 1.5, 0x1p-130, -3.0, 7.25, nan, inf, -inf, 0x1p60, 1.0, -1.0};
  Tensor t(type);
  for (double& x : t.real) x = reals[draw(std::size(reals))];
  for (int64_t& x : t.integer) x = draw(200) - 100;
  return t;
}

uint64_t bits(double x) { return std::isnan(x) ? 0x7ff8000000000000 : std::bit_cast<uint64_t>(x); }

void check_same(const ir::Module& before, const ir::Module& after, Draw& draw) {
  std::vector<Tensor> inputs;
  for (const ir::Input& input : before.graph().inputs()) inputs.push_back(values(input.node->type, draw));
  const auto a = reference::evaluate(before.graph(), inputs), b = reference::evaluate(after.graph(), inputs);
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    REQUIRE(a[i].integer == b[i].integer);
    for (size_t k = 0; k < a[i].real.size(); ++k) {
      INFO("output " << i << ", element " << k << ": " << a[i].real[k] << " and " << b[i].real[k]);
      REQUIRE(bits(a[i].real[k]) == bits(b[i].real[k]));
    }
  }
}

ir::Module simplified(const ir::Module& module) {
  ir::Module copy = module.clone();
  passes::simplify(copy);
  return copy;
}

/// The gradient of the sum of slices' squares: x[r] for every range along `axis` of f32[extents].
ir::Module gradient_of_slices(const Dims& extents, int axis, const std::vector<std::pair<int64_t, int64_t>>& ranges,
                              bool whole_too = false) {
  ir::Module m("slices");
  Builder b(m.graph());
  const Value x = m.graph().add_input("x", {f32, Shape(extents)}, ir::Role::parameter);
  std::vector<Value> terms;
  if (whole_too) terms.push_back(x);
  for (const auto& [begin, end] : ranges) {
    Dims start(extents.size(), 0), stop = extents;
    start[static_cast<size_t>(axis)] = begin, stop[static_cast<size_t>(axis)] = end;
    terms.push_back(b("slice", {x}, {{"start", start}, {"end", stop}}));
  }
  Value loss;
  for (Value v : terms) {
    Dims axes;
    for (int d = 0; d < v.shape().rank(); ++d) axes.push_back(d);
    const Value sum = b.sum(b("mul", {v, b("exp", {v})}), axes);
    loss = loss ? b("add", {loss, sum}) : sum;
  }
  m.graph().add_output({"loss", loss, {}, {}});
  m.train = ir::TrainSpec{.loss = "loss", .inputs = {"x"}, .optimizer = "sgd"};
  passes::run(m, {"autodiff", "decompose"}, passes::generic_target());
  return m;
}

std::vector<std::pair<int64_t, int64_t>> steps(int64_t count, int64_t length, int64_t stride) {
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (int64_t t = 0; t < count; ++t) ranges.emplace_back(t * stride, t * stride + length);
  return ranges;
}

}  // namespace

TEST_CASE("windows: the gradient of slices that share nothing is one concatenation", "[passes][windows]") {
  for (int axis : {0, 1, 2}) {
    Dims extents{3, 4, 2};
    extents[static_cast<size_t>(axis)] = 12;
    const ir::Module m = gradient_of_slices(extents, axis, steps(12, 1, 1)), s = simplified(m);
    CHECK(count_ops(m, "pad") == 12);
    CHECK(count_ops(s, "pad") == 0);
    CHECK(count_ops(s, "concat") == 1);
    Draw draw(static_cast<uint64_t>(axis));
    check_same(m, s, draw);
  }
}

TEST_CASE("windows: gaps are zeros, and what overlaps is added", "[passes][windows]") {
  struct Case {
    std::vector<std::pair<int64_t, int64_t>> ranges;
    bool whole_too, joins;
  };
  std::vector<std::pair<int64_t, int64_t>> prefixes;
  for (int64_t t = 1; t <= 40; ++t) prefixes.emplace_back(0, t);
  for (const Case& c : {Case{steps(5, 3, 7), false, true}, Case{steps(20, 2, 1), false, true}, Case{steps(20, 3, 1), false, true},
                        Case{steps(12, 2, 3), true, true}, Case{steps(20, 2, 1), true, true}, Case{prefixes, false, false}}) {
    const ir::Module m = gradient_of_slices({40, 3}, 0, c.ranges, c.whole_too), s = simplified(m);
    CHECK(count_ops(s, "pad") == (c.joins ? 0 : count_ops(m, "pad")));
    CHECK(s.graph().ops().size() < 16 * m.graph().ops().size());
    Draw draw(3);
    check_same(m, s, draw);
  }
}

TEST_CASE("windows: sums of random pads keep every bit", "[passes][windows]") {
  int joined = 0;
  for (uint64_t seed = 0; seed < 400; ++seed) {
    INFO("seed " << seed);
    Draw draw(seed);
    const DType dtype = std::vector{f32, f64, bf16, i64}[static_cast<size_t>(draw(4))];
    ir::Module m("pads");
    Builder b(m.graph());
    Dims whole;
    for (int64_t rank = 1 + draw(3); rank > 0; --rank) whole.push_back(1 + draw(5));
    Value sum;
    const int64_t count = 2 + draw(14);
    for (int64_t i = 0; i < count; ++i) {
      Dims extents, low, high;
      for (int64_t extent : whole) {
        low.push_back(draw(extent + 1));
        extents.push_back(draw(3) ? std::min<int64_t>(1, extent - low.back()) : draw(extent - low.back() + 1));
        high.push_back(extent - low.back() - extents.back());
      }
      Value term = m.graph().add_input("x" + std::to_string(i), {dtype, Shape(draw(9) ? extents : whole)});
      if (term.shape().dims() == extents) term = b("pad", {term}, {{"low", low}, {"high", high}, {"value", draw(12) ? 0.0 : -0.0}});
      sum = !sum ? term : draw(4) ? b("add", {sum, term}) : b("add", {term, sum});
      if (draw(20) == 0) m.graph().add_output({"y" + std::to_string(i), sum, {}, {}});
    }
    m.graph().add_output({"y", sum, {}, {}});
    const ir::Module s = simplified(m);
    joined += count_ops(s, "concat") > 0;
    check_same(m, s, draw);
  }
  CHECK(joined > 40);
}

TEST_CASE("windows: slices of slices, pads and concatenations keep every bit", "[passes][windows]") {
  int64_t before = 0, after = 0;
  for (uint64_t seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    Draw draw(seed);
    ir::Module m("windows");
    Builder b(m.graph());
    Value v = m.graph().add_input("x", {f32, {4, 5}});
    for (int64_t k = 2 + draw(5); k > 0; --k) {
      const int rank = v.shape().rank();
      const auto axis = static_cast<size_t>(draw(rank));
      if (draw(3) == 0) {
        Dims low(static_cast<size_t>(rank), 0), high(static_cast<size_t>(rank), 0);
        low[axis] = draw(3), high[axis] = draw(3);
        v = b("pad", {v}, {{"low", low}, {"high", high}, {"value", draw(2) ? 0.0 : -0.0}});
      } else if (draw(2)) {
        std::vector<Value> parts;
        for (int64_t i = 1 + draw(3); i >= 0; --i) parts.push_back(v);
        v = b("concat", parts, {{"axis", static_cast<int64_t>(axis)}});
      } else {
        Dims start(static_cast<size_t>(rank), 0), end = v.shape().dims(), step(static_cast<size_t>(rank), 1);
        start[axis] = draw(end[axis] + 1);
        end[axis] = start[axis] + draw(end[axis] - start[axis] + 1);
        step[axis] = 1 + draw(2);
        v = b("slice", {v}, {{"start", start}, {"end", end}, {"step", step}});
      }
    }
    m.graph().add_output({"y", v, {}, {}});
    const ir::Module s = simplified(m);
    before += static_cast<int64_t>(m.graph().ops().size()), after += static_cast<int64_t>(s.graph().ops().size());
    check_same(m, s, draw);
  }
  CHECK(after < before);
}
