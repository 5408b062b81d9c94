// Convolutions as generated kernels, of integers so small that every sum is exact: the reference's elements, whatever the order.

#include <algorithm>
#include <cmath>

#include "weft/backends/cuda/heavy.h"
#include "weft/ir/op_def.h"
#include "weft/support/layout.h"
#include "weft/support/philox.h"
#include "weft/tests/backends/cuda/heavy_run.h"
#include "weft/tests/backends/cuda/ptxas.h"
#include "weft/tests/catch.h"

using namespace weft;
using reference::Tensor;
using testing::Sample;

namespace {

/// y's extents follow.
struct Geometry {
  Shape x, w;
  int64_t groups = 1;
  Dims stride = {}, low = {}, high = {}, dilation = {};
};

/// Which tensors' channels lie last.
struct Last {
  bool x = false, w = false, y = false;
};

/// The op and its two derivatives.
std::vector<Sample> samples_of(const Geometry& g, DType t, int64_t parts = 1, const Last& last = {}) {
  const auto layout = [&](bool is_last) { return is_last ? Layout::channels_last(g.x.rank()) : Layout(); };
  const Layout of_x = layout(last.x), of_w = layout(last.w), of_y = layout(last.y);
  const ir::NamedAttributes shared{{"groups", g.groups},      {"stride", g.stride},     {"low", g.low},
                                   {"high", g.high},          {"dilation", g.dilation}, {"x_layout", of_x.text()},
                                   {"w_layout", of_w.text()}, {"y_layout", of_y.text()}};
  const auto with_extents = [&](const Shape& shape) {
    ir::NamedAttributes all = shared;
    all.emplace_back("extents", Dims(shape.begin() + 2, shape.end()));
    return all;
  };
  const ir::Type x{t, of_x.physical(g.x)}, w{t, of_w.physical(g.w)};
  Sample forward{"convolution", {x, w}, shared};
  const ir::Type y = testing::module_of(forward).graph().outputs()[0].value.type();
  Sample data{"convolution_data", {y, w}, with_extents(g.x)};
  Sample weight{"convolution_weight", {x, y}, with_extents(g.w)};
  weight.attributes.emplace_back("parts", parts);
  return {forward, data, weight};
}

std::vector<Tensor> integers_for(const Sample& sample) {
  std::vector<Tensor> all;
  for (const ir::Type& type : sample.operands) {
    Tensor& t = all.emplace_back(type);
    for (size_t e = 0; e < t.real.size(); ++e)
      t.real[e] = std::floor(uniform_from_bits(random_bits(5, static_cast<uint32_t>(all.size()), 0, e)) * 5) - 2;
  }
  return all;
}

void check_exact(const Geometry& g, DType t = f32, int64_t parts = 1, uint64_t seed = 0, const Last& last = {}) {
  for (const Sample& sample : samples_of(g, t, parts, last)) {
    INFO(testing::to_string(sample));
    const std::vector<Tensor> operands = integers_for(sample);
    const std::vector<std::byte> want = test::memory_of(reference::evaluate(testing::module_of(sample).graph(), operands)[0]);
    CHECK(test::HeavyRun(sample).bytes(operands, {.seed = seed}) == want);
  }
}

}  // namespace

TEST_CASE("convolution kernels: strides, paddings, dilations and groups", "[cuda][ptx-machine]") {
  check_exact({.x = {2, 3, 9, 10}, .w = {5, 3, 3, 3}, .low = {1, 1}, .high = {1, 1}});
  check_exact({.x = {2, 3, 9, 10}, .w = {4, 3, 3, 2}, .stride = {2, 3}, .low = {1, 0}, .high = {0, 2}}, f32, 1, 3);
  check_exact({.x = {1, 4, 11, 9}, .w = {6, 2, 3, 3}, .groups = 2, .stride = {2, 1}, .low = {2, 2}, .high = {2, 2}, .dilation = {2, 3}});
  check_exact({.x = {3, 6, 7, 7}, .w = {12, 1, 3, 3}, .groups = 6, .low = {1, 1}, .high = {1, 1}});  // depthwise
  check_exact({.x = {2, 4, 6, 6}, .w = {4, 4, 1, 1}, .stride = {2, 2}});
  check_exact({.x = {2, 2, 5, 4}, .w = {3, 2, 5, 4}});  // one position
  check_exact({.x = {1, 1, 1}, .w = {1, 1, 1}});
  check_exact({.x = {2, 3, 19}, .w = {4, 3, 4}, .stride = {3}, .low = {5}, .high = {4}, .dilation = {2}}, f32, 1, 8);
  check_exact({.x = {2, 2, 4, 5, 4}, .w = {3, 2, 2, 3, 2}, .stride = {1, 2, 1}, .low = {1, 0, 1}, .high = {0, 1, 1}});
}

TEST_CASE("convolution kernels: types, and products of several tiles", "[cuda][ptx-machine]") {
  for (const DType t : {f32, f64, f16, bf16}) check_exact({.x = {2, 5, 8, 9}, .w = {18, 5, 3, 3}, .low = {1, 1}, .high = {1, 1}}, t, 1, 2);
  check_exact({.x = {3, 20, 12, 12}, .w = {40, 20, 3, 3}, .stride = {2, 2}, .low = {1, 1}, .high = {1, 1}});
}

TEST_CASE("convolution kernels: channels that lie last", "[cuda][ptx-machine]") {
  const Geometry plain{.x = {2, 3, 7, 8}, .w = {5, 3, 3, 2}, .low = {1, 1}, .high = {1, 0}},
      grouped{.x = {2, 6, 7, 5}, .w = {8, 3, 3, 3}, .groups = 2, .stride = {2, 1}, .low = {1, 2}, .high = {1, 2}, .dilation = {1, 2}},
      depthwise{.x = {1, 6, 5, 5}, .w = {6, 1, 3, 3}, .groups = 6, .low = {1, 1}, .high = {1, 1}}, line{.x = {2, 4, 9}, .w = {3, 4, 3}},
      volume{.x = {1, 3, 4, 5, 3}, .w = {4, 3, 2, 3, 2}}, point{.x = {3, 4, 1, 1}, .w = {2, 4, 1, 1}};
  for (const Geometry& g : {plain, grouped, depthwise, line, volume, point})
    for (const DType t : {f32, bf16}) check_exact(g, t, 1, 3, {true, true, true});
  // Each on its own, and several tiles with a sum in parts.
  for (const Last& last : {Last{.x = true}, Last{.w = true}, Last{.y = true}, Last{.x = true, .y = true}})
    check_exact(grouped, bf16, 2, 4, last);
  check_exact({.x = {3, 24, 12, 12}, .w = {40, 24, 3, 3}, .stride = {2, 2}, .low = {1, 1}, .high = {1, 1}}, bf16, 1, 5, {true, true, true});
}

TEST_CASE("convolution kernels: a long sum in parts", "[cuda][ptx-machine]") {
  const Geometry g{.x = {4, 2, 24, 24}, .w = {3, 2, 3, 3}, .low = {0, 1}, .high = {0, 1}};
  const Sample weight = samples_of(g, f32, 3)[2];
  CHECK(test::HeavyRun(weight).launches().size() == 2);
  for (const DType t : {f32, bf16}) check_exact(g, t, 1, 4);
  check_exact(g, f32, 3);
}

TEST_CASE("convolution kernels: numbers of more than 32 bits", "[cuda][ptx-machine]") {
  const int64_t far = int64_t{1} << 30;
  check_exact({.x = {2, 3, 5}, .w = {4, 3, 2}, .stride = {far}, .low = {far}, .high = {far}}, f32, 2);
  const Sample forward = samples_of({.x = {2, 3, 5}, .w = {4, 3, 2}, .stride = {far}, .low = {far}, .high = {far}}, f32)[0];
  CHECK(test::HeavyRun(forward).text.find("setp.lt.u64") != std::string::npos);
}

TEST_CASE("convolution kernels: the gradient of w in parts of the batch", "[cuda][ptx-machine]") {
  for (const int64_t parts : {2, 3, 5})
    check_exact({.x = {5, 4, 5, 5}, .w = {6, 2, 3, 3}, .groups = 2, .low = {1, 1}, .high = {1, 1}}, f32, parts, 1);
}

TEST_CASE("convolution kernels: random geometries", "[cuda][ptx-machine]") {
  for (uint32_t number = 0; number < 25; ++number) {
    uint32_t draws = 0;
    const auto draw = [&](int64_t low, int64_t high) {
      return low + static_cast<int64_t>(uniform_from_bits(random_bits(17, number, 0, draws++)) * static_cast<double>(high - low + 1));
    };
    Geometry g{.x = {}, .w = {}, .groups = draw(1, 3)};
    const int64_t inner = draw(1, 4);
    Dims x{draw(1, 4), g.groups * inner}, w{g.groups * draw(1, 9), inner};
    for (int64_t d = draw(1, 3); d > 0; --d) {
      w.push_back(draw(1, 3)), g.dilation.push_back(draw(1, 3)), g.stride.push_back(draw(1, 3));
      g.low.push_back(draw(0, 4)), g.high.push_back(draw(0, 4));
      x.push_back(std::max<int64_t>(1, g.dilation.back() * (w.back() - 1) + 1 - g.low.back() - g.high.back()) + draw(0, 4));
    }
    g.x = Shape(x), g.w = Shape(w);
    check_exact(g, number % 3 == 0 ? f64 : number % 3 == 1 ? bf16 : f32, draw(1, x[0]), number);
  }
}

TEST_CASE("convolution kernels: what they do not run", "[cuda]") {
  const auto is_claimed = [](const Sample& sample) {
    const ir::Module module = testing::module_of(sample);
    const ir::Op& op = *module.graph().ops().front();
    return cuda::find_heavy(op)->claims(op);
  };
  const Geometry plain{.x = {2, 4, 5, 5}, .w = {6, 4, 3, 3}}, empty{.x = {0, 4, 5, 5}, .w = {6, 4, 3, 3}};
  for (Sample sample : samples_of(plain, f32)) {
    CHECK(is_claimed(sample));
    const std::string result = sample.op == "convolution" ? "y_layout" : sample.op == "convolution_data" ? "x_layout" : "w_layout";
    for (const auto& [layout, claimed] : {std::pair("acdb", true), std::pair("bacd", false), std::pair("aBcd2b", false)}) {
      for (auto& [name, value] : sample.attributes)
        if (name == result) value = std::string(layout);
      CHECK(is_claimed(sample) == claimed);
    }
  }
  for (const Sample& sample : samples_of(empty, f32)) CHECK(!is_claimed(sample));
}

TEST_CASE("convolution kernels: ptxas keeps all in registers", "[cuda]") {
  if (const std::string why = test::why_no_ptxas(12.0); !why.empty()) {
    WARN("skipped: " << why);
    return;
  }
  const Geometry large{.x = {32, 64, 56, 56}, .w = {128, 64, 3, 3}, .stride = {2, 2}, .low = {1, 1}, .high = {1, 1}};
  const Geometry depthwise{.x = {8, 64, 28, 28}, .w = {64, 1, 3, 3}, .groups = 64, .low = {1, 1}, .high = {1, 1}};
  const Geometry volume{
      .x = {2, 16, 17, 18, 19}, .w = {32, 8, 3, 3, 3}, .groups = 2, .low = {1, 2, 3}, .high = {1, 1, 1}, .dilation = {2, 2, 2}};
  for (const std::string arch : {"sm_80", "sm_90"}) {
    std::vector<std::string> texts;
    for (const Geometry& g : {large, depthwise, volume})
      for (const DType t : {f32, f64})
        for (const Sample& sample : samples_of(g, t)) texts.push_back(test::HeavyRun(sample, arch).text);
    for (const Sample& sample : samples_of(large, bf16, 1, {true, true, true})) texts.push_back(test::HeavyRun(sample, arch).text);
    CHECK(test::on_stack(texts, arch) == "");
  }
}
