// Lesson 10: a variational autoencoder (Kingma and Welling 2014). It learns to write an image down in a few numbers, and then draws
// images that nobody gave it.
//
//   10_autoencoder                      on digits that the program draws itself
//   10_autoencoder --data DIR           on MNIST (or Fashion-MNIST): a directory of IDX files, .gz or not
//   10_autoencoder --code 2 --beta 4    with shorter codes, held closer to what new images are drawn from
//   10_autoencoder --plots DIR          with the images that it draws after every epoch
//
// What you see here: a loss that is a function of the whole batch, with two parts that are measured by themselves; random numbers in a
// model, in training mode alone; and a callback after every epoch.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <numeric>

#include "options.h"
#include "training.h"

using namespace weft;

namespace {

constexpr int64_t pixels = 28 * 28, hidden = 256;

struct Autoencoder : nn::Module {
  explicit Autoencoder(int64_t code)
      : mean(add("mean", nn::Linear(hidden, code))), log_variance(add("log_variance", nn::Linear(hidden, code))),
        decoder(add("decoder", nn::Sequential(nn::Linear(code, hidden), nn::ReLU(), nn::Linear(hidden, pixels)))) {}

  nn::Sequential encoder = add("encoder", nn::Sequential(nn::Flatten(), nn::Linear(pixels, hidden), nn::ReLU()));
  nn::Linear mean, log_variance;
  nn::Sequential decoder;  // gives logits of pixels
};

/// The negative evidence lower bound of an image, in nats, with beta for the second part as in Higgins et al. 2017: what it costs to
/// write down the image once its code is known, and what the code costs.
Measured loss_of(Autoencoder& net, const Tensors& batch, double beta) {
  const Tensor x = batch["x"], h = net.encoder(x), mean_of = net.mean(h), log_variance = net.log_variance(h);
  const Tensor code = net.training() ? mean_of + exp(0.5 * log_variance) * randn_like(mean_of) : mean_of;
  const Tensor wrong = binary_cross_entropy_with_logits(net.decoder(code), flatten(x), {.reduction = "none"});
  const Tensor reconstruction = mean(sum(wrong, 1));
  const Tensor divergence = mean(-0.5 * sum(1 + log_variance - square(mean_of) - exp(log_variance), 1));
  return {reconstruction + beta * divergence, {{"reconstruction", reconstruction}, {"divergence", divergence}}};
}

/// 64 images from codes that are drawn at random.
void draw_new(Autoencoder& net, int64_t code, const Options& o, const std::string& name) {
  Graph graph("drawn");
  graph.output("images", sigmoid(net.decoder(random_normal({64, code}))));
  Step step = compile(graph, o.target());
  const Dataset images{.inputs = Array::of({64, 1, 28, 28}, step()["images"].values<float>()), .name = "drawn"};
  std::vector<int64_t> all(64);
  std::iota(all.begin(), all.end(), 0);
  save_image_grid(in_directory(o.plots, name), images, all, "drawn from random codes");
}

void run(const Options& o, int64_t code, double beta) {
  const auto [train, test] = load_images(o);
  manual_seed(o.seed);
  Autoencoder net(code);
  const optim::Optimizer optimizer = optimizer_for(o);
  Trainer trainer(net, [&](const Tensors& batch) { return loss_of(net, batch, beta); }, optimizer);
  if (!o.plots.empty()) trainer.after_epoch([&](TrainingState& now) { draw_new(net, code, o, fmt::format("epoch_{}.png", now.epoch())); });
  if (o.find_lr) find_lr(trainer, train, optimizer, o);
  std::fflush(stdout);  // before the progress, which goes to standard error
  const History history = trainer.fit(train, test, o.fit());
  report(history, o);
  if (o.plots.empty()) return;
  draw_losses(history, o.plots);
  for (const char* part : {"reconstruction", "divergence"})
    epoch_plot({{part, history}}, part, [&](const EpochResult& r) {
      return r.test_metrics[part];
    }).save(in_directory(o.plots, fmt::format("{}.svg", part)));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a variational autoencoder on images.");
  Options options{.epochs = 10, .batch = 64, .lr = 1e-3};
  options.optimizer = "adam";
  int64_t code = 16;
  double beta = 1;
  require_integer(app.add_option("--code", code, "numbers that an image is written down in")->capture_default_str(), 1);
  require_number(app.add_option("--beta", beta, "how much what the code costs counts in the loss")->capture_default_str(), 0);
  add_training_options(app, options);
  return run_example(app, argc, argv, [&] { run(options, code, beta); });
}
