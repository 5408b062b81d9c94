// Small convolutional nets, trained on the cpu in the layouts that its library wants and by the reference in double.

#include <weft/weft.h>

#include <cmath>

#include "weft/tests/catch.h"

using namespace weft;

namespace {

using Net = std::shared_ptr<nn::Module>;

struct ConvBnRelu : nn::Module {
  ConvBnRelu(int64_t in, int64_t out, nn::ConvOptions o = {.padding = 1})
      : conv(add("conv", nn::Conv2d(in, out, 3, o))), bn(add("bn", nn::BatchNorm2d(out))) {}
  Tensor forward(Tensor x) override { return relu(bn(conv(x))); }
  nn::Conv2d conv;
  nn::BatchNorm2d bn;
};

struct Residual : nn::Module {
  ConvBnRelu a = add("a", ConvBnRelu(3, 8)), b = add("b", ConvBnRelu(8, 8)), c = add("c", ConvBnRelu(8, 16, {.stride = 2, .padding = 1}));
  nn::Conv2d skip = add("skip", nn::Conv2d(8, 16, 1, {.stride = 2}));
  nn::Linear head = add("head", nn::Linear(16, 5));
  Tensor forward(Tensor x) override {
    Tensor h = a(x);
    h = h + b(h);
    h = c(h) + skip(h);
    return head(flatten(adaptive_avg_pool2d(h, 1)));
  }
};

struct Separable : nn::Module {
  nn::Conv2d first = add("first", nn::Conv2d(3, 16, 3, {.padding = "same"}));
  nn::Conv2d depth = add("depth", nn::Conv2d(16, 16, 3, {.padding = 1, .groups = 16}));
  nn::Conv2d grouped = add("grouped", nn::Conv2d(16, 32, 3, {.dilation = 2, .groups = 2}));
  nn::Linear head = add("head", nn::Linear(32 * 4, 5));
  Tensor forward(Tensor x) override {
    return head(flatten(max_pool2d(silu(grouped(relu(depth(relu(first(x)))))), 4, {.ceil_mode = true})));
  }
};

/// Channels that no block divides, overlapping windows, and back up again.
struct HourGlass : nn::Module {
  nn::Conv2d down = add("down", nn::Conv2d(3, 6, 5, {.stride = 2, .padding = 2}));
  nn::ConvTranspose2d up = add("up", nn::ConvTranspose2d(6, 5, 3, {.stride = 2, .padding = 1, .output_padding = 1}));
  Tensor forward(Tensor x) override {
    Tensor h = max_pool2d(relu(down(x)), 3, {.stride = 1, .padding = 1});
    return mean(avg_pool2d(up(h), 3, {.stride = 2, .padding = 1, .count_include_pad = false}), {2, 3});
  }
};

/// The losses of `steps` training steps from weights that follow from the seed alone.
std::vector<double> losses(const std::function<Net()>& make, const Target& target, int steps) {
  manual_seed(7);
  const Net net = make();
  const optim::SGD sgd({.lr = 0.05, .momentum = 0.9});
  Graph graph("net");
  Tensor x = graph.input("x", f32, {4, 3, 12, 12}), y = graph.input("y", i64, {4});
  Tensor loss = graph.output("loss", cross_entropy((*net)(x), y));
  Step step = compile(training_step(graph, loss, net->parameters(), sgd), target);
  std::vector<double> all;
  for (int i = 0; i < steps; ++i) {
    std::vector<float> images(4 * 3 * 12 * 12);
    for (size_t e = 0; e < images.size(); ++e) images[e] = static_cast<float>(std::sin(0.7 * static_cast<double>(e * e % 1013) + i));
    const std::vector<int64_t> labels{i % 5, 1, 2, (i + 3) % 5};
    all.push_back(step({{"x", images}, {"y", labels}})["loss"].item());
  }
  return all;
}

void check_against_reference(const std::function<Net()>& make) {
  const auto want = losses(make, Target::from_name("reference"), 6), got = losses(make, Target::cpu({.threads = 2, .share_all = true}), 6);
  for (size_t i = 0; i < want.size(); ++i) {
    INFO("step " << i << ": " << got[i] << ", should be " << want[i]);
    CHECK(std::fabs(got[i] - want[i]) <= 2e-5 * std::fabs(want[i]));
  }
  CHECK(losses(make, Target::cpu({.threads = 1}), 6) == got);  // bit for bit
}

}  // namespace

TEST_CASE("a residual net with batch norm trains as the reference does", "[convolution]") {
  check_against_reference([] { return std::make_shared<Residual>(); });
}

TEST_CASE("depthwise, grouped and dilated convolutions train as the reference does", "[convolution]") {
  check_against_reference([] { return std::make_shared<Separable>(); });
}

TEST_CASE("transposed convolutions and overlapping windows train as the reference does", "[convolution]") {
  check_against_reference([] { return std::make_shared<HourGlass>(); });
}

TEST_CASE("between convolutions of whole blocks nothing is reordered", "[convolution]") {
  manual_seed(1);
  const nn::Sequential net(nn::Conv2d(16, 32, 3, {.padding = 1}), nn::ReLU(), nn::MaxPool2d(2), nn::Conv2d(32, 16, 3), nn::ReLU());
  Graph graph("net");
  Tensor x = graph.input("x", f32, {8, 16, 16, 16});
  graph.output("y", sum(Tensor(nn::Sequential(net)(x))));
  const std::string text = compile(graph, Target::cpu({.strict = true})).ir("fuse");
  // The input and the two weights are reordered, and nothing else.
  size_t reorders = 0;
  for (size_t at = text.find(" = transpose("); at != std::string::npos; at = text.find(" = transpose(", at + 1)) ++reorders;
  CHECK(reorders == 3);
}
