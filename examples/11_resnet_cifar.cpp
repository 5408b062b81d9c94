// Lesson 11: a residual net (He et al. 2015) on colour pictures, with what brings such a net far: crops and mirror images that are
// drawn anew in every epoch, and a learning rate that changes at every step.
//
//   11_resnet_cifar                                 a small net, on digits that the program draws itself
//   11_resnet_cifar --data DIR --width 64 --blocks 2    ResNet-18 on CIFAR-10: DIR holds its binary version
//   11_resnet_cifar --schedule onecycle --autocast bf16
//   11_resnet_cifar --plots DIR                     with the first test pictures, and what the net takes them for
//
// What you see here: a module that is a part many times over, layers that are put together in a loop, transforms that draw, and
// schedules that a Trainer moves at every step.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <optional>

#include "options.h"
#include "training.h"

using namespace weft;

namespace {

nn::Conv2d conv(int64_t in, int64_t out, int64_t kernel, int64_t stride) {
  return nn::Conv2d(in, out, kernel, {.stride = stride, .padding = kernel / 2, .bias = false});
}

/// torchvision's BasicBlock.
struct Block : nn::Module {
  Block(int64_t in, int64_t out, int64_t stride)
      : conv1(add("conv1", conv(in, out, 3, stride))), bn1(add("bn1", nn::BatchNorm2d(out))), conv2(add("conv2", conv(out, out, 3, 1))),
        bn2(add("bn2", nn::BatchNorm2d(out))),
        shortcut(add("shortcut",
                     stride == 1 && in == out ? nn::Sequential() : nn::Sequential(conv(in, out, 1, stride), nn::BatchNorm2d(out)))) {}
  Tensor forward(Tensor x) override { return relu(bn2(conv2(relu(bn1(conv1(x))))) + shortcut(x)); }

  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  nn::Conv2d conv2;
  nn::BatchNorm2d bn2;
  nn::Sequential shortcut;
};

/// Four stages of blocks, each of twice the channels and half the height and width of the one before.
nn::Sequential resnet(int64_t width, int64_t blocks) {
  nn::Sequential net(conv(3, width, 3, 1), nn::BatchNorm2d(width), nn::ReLU());
  int64_t in = width;
  for (int64_t stage = 0; stage < 4; ++stage)
    for (int64_t i = 0; i < blocks; ++i) {
      const int64_t out = width << stage;
      net.append(Block(in, out, stage > 0 && i == 0 ? 2 : 1));
      in = out;
    }
  net.append(nn::AdaptiveAvgPool2d(1));
  net.append(nn::Flatten());
  net.append(nn::Linear(in, 10));
  return net;
}

Images load(const Options& o) {
  Images images;
  if (o.data.empty()) {
    images = {generate_colour_digits(drawn(8000, o), o.seed + 1), generate_colour_digits(2000, o.seed + 1'000'000)};
    fmt::print("No --data: training on {} digits drawn by the program, testing on 2000.\n", images.train.size());
  } else {
    images = {load_cifar10_directory(o.data, true), load_cifar10_directory(o.data, false)};
    fmt::print("Training on {} pictures of {}, testing on {}.\n", images.train.size(), o.data, images.test.size());
  }
  const Transform normalize = transforms::normalize({0.4914f, 0.4822f, 0.4465f}, {0.2470f, 0.2435f, 0.2616f});
  images.test.transforms = {normalize};
  images.train.transforms = {transforms::random_crop(32, 32, 4), normalize};
  if (!o.data.empty()) images.train.transforms.insert(images.train.transforms.begin(), transforms::random_horizontal_flip());  // no digits
  return images;
}

void run(const Options& o, int64_t width, int64_t blocks, const std::string& schedule) {
  const auto [train, test] = load(o);
  manual_seed(o.seed);
  nn::Sequential net = resnet(width, blocks);
  optim::Optimizer optimizer = o.optimizer == "adam" ? optim::Optimizer(optim::AdamW({.lr = o.lr, .weight_decay = 0.05}))
                                                     : optim::SGD({.lr = o.lr, .momentum = 0.9, .weight_decay = 5e-4});
  optimizer.clip_norm = o.clip_norm;
  Trainer trainer(net, cross_entropy, optimizer);
  if (o.find_lr) find_lr(trainer, train, optimizer, o);
  const int64_t used = o.overfit > 0 ? std::min(o.overfit, train.size()) : train.size();
  int64_t steps = o.epochs * ((used + o.batch - 1) / o.batch);
  if (o.max_steps > 0) steps = std::min(steps, o.max_steps);
  std::optional<optim::CosineAnnealingLR> cosine;
  std::optional<optim::OneCycleLR> one_cycle;
  if (schedule == "cosine") trainer.schedule(cosine.emplace(optimizer, optim::CosineOptions{.t_max = steps}), Every::step);
  if (schedule == "onecycle")
    trainer.schedule(one_cycle.emplace(optimizer, optim::OneCycleOptions{.max_lr = optimizer.learning_rate(), .total_steps = steps + 1}),
                     Every::step);
  std::fflush(stdout);  // before the progress, which goes to standard error
  const History history = trainer.fit(train, test, o.fit());
  report(history, o);
  if (!o.plots.empty()) draw(history, test, o.plots, predictions(net, test, o));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a residual net on pictures of ten classes.");
  Options o{.epochs = 2, .batch = 64, .lr = 0.05};
  o.shuffle = true;
  int64_t width = 16, blocks = 1;
  std::string schedule = "cosine";
  require_integer(app.add_option("--width", width, "channels of the first stage; 64 in ResNet-18")->capture_default_str(), 1);
  require_integer(app.add_option("--blocks", blocks, "blocks in each of the four stages; 2 in ResNet-18")->capture_default_str(), 1);
  require_one_of(
      app.add_option("--schedule", schedule, "of the learning rate, over all steps: cosine, onecycle or none")->capture_default_str(),
      {"cosine", "onecycle", "none"});
  add_training_options(app, o);
  return run_example(app, argc, argv, [&] { run(o, width, blocks, schedule); });
}
