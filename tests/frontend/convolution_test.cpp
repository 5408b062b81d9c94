// Convolutions and pooling: what is asked of them wrongly. Their values are PyTorch's: layers_test.cpp.

#include "weft/tests/frontend/support.h"

using namespace weft;
using testing::line;

namespace {

/// A graph to record into, with an input of each number of axes.
struct Fixture {
  Graph g{"bad"};
  Tensor x = g.input("x", f32, {2, 4, 5, 6}), row = g.input("row", f32, {2, 4, 5}), flat = g.input("flat", f32, {2, 20});
};

}  // namespace

TEST_CASE_METHOD(Fixture, "a convolution's kernel must fit into x") {
  nn::Conv2d wide(4, 3, {3, 7}), dilated(4, 3, 3, {.dilation = {1, 3}}), padded(4, 3, {3, 7}, {.padding = {0, 1}});
  CHECK_THROWS_WITH(wide(x), contains_text("the kernel of 7 does not fit into 6 with padding 0 and 0") && contains_text("at " + line()));
  CHECK_THROWS_WITH(dilated(x), contains_text("the kernel of 3 does not fit into 6 with padding 0 and 0") && contains_text("at " + line()));
  CHECK(padded(x).shape() == Shape{2, 3, 3, 2});
  CHECK_THROWS_WITH(nn::Conv1d(4, 3, 6)(row), contains_text("the kernel of 6 does not fit into 5") && contains_text("at " + line()));
}

TEST_CASE_METHOD(Fixture, "a convolution's operands must belong together") {
  nn::Conv2d three(3, 2, 3), two_groups(6, 2, 3, {.groups = 2});
  CHECK_THROWS_WITH(three(x), contains_text("x must have groups * the weight's input channels, 3; given") &&
                                  contains_text("f32[2,4,5,6]") && contains_text("at " + line()));
  CHECK_THROWS_WITH(two_groups(x), contains_text("x must have groups * the weight's input channels, 6"));
  CHECK_THROWS_WITH(nn::ConvTranspose2d(3, 2, 3)(x),
                    contains_text("conv_transpose2d: x must have the weight's input channels, 3; given") && contains_text("at " + line()));
  CHECK_THROWS_WITH(nn::Conv2d(4, 2, 3)(flat),
                    contains_text("conv2d: x must be [n, channels, 2 spatial axes] or [channels, 2 spatial axes]; given") &&
                        contains_text("at " + line()));
  CHECK_THROWS_WITH(conv2d(x, Parameter("w", Array(f32, {2, 4, 3}))),
                    contains_text("the weight of conv2d must be [out, in / groups, 2 kernel axes]"));
  CHECK_THROWS_WITH(conv2d(x, Parameter("w", Array(f32, {2, 4, 3, 3})), Parameter("b", Array(f32, {4}))),
                    contains_text("the bias must be [out]"));
  CHECK_THROWS_WITH(conv2d(x, Parameter("w", Array(f64, {2, 4, 3, 3}))), contains_text("the operands must have equal element types"));
}

TEST_CASE_METHOD(Fixture, "groups must divide a convolution's channels") {
  CHECK_THROWS_WITH(nn::Conv2d(4, 6, 3, {.groups = 3}),
                    contains_text("nn::Conv2d: channels must be positive and groups must divide them: 4 channels, 3 groups, at " + line()));
  CHECK_THROWS_WITH(nn::Conv1d(6, 4, 3, {.groups = 3}),
                    contains_text("nn::Conv1d: ") && contains_text("4 channels, 3 groups, at " + line()));
  CHECK_THROWS_WITH(nn::ConvTranspose2d(4, 6, 3, {.groups = 0}),
                    contains_text("nn::ConvTranspose2d: groups must be positive, not 0, at " + line()));
  CHECK_THROWS_WITH(nn::Conv2d(0, 6, 3), contains_text("0 channels, 1 groups, at " + line()));
  CHECK_THROWS_WITH(conv2d(x, Parameter("w", Array(f32, {3, 2, 3, 3})), {.groups = 2}),
                    contains_text("groups must divide the output channels") && contains_text("at " + line()));
}

TEST_CASE_METHOD(Fixture, "a convolution's numbers are per axis, positive, and words are known") {
  CHECK_THROWS_WITH(nn::Conv2d(4, 2, {3, 3, 3}),
                    contains_text("nn::Conv2d: the kernel needs one number, or 2: one per spatial axis; it has 3, at " + line()));
  CHECK_THROWS_WITH(nn::Conv2d(4, 2, {3, 0}), contains_text("nn::Conv2d: the kernel's extents must be positive, not 0, at " + line()));
  nn::Conv2d strides(4, 2, 3, {.stride = {1, 2, 3}}), still(4, 2, 3, {.stride = 0}), negative(4, 2, 3, {.padding = -1});
  CHECK_THROWS_WITH(strides(x),
                    contains_text("stride needs one number, or 2: one per spatial axis; it has 3; given") && contains_text("at " + line()));
  CHECK_THROWS_WITH(still(x), contains_text("stride and dilation must be positive") && contains_text("at " + line()));
  CHECK_THROWS_WITH(negative(x), contains_text("padding must not be negative") && contains_text("at " + line()));
  CHECK_THROWS_WITH(nn::Conv2d(4, 2, 3, {.padding = "full"}),
                    contains_text("the padding is numbers, \"same\" or \"valid\", not \"full\", at " + line()));
}

TEST_CASE_METHOD(Fixture, "padding \"same\" needs stride 1") {
  nn::Conv2d down(4, 2, 3, {.stride = 2, .padding = "same"}), one_axis(4, 2, 3, {.stride = {1, 2}, .padding = "same"});
  CHECK_THROWS_WITH(down(x), contains_text("conv2d: padding \"same\" needs stride 1; given") && contains_text("at " + line()));
  CHECK_THROWS_WITH(one_axis(x), contains_text("padding \"same\" needs stride 1"));
  CHECK(nn::Conv2d(4, 2, 3, {.padding = "same"})(x).shape() == Shape{2, 2, 5, 6});
}

TEST_CASE_METHOD(Fixture, "a transposed convolution's output_padding is smaller than its stride or dilation") {
  nn::ConvTranspose2d plain(4, 2, 3, {.output_padding = 1}), padded(4, 2, 3, {.padding = 9});
  CHECK_THROWS_WITH(conv_transpose2d(x, Parameter("w", Array(f32, {4, 2, 3, 3})), {.groups = 3}),
                    contains_text("conv_transpose2d: groups must be positive and divide the weight's input channels, 4; given") &&
                        contains_text("at " + line()));
  CHECK_THROWS_WITH(plain(x), contains_text("conv_transpose2d: output_padding must be smaller than stride or dilation; given") &&
                                  contains_text("at " + line()));
  CHECK_THROWS_WITH(padded(x),
                    contains_text("conv_transpose2d: the padding leaves nothing of the result; given") && contains_text("at " + line()));
}

TEST_CASE_METHOD(Fixture, "a transposed convolution with an empty result is refused where it is recorded") {
  nn::ConvTranspose2d point(4, 2, 1, {.padding = {0, 3}}), all(4, 2, 3, {.padding = {3, 4}}), one(4, 2, 1, {.padding = {2, 0}});
  for (nn::ConvTranspose2d* layer : {&point, &all})
    CHECK_THROWS_WITH((*layer)(x),
                      contains_text("conv_transpose2d: the padding leaves nothing of the result; given") && contains_text("at " + line()));
  CHECK(one(x).shape() == Shape{2, 2, 1, 6});
  CHECK_THROWS_WITH(
      nn::ConvTranspose2d(4, 2, 2)(g.input("flat_x", f32, {2, 4, 0, 6})),
      contains_text("conv_transpose2d: the spatial extents of x and of the weight must be positive") && contains_text("at " + line()));
  nn::ConvTranspose2d wide(4, 2, 2, {.stride = int64_t{1} << 62, .padding = 1}), padded(4, 2, 2, {.padding = int64_t{1} << 62});
  CHECK_THROWS_WITH(wide(x), contains_text("4611686018427387904 is too large for a stride, a padding or a dilation: 2^30 is the most") &&
                                 contains_text("at " + line()));
  CHECK_THROWS_WITH(
      padded(x), contains_text("4611686018427387904 is too large for a stride, a padding or a dilation") && contains_text("at " + line()));
  CHECK(nn::ConvTranspose2d(4, 2, 2)(g.input("none", f32, {0, 4, 3, 3})).shape() == Shape{0, 2, 4, 4});
}

TEST_CASE_METHOD(Fixture, "under ceil_mode a window wider than the padded axis needs less than a step more") {
  const Tensor narrow = g.input("narrow", f32, {2, 4, 1, 8});
  CHECK(max_pool2d(narrow, {4, 1}, {.stride = {2, 1}, .padding = {1, 0}, .ceil_mode = true}).shape() == Shape{2, 4, 1, 8});
  CHECK(avg_pool2d(narrow, {3, 1}, {.stride = {3, 1}, .ceil_mode = true}).shape() == Shape{2, 4, 1, 8});
  CHECK(max_pool2d(narrow, {2, 1}, {.stride = {2, 1}, .padding = {1, 0}, .dilation = {3, 1}, .ceil_mode = true}).shape() ==
        Shape{2, 4, 1, 8});
  for (const bool ceil_mode : {false, true}) {
    CHECK_THROWS_WITH(max_pool2d(narrow, {4, 1}, {.stride = {2, 1}, .ceil_mode = ceil_mode}),
                      contains_text("a window does not fit into the axis") && contains_text("at " + line()));
    CHECK_THROWS_WITH(avg_pool2d(narrow, {3, 1}, {.stride = {1, 1}, .ceil_mode = ceil_mode}),
                      contains_text("a window does not fit into the axis") && contains_text("at " + line()));
  }
  CHECK_THROWS_WITH(max_pool2d(narrow, {4, 1}, {.stride = {2, 1}, .padding = {1, 0}}),
                    contains_text("a window does not fit into the axis"));
  CHECK_THROWS_WITH(max_pool2d(g.input("empty", f32, {2, 4, 0, 8}), 3, {.padding = 1}),
                    contains_text("max_pool2d: the spatial extents of x must be positive") && contains_text("at " + line()));
}

TEST_CASE_METHOD(Fixture, "pooling pads by at most half its kernel, and its windows fit") {
  nn::MaxPool2d much(3, {.padding = 2}), high({6, 1});
  CHECK_THROWS_WITH(much(x), contains_text("max_pool2d: the padding must not be negative nor more than half the kernel; given") &&
                                 contains_text("at " + line()));
  CHECK_THROWS_WITH(
      nn::AvgPool2d(2, {.padding = {0, 2}})(x),
      contains_text("avg_pool2d: the padding must not be negative nor more than half the kernel") && contains_text("at " + line()));
  CHECK_THROWS_WITH(high(x), contains_text("a window does not fit into the axis") && contains_text("at " + line()));
  CHECK_THROWS_WITH(nn::AvgPool2d(7)(x), contains_text("a window does not fit into the axis") && contains_text("at " + line()));
  CHECK_THROWS_WITH(nn::MaxPool2d(2, {.stride = 0})(x), contains_text("kernel, stride and dilation must be positive"));
  CHECK_THROWS_WITH(nn::MaxPool2d(2)(flat),
                    contains_text("max_pool2d: x must be [n, channels, 2 spatial axes] or [channels, 2 spatial axes]; given"));
  CHECK_THROWS_WITH(
      nn::AdaptiveAvgPool2d({2, -2})(x),
      contains_text("adaptive_avg_pool2d: the extents must not be negative, but for a -1 for x's own") && contains_text("at " + line()));
}

TEST_CASE("Dropout2d drops whole channels") {
  constexpr int64_t n = 50, channels = 40, area = 6;
  const std::vector<float> input(n * channels * area, 1.5f);
  nn::Dropout2d drop(0.25);
  const auto record = [&](const Target& target) {
    Graph g("drop");
    g.output("y", drop(g.input("x", f32, {n, channels, 2, 3})));
    return compile(g, target);
  };
  /// The share of channels that are 0; all others must be `kept` everywhere.
  const auto dropped = [&](std::span<const float> y, float kept) {
    int64_t count = 0;
    for (size_t i = 0; i < y.size(); i += area) {
      REQUIRE((y[i] == 0 || y[i] == Approx(kept)));
      for (size_t j = 1; j < area; ++j) REQUIRE(y[i + j] == y[i]);
      count += y[i] == 0;
    }
    return static_cast<double>(count) / (n * channels);
  };
  for (const Target& target : {Target::reference(), Target::cpu()}) {
    drop.train();
    drop.p = 0.25;
    Step step = record(target);
    const auto run = [&] {
      const auto y = step({{"x", input}})["y"].values<float>();
      return std::vector<float>(y.begin(), y.end());
    };
    const std::vector<float> first = run(), second = run();
    CHECK(std::abs(dropped(first, 2) - 0.25) < 0.04);  // four standard deviations
    CHECK(std::abs(dropped(second, 2) - 0.25) < 0.04);
    CHECK(first != second);
    drop.p = 0.8;
    CHECK(std::abs(dropped(run(), 7.5) - 0.8) < 0.04);
    drop.p = 1;
    CHECK(dropped(run(), 0) == 1);
    drop.p = 0;
    CHECK(run() == input);
    drop.eval();
    step = record(target);
    drop.p = 0.5;
    CHECK(run() == input);
  }
}

TEST_CASE_METHOD(Fixture, "Dropout2d takes four axes") {
  CHECK_THROWS_WITH(nn::Dropout2d()(row), contains_text("nn::Dropout2d: x must be [n, channels, height, width]; given (f32[2,4,5])") &&
                                              contains_text("at " + line()));
}
