// weft's side of the sweep (sweep.py): sweep_peer THREADS answers the line NET WIDTH BATCH SECONDS with {"us"}: how long a training step
// takes, for the quarter of blocks of steps that were least disturbed.
//
//   mlp    64 features, WIDTH, ReLU, 10 classes
//   conv   images 8 x 8 of WIDTH channels, a 3 x 3 convolution to WIDTH, ReLU, their means, 10 classes
//
// Both by cross-entropy and SGD.

#include <weft/weft.h>

#include <algorithm>
#include <chrono>
#include <iostream>

#include "serve.h"

using namespace weft;
using benchmark::Json;

namespace {

struct Mlp : nn::Module {
  explicit Mlp(int64_t width) : hidden(add("hidden", nn::Linear(64, width))), head(add("head", nn::Linear(width, 10))) {}
  Tensor forward(Tensor x) override { return head(relu(hidden(x))); }
  nn::Linear hidden, head;
};

struct Conv : nn::Module {
  explicit Conv(int64_t width) : conv(add("conv", nn::Conv2d(width, width, 3, {.padding = 1}))), head(add("head", nn::Linear(width, 10))) {}
  Tensor forward(Tensor x) override { return head(mean(relu(conv(x)), {2, 3})); }
  nn::Conv2d conv;
  nn::Linear head;
};

double quarter_of(std::vector<double> times) {
  std::sort(times.begin(), times.end());
  return times[times.size() / 4];
}

template <class Net>
double step_us(Net net, const Shape& input, double seconds, int threads) {
  const int64_t batch = input[0];
  Graph g("sweep");
  const Tensor x = g.input("x", f32, input), y = g.input("y", i64, {batch});
  const Tensor loss = g.output("loss", cross_entropy(net(x), y));
  Step step = compile(training_step(g, loss, net.parameters(), optim::SGD({.lr = 1e-3})), Target::cpu({.threads = threads}));
  std::vector<float> images(static_cast<size_t>(input.numel()));
  for (size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i % 127) / 127 - 0.5f;
  std::vector<int64_t> classes(static_cast<size_t>(batch));
  for (size_t i = 0; i < classes.size(); ++i) classes[i] = static_cast<int64_t>(i % 10);

  using Clock = std::chrono::steady_clock;
  const auto block = [&](int steps) {
    const auto start = Clock::now();
    for (int i = 0; i < steps; ++i) step({{"x", images}, {"y", classes}});
    return std::chrono::duration<double, std::micro>(Clock::now() - start).count() / steps;
  };
  block(3);
  const int steps = std::clamp(static_cast<int>(500 / block(3)), 1, 100);  // some half a millisecond
  std::vector<double> times;
  for (const auto start = Clock::now(); times.size() < 4 || std::chrono::duration<double>(Clock::now() - start).count() < seconds;)
    times.push_back(block(steps));
  return quarter_of(std::move(times));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  const int threads = std::stoi(argv[1]);
  benchmark::serve_lines({{"peer", "weft"}, {"version", WEFT_VERSION}}, [&](std::istream& request) -> Json {
    std::string net;
    int64_t width = 0, batch = 0;
    double seconds = 0;
    if (!(request >> net >> width >> batch >> seconds)) throw std::runtime_error("a request is NET WIDTH BATCH SECONDS");
    if (net == "mlp") return {{"us", step_us(Mlp(width), {batch, 64}, seconds, threads)}};
    if (net == "conv") return {{"us", step_us(Conv(width), {batch, width, 8, 8}, seconds, threads)}};
    throw std::runtime_error("there is no net " + net);
  });
}
