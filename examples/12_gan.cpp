// Lesson 12: a generative adversarial net (Goodfellow et al. 2014, with the layers of Radford et al. 2015). One net draws images, another
// tells them from real ones, and each learns from the other.
//
//   12_gan                              on digits that the program draws itself
//   12_gan --data DIR                   on Fashion-MNIST (or MNIST): a directory of IDX files, .gz or not
//   12_gan --samples DIR                with what the generator draws from the same codes after every epoch
//
// What you see here: two optimizers over two nets in one program, which is a single call for each batch; gradients that stop, at
// detach() and at weights that are frozen for a while; and a net that is used by itself once it is trained.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <numeric>

#include "options.h"
#include "training.h"

using namespace weft;

namespace {

constexpr int64_t code = 64, shown = 64;

struct Gan : nn::Module {
  explicit Gan(int64_t width)
      : generator(
            add("generator",
                nn::Sequential(nn::Linear(code, width * 2 * 7 * 7), nn::Unflatten(1, {width * 2, 7, 7}), nn::BatchNorm2d(width * 2),
                               nn::ReLU(), nn::ConvTranspose2d(width * 2, width, 4, {.stride = 2, .padding = 1}), nn::BatchNorm2d(width),
                               nn::ReLU(), nn::ConvTranspose2d(width, 1, 4, {.stride = 2, .padding = 1}), nn::Sigmoid()))),
        discriminator(add("discriminator", nn::Sequential(nn::Conv2d(1, width, 4, {.stride = 2, .padding = 1}), nn::LeakyReLU(0.2),
                                                          nn::Conv2d(width, width * 2, 4, {.stride = 2, .padding = 1}), nn::LeakyReLU(0.2),
                                                          nn::Dropout(0.3), nn::Flatten(), nn::Linear(width * 2 * 7 * 7, 1)))) {}
  nn::Sequential generator, discriminator;
};

/// How badly scores say that images are real, or that they are not.
Tensor judged(const Tensor& scores, bool real) {
  return binary_cross_entropy_with_logits(scores, real ? ones_like(scores) : zeros_like(scores));
}

/// Both losses in one: each net's parameters have a gradient from its own alone.
Measured loss_of(Gan& gan, const Tensors& batch) {
  const Tensor real = batch["x"], drawn = gan.generator(random_normal({real.size(0), code}));
  // The discriminator learns from images that it takes as they are,
  const Tensor discriminator = judged(gan.discriminator(real), true) + judged(gan.discriminator(detach(drawn)), false);
  // and the generator from what a discriminator says of them that learns nothing from it.
  gan.discriminator.requires_grad_(false);
  const Tensor generator = judged(gan.discriminator(drawn), true);
  gan.discriminator.requires_grad_(true);
  // How far the mean image of what is drawn is from that of what is real.
  const Tensor apart = mean(abs(mean(drawn, 0) - mean(real, 0)));
  return {discriminator + generator, {{"discriminator", discriminator}, {"generator", generator}, {"apart", apart}}};
}

void draw_samples(Gan& gan, const Options& o, const std::string& path) {
  gan.eval();
  Graph graph("samples");
  const Tensor codes = graph.input("codes", f32, {shown, code});
  graph.output("images", gan.generator(codes));
  gan.train();
  std::vector<float> same(shown * code);  // after every epoch
  for (size_t i = 0; i < same.size(); ++i) same[i] = static_cast<float>(std::sin(static_cast<double>(i * i)) * 1.4);
  const Dataset images{.inputs = Array::of({shown, 1, 28, 28}, compile(graph, o.target())({{"codes", same}})["images"].values<float>())};
  std::vector<int64_t> all(shown);
  std::iota(all.begin(), all.end(), 0);
  save_image_grid(path, images, all, "drawn from random codes");
}

void run(const Options& o, int64_t width, const std::string& samples) {
  const auto [train, test] = load_images(o);
  manual_seed(o.seed);
  Gan gan(width);
  const auto one = [&] {
    return o.optimizer == "adam" ? optim::Optimizer(optim::Adam({.lr = o.lr, .betas = {0.5, 0.999}})) : optim::SGD({.lr = o.lr});
  };
  optim::Optimizer of_generator = one(), of_discriminator = one();
  of_generator.add_group("discriminator", gan.discriminator.parameters(), of_discriminator);
  of_generator.clip_norm = o.clip_norm;
  Trainer trainer(gan, [&](const Tensors& batch) { return loss_of(gan, batch); }, of_generator);
  if (!samples.empty())
    trainer.after_epoch([&](TrainingState& now) { draw_samples(gan, o, in_directory(samples, fmt::format("epoch_{}.png", now.epoch()))); });
  std::fflush(stdout);  // before the progress, which goes to standard error
  const History history = trainer.fit(train, test, o.fit());
  report(history, o);
  if (o.plots.empty()) return;
  for (const char* part : {"discriminator", "generator"})
    epoch_plot({{part, history}}, part, [&](const EpochResult& r) {
      return r.train_metrics[part];
    }).save(in_directory(o.plots, fmt::format("{}.svg", part)));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains two nets against each other, one of which draws images.");
  Options o{.epochs = 5, .batch = 64, .lr = 2e-4};
  o.optimizer = "adam";
  o.shuffle = true;
  int64_t width = 32;
  std::string samples;
  require_integer(app.add_option("--width", width, "channels of the layers nearest to the images")->capture_default_str(), 1);
  app.add_option("--samples", samples, "draw images after every epoch into this directory");
  add_training_options(app, o);
  app.remove_option(app.get_option("--find-lr"));  // of two losses that work against each other, the sum says nothing of a rate
  return run_example(app, argc, argv, [&] { run(o, width, samples); });
}
