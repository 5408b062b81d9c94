// The two programs of the design page, run on the reference and compared with loops written by hand.

#include <algorithm>
#include <cmath>

#include "weft/tests/frontend/support.h"

using namespace weft;

namespace {

struct Net : nn::Module {
  nn::Linear fc1 = add("fc1", nn::Linear(12, 5));
  nn::Linear fc2 = add("fc2", nn::Linear(5, 3));
  Tensor forward(Tensor x) override { return fc2(relu(fc1(flatten(x)))); }
};

/// A two-layer perceptron with Adam, written as plain loops.
struct ByHand {
  std::vector<double> p, m, v;  // fc1.weight, fc1.bias, fc2.weight, fc2.bias
  int t = 0;
  double accuracy = 0;

  static constexpr int in = 12, hidden = 5, out = 3;

  explicit ByHand(Net& net) {
    for (const Parameter& parameter : net.parameters())
      for (float value : parameter.values<float>()) p.push_back(value);
    m = v = std::vector<double>(p.size(), 0);
  }

  double step(const std::vector<float>& x, const std::vector<int64_t>& y, double lr) {
    const int n = static_cast<int>(y.size());
    const double *w1 = p.data(), *b1 = w1 + hidden * in, *w2 = b1 + hidden, *b2 = w2 + out * hidden;
    std::vector<double> g(p.size(), 0);
    double *dw1 = g.data(), *db1 = dw1 + hidden * in, *dw2 = db1 + hidden, *db2 = dw2 + out * hidden;
    double loss = 0;
    accuracy = 0;
    for (int i = 0; i < n; ++i) {
      double h[hidden], z[out], dh[hidden] = {}, total = 0;
      for (int j = 0; j < hidden; ++j) {
        h[j] = b1[j];
        for (int k = 0; k < in; ++k) h[j] += x[static_cast<size_t>(i * in + k)] * w1[j * in + k];
        h[j] = std::max(h[j], 0.0);
      }
      for (int j = 0; j < out; ++j) {
        z[j] = b2[j];
        for (int k = 0; k < hidden; ++k) z[j] += h[k] * w2[j * hidden + k];
        total += std::exp(z[j]);
      }
      const int64_t label = y[static_cast<size_t>(i)];
      accuracy += (std::max_element(z, z + out) - z == label) / static_cast<double>(n);
      loss += (std::log(total) - z[label]) / n;
      for (int j = 0; j < out; ++j) {
        const double dz = (std::exp(z[j]) / total - (j == label)) / n;
        db2[j] += dz;
        for (int k = 0; k < hidden; ++k) {
          dw2[j * hidden + k] += dz * h[k];
          dh[k] += dz * w2[j * hidden + k];
        }
      }
      for (int j = 0; j < hidden; ++j) {
        if (h[j] <= 0) continue;
        db1[j] += dh[j];
        for (int k = 0; k < in; ++k) dw1[j * in + k] += dh[j] * x[static_cast<size_t>(i * in + k)];
      }
    }
    ++t;
    for (size_t i = 0; i < p.size(); ++i) {
      m[i] = 0.9 * m[i] + 0.1 * g[i];
      v[i] = 0.999 * v[i] + 0.001 * g[i] * g[i];
      p[i] -= lr * (m[i] / (1 - std::pow(0.9, t))) / (std::sqrt(v[i] / (1 - std::pow(0.999, t))) + 1e-8);
    }
    return loss;
  }
};

}  // namespace

TEST_CASE("a classifier trains as plain loops do") {
  manual_seed(3);
  Net net;
  ByHand by_hand(net);
  optim::Adam adam({.lr = 1e-2});

  Graph graph("mlp");
  Tensor x = graph.input("x", f32, {4, 1, 3, 4});
  Tensor y = graph.input("y", i64, {4});
  Tensor logits = net.forward(x);
  Tensor loss = graph.output("loss", cross_entropy(logits, y));
  graph.output("accuracy", mean(cast(argmax(logits, 1) == y, f32)));
  Step step = compile(training_step(graph, loss, net.parameters(), adam, {.keep = {"fc1.weight.grad"}}), Target::reference());

  std::vector<float> images(48);
  for (size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(std::sin(static_cast<double>(i)));
  const std::vector<int64_t> labels{0, 2, 1, 2};
  for (int i = 0; i < 60; ++i) {
    if (i == 20) adam.lr = 5e-3;
    Results r = step({{"x", images}, {"y", labels}});
    CHECK(r["loss"].item() == Approx(by_hand.step(images, labels, i < 20 ? 1e-2 : 5e-3)).epsilon(2e-4));
    CHECK(r["fc1.weight.grad"].shape() == Shape{5, 12});
    CHECK(r["accuracy"].item() == Approx(by_hand.accuracy));
  }
  const std::vector<float> weight = net.fc1.weight.values<float>();
  for (size_t i = 0; i < weight.size(); ++i) CHECK(weight[i] == Approx(by_hand.p[i]).epsilon(1e-2).margin(2e-4));
  CHECK(adam.steps() == 60);
  CHECK(adam.state("fc1.weight", "exp_avg").at(3) == Approx(by_hand.m[3]).epsilon(1e-2).margin(1e-5));
}

TEST_CASE("a regression with nothing but tensors") {
  const std::vector<float> celsius{0.5f, 14.0f, 15.0f, 28.0f, 11.0f, 8.0f, 3.0f, -4.0f, 6.0f, 13.0f, 21.0f};
  std::vector<float> unknown{35.7f, 55.9f, 58.2f, 81.9f, 56.3f, 48.9f, 33.9f, 21.8f, 48.4f, 60.4f, 68.4f};
  for (float& u : unknown) u *= 0.1f;

  Parameter w("w", {1.0f}), b("b", {0.0f});
  Graph g("line");
  Tensor t_u = g.input("t_u", f32, {11}), t_c = g.input("t_c", f32, {11});
  Tensor loss = g.output("loss", mean(pow(w * t_u + b - t_c, 2)));
  auto [dw, db] = gradients<2>(loss, {w, b});
  g.update(w, w - 1e-2 * dw);
  g.update(b, b - 1e-2 * db);
  Step step = compile(g, Target::reference());

  double hand_w = 1, hand_b = 0;
  for (int i = 0; i < 200; ++i) {
    double hand_loss = 0, gw = 0, gb = 0;
    for (size_t k = 0; k < celsius.size(); ++k) {
      const double error = hand_w * unknown[k] + hand_b - celsius[k];
      hand_loss += error * error / 11;
      gw += 2 * error * unknown[k] / 11;
      gb += 2 * error / 11;
    }
    Results r = step({{"t_u", unknown}, {"t_c", celsius}});
    CHECK(r["loss"].item() == Approx(hand_loss).epsilon(1e-4));
    hand_w -= 1e-2 * gw;
    hand_b -= 1e-2 * gb;
    CHECK(w.values<float>()[0] == Approx(hand_w).epsilon(1e-4));
    CHECK(b.values<float>()[0] == Approx(hand_b).epsilon(1e-4));
  }
}
