// weft's side of the training-step benchmark; torch_peer.py says what the cases and the protocol are.

#include <fmt/format.h>
#include <weft/weft.h>

#include <chrono>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>
#include <sstream>

#include "weft/runtime/metrics.h"

using namespace weft;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

namespace {

struct Case {
  std::vector<Parameter> parameters;
  optim::SGD sgd;
  Step step;
  std::vector<std::vector<float>> inputs;
  std::vector<std::vector<int64_t>> labels;
  std::vector<float> targets;
};

Case temperature(int threads) {
  Parameter w("w", {1.0}), b("b", {0.0});
  optim::SGD sgd({.lr = 1e-2});
  Graph g("temperature");
  Tensor u = g.input("x", f32, {11}), c = g.input("y", f32, {11});
  Tensor loss = g.output("loss", mse_loss(w * u + b, c));
  Step step = compile(training_step(g, loss, {w, b}, sgd), Target::cpu({.threads = threads}));
  return {{w, b}, sgd, step,
          {{3.57f, 5.59f, 5.82f, 8.19f, 5.63f, 4.89f, 3.39f, 2.18f, 4.84f, 6.04f, 6.84f}}, {},
          {0.5f, 14, 15, 28, 11, 8, 3, -4, 6, 13, 21}};
}

Case mlp(int threads) {
  manual_seed(0);
  nn::Sequential net(nn::Linear(784, 512), nn::ReLU(), nn::Linear(512, 512), nn::ReLU(), nn::Linear(512, 10));
  optim::SGD sgd({.lr = 1e-3});
  Graph g("mlp");
  Tensor x = g.input("x", f32, {64, 784}), y = g.input("y", i64, {64});
  Tensor loss = g.output("loss", cross_entropy(net.forward(x), y));
  Case c{net.parameters(), sgd, compile(training_step(g, loss, net.parameters(), sgd), Target::cpu({.threads = threads})), {}, {}, {}};
  std::mt19937 random(1);
  for (int batch = 0; batch < 16; ++batch) {
    std::vector<float> images(64 * 784);
    std::vector<int64_t> classes(64);
    for (float& p : images) p = static_cast<float>(random() % 256) / 255.0f;
    for (int64_t& k : classes) k = random() % 10;
    c.inputs.push_back(std::move(images));
    c.labels.push_back(std::move(classes));
  }
  return c;
}

double run_once(Case& c, size_t batch) {
  const auto start = Clock::now();
  const size_t i = batch % c.inputs.size();
  if (c.labels.empty()) c.step({{"x", c.inputs[i]}, {"y", c.targets}});
  else c.step({{"x", c.inputs[i]}, {"y", c.labels[i]}});
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

Json measure(Case& c, double seconds) {
  size_t batch = 0;
  const auto run_for = [&](double limit, std::vector<double>* times) {
    const auto end = Clock::now() + std::chrono::duration<double>(limit);
    while (Clock::now() < end) {
      const double us = run_once(c, batch++);
      if (times) times->push_back(us);
    }
  };
  run_for(0.05, nullptr);  // caches, and threads that slept while another peer ran
  std::vector<double> times;
  run_for(seconds, &times);
  return {{"steps", times.size()}, {"median_us", median(times)}, {"compile_ms", c.step.compile_milliseconds()},
          {"planned_bytes", c.step.arena_bytes()}, {"calls", c.step.calls().size()}};
}

}  // namespace

int main(int argc, char** argv) {
  const int threads = argc > 1 ? std::atoi(argv[1]) : 2;
  std::map<std::string, Case> cases;
  fmt::print("{}\n", Json({{"peer", "weft"}, {"threads", threads}, {"modes", {"compiled"}}, {"cases", {"temperature", "mlp"}}}).dump());
  std::fflush(stdout);
  for (std::string line; std::getline(std::cin, line) && line != "QUIT";) {
    std::istringstream words(line);
    std::string run, mode, name;
    double seconds = 0;
    words >> run >> seconds >> mode >> name;
    if (!cases.contains(name)) cases.emplace(name, name == "mlp" ? mlp(threads) : temperature(threads));
    Json answer = measure(cases.at(name), seconds);
    answer["mode"] = mode, answer["case"] = name;
    fmt::print("{}\n", answer.dump());
    std::fflush(stdout);
  }
}
