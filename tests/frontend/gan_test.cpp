// Two nets against each other, each with an optimizer of its own, in one program: what is used while it is frozen has no gradient from
// there, and groups bring their optimizers along.

#include "weft/tests/frontend/support.h"

using namespace weft;
using weft::testing::points;

namespace {

struct Gan : nn::Module {
  nn::Sequential generator = add("generator", nn::Sequential(nn::Linear(3, 8), nn::Tanh(), nn::Linear(8, 2)));
  nn::Sequential discriminator = add("discriminator", nn::Sequential(nn::Linear(2, 8), nn::LeakyReLU(0.2), nn::Linear(8, 1)));
};

Tensor real_or_not(const Tensor& scores, bool real) {
  return binary_cross_entropy_with_logits(scores, real ? ones_like(scores) : zeros_like(scores));
}

Tensor of_discriminator(Gan& gan, const Tensor& x, const Tensor& noise) {
  return real_or_not(gan.discriminator(x), true) + real_or_not(gan.discriminator(detach(gan.generator(noise))), false);
}

/// The discriminator says what the generator's images are worth, and learns nothing from it.
Tensor of_generator(Gan& gan, const Tensor& noise) {
  gan.discriminator.requires_grad_(false);
  const Tensor loss = real_or_not(gan.discriminator(gan.generator(noise)), true);
  gan.discriminator.requires_grad_(true);
  return loss;
}

std::vector<double> weights(const nn::Module& net) {
  std::vector<double> all;
  for (const Parameter& p : net.parameters())
    for (const float w : p.values<float>()) all.push_back(w);
  return all;
}

}  // namespace

TEST_CASE("a parameter has no gradient from where it was used while it was frozen, as in torch") {
  Parameter w("w", {2.0, 3.0});
  Graph graph("uses");
  const Tensor x = graph.input("x", f32, {2});
  const Tensor trained = sum(w * x);
  w.requires_grad_(false);
  const Tensor held = sum(square(w) * 5);
  w.requires_grad_(true);
  const Tensor loss = graph.output("loss", trained + held);
  graph.output("slope", gradients<1>(loss, {w})[0]);
  optim::SGD sgd({.lr = 1});
  Step step = compile(training_step(graph, loss, {w}, sgd), Target::cpu());
  const Results r = step({{"x", std::vector<float>{1, 10}}});
  CHECK(r["loss"].item() == 2 + 30 + 5 * (4 + 9));
  CHECK(r["slope"].values<float>() == std::vector<float>{1, 10});
  CHECK(w.values<float>() == std::vector<float>{1, -7});
}

TEST_CASE("two optimizers in one step train as two steps do from the same start") {
  manual_seed(1);
  Gan both;
  Gan apart_d = nn::clone(both), apart_g = nn::clone(both);
  const auto inputs = [](Graph& graph) { return std::pair(graph.input("x", f32, {16, 2}), graph.input("noise", f32, {16, 3})); };
  const auto target = Target::cpu();
  const Dataset data = points(16);
  std::vector<float> noise(16 * 3);
  for (size_t i = 0; i < noise.size(); ++i) noise[i] = std::sin(static_cast<float>(i));
  const auto once = [&](Step step) { step({{"x", data.inputs}, {"noise", noise}}); };

  optim::Adam of_g({.lr = 0.01}), of_d({.lr = 0.02, .betas = {0.5, 0.999}});
  {
    Graph graph("both");
    const auto [x, z] = inputs(graph);
    of_g.add_group("discriminator", both.discriminator.parameters(), of_d);
    const Tensor loss = graph.output("loss", of_discriminator(both, x, z) + of_generator(both, z));
    once(compile(training_step(graph, loss, both.parameters(), of_g), target));
  }
  optim::Adam alone_g({.lr = 0.01}), alone_d({.lr = 0.02, .betas = {0.5, 0.999}});
  {
    Graph graph("discriminator");
    const auto [x, z] = inputs(graph);
    once(compile(training_step(graph, of_discriminator(apart_d, x, z), apart_d.discriminator.parameters(), alone_d), target));
  }
  {
    Graph graph("generator");
    const auto [x, z] = inputs(graph);
    once(compile(training_step(graph, of_generator(apart_g, z), apart_g.generator.parameters(), alone_g), target));
  }
  weft::testing::require_close(weights(both.discriminator), weights(apart_d.discriminator), 1e-5);
  weft::testing::require_close(weights(both.generator), weights(apart_g.generator), 1e-5);
  CHECK(weights(both.generator) != weights(apart_d.generator));  // which did not move
}

TEST_CASE("a Trainer trains a GAN") {
  manual_seed(2);
  Gan gan;
  optim::Adam of_g({.lr = 0.01}), of_d({.lr = 0.01});
  of_g.add_group("discriminator", gan.discriminator.parameters(), of_d);
  Trainer trainer(
      gan,
      [&](const Tensors& batch) -> Measured {
        const Tensor noise = random_normal({batch["x"].size(0), 3});
        const Tensor d = of_discriminator(gan, batch["x"], noise), g = of_generator(gan, noise);
        return {d + g, {{"discriminator", d}, {"generator", g}}};
      },
      of_g);
  const auto before = weights(gan);
  const History history = trainer.fit(points(64), {.epochs = 3, .batch = 16, .log = "none"});
  const NamedNumbers& last = history.last().train_metrics;
  CHECK(last["discriminator"] + last["generator"] == Approx(history.last().train_loss));
  const auto after = weights(gan);
  for (size_t i = 0; i < before.size(); i += 7) CHECK(before[i] != after[i]);
}
