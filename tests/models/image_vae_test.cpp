// A convolutional variational autoencoder: a loss of two parts, and images from codes that nobody gave it.

#include <numeric>

#include "weft/tests/catch.h"
#include "weft/weft.h"

using namespace weft;

namespace {

constexpr int64_t code = 8;

struct Vae : nn::Module {
  nn::Sequential encoder = add("encoder", nn::Sequential(nn::Conv2d(1, 8, 4, {.stride = 2, .padding = 1}), nn::ReLU(),
                                                         nn::Conv2d(8, 16, 4, {.stride = 2, .padding = 1}), nn::ReLU(), nn::Flatten()));
  nn::Linear mu = add("mu", nn::Linear(16 * 7 * 7, code)), log_var = add("log_var", nn::Linear(16 * 7 * 7, code));
  nn::Sequential decoder = add("decoder", nn::Sequential(nn::Linear(code, 16 * 7 * 7), nn::ReLU(), nn::Unflatten(1, {16, 7, 7}),
                                                         nn::ConvTranspose2d(16, 8, 4, {.stride = 2, .padding = 1}), nn::ReLU(),
                                                         nn::ConvTranspose2d(8, 1, 4, {.stride = 2, .padding = 1})));

  std::tuple<Tensor, Tensor, Tensor> operator()(const Tensor& x) {
    const Tensor h = encoder(x), mean = mu(h), log_variance = log_var(h);
    const Tensor z = training() ? mean + exp(0.5 * log_variance) * randn_like(mean) : mean;
    return {decoder(z), mean, log_variance};
  }

  /// Images [count, 1, 28, 28] from codes of its own.
  std::vector<float> sample(int64_t count) {
    Graph graph("sample");
    graph.output("images", sigmoid(decoder(random_normal({count, code}))));
    return compile(graph, Target::cpu())()["images"].values<float>();
  }
};

}  // namespace

TEST_CASE("a convolutional autoencoder learns digits and draws images of its own") {
  manual_seed(1);
  Vae vae;
  optim::Adam adam({.lr = 2e-3});
  Trainer trainer(
      vae,
      [&](const Tensors& batch) -> Measured {
        const Tensor x = batch["x"];
        const auto [logits, mean, log_variance] = vae(x);
        const Tensor reconstruction = binary_cross_entropy_with_logits(logits, x, {.reduction = "sum"}) / x.size(0);
        const Tensor kl = -0.5 * sum(1 + log_variance - square(mean) - exp(log_variance)) / x.size(0);
        return {reconstruction + kl, {{"reconstruction", reconstruction}, {"kl", kl}}};
      },
      adam);
  const Dataset train = generate_digits(3000, 1), test = generate_digits(500, 1'000'000);
  const double before = trainer.evaluate(test, {.log = "none"}).loss;
  const History history = trainer.fit(train, test, {.epochs = 4, .batch = 32, .data = {.shuffle = true}, .log = "none"});
  const EpochResult& last = history.last();
  INFO(before << " " << last.test_loss << " " << last.test_metrics["kl"]);
  CHECK(last.test_loss < 0.5 * before);
  CHECK(last.test_metrics["kl"] > 3);  // the codes say something
  CHECK(last.test_metrics["reconstruction"] + last.test_metrics["kl"] == Approx(last.test_loss));

  // What it draws has about as much ink as what it was shown.
  const auto ink = [](const auto& pixels) {
    return std::accumulate(pixels.begin(), pixels.end(), 0.0) / static_cast<double>(pixels.size());
  };
  const double real = ink(test.inputs.values<uint8_t>()) / 255, drawn = ink(vae.sample(64));
  INFO(real << " " << drawn);
  CHECK(drawn == Approx(real).epsilon(0.3));
}
