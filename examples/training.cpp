#include "training.h"

#include <algorithm>
#include <numeric>

#include "weft/runtime/data/batcher.h"

using namespace weft;

namespace {

constexpr int64_t shown = 64;  // images in a picture

}  // namespace

int64_t drawn(int64_t all, const Options& o) { return o.overfit > 0 ? std::min(all, o.overfit) : all; }

Images load_images(const Options& o, std::FILE* say) {
  if (o.data.empty()) {
    const int64_t count = drawn(20000, o);
    fmt::print(say, "No --data: training on {} digits drawn by the program, testing on 4000.\n", count);
    return {generate_digits(count, o.seed + 1), generate_digits(4000, o.seed + 1'000'000)};
  }
  Images images{load_idx_directory(o.data, true), load_idx_directory(o.data, false)};
  fmt::print(say, "Training on {} images of {}, testing on {}.\n", images.train.size(), images.train.name, images.test.size());
  return images;
}

optim::Optimizer optimizer_for(const Options& o) {
  optim::Optimizer optimizer = o.optimizer == "adam" ? optim::Optimizer(optim::Adam({.lr = o.lr})) : optim::SGD({.lr = o.lr});
  optimizer.clip_norm = o.clip_norm;
  return optimizer;
}

void find_lr(Trainer& trainer, const Dataset& train, const optim::Optimizer& optimizer, const Options& o, const std::string& name) {
  const LrSearch search = trainer.find_lr(train, o.lr_search());
  optimizer.learning_rate() = search.suggestion();
  fmt::print("{}Of {} learning rates from {:g} to {:g}, {:.3g} is tried.\n", name.empty() ? "" : name + ": ", search.rates.size(),
             search.rates.front(), search.rates.back(), search.suggestion());
  if (!o.plots.empty()) lr_plot(search).save(in_directory(o.plots, name.empty() ? "learning_rates.svg" : name + "_learning_rates.svg"));
}

void report(const History& history, const Options& o, const std::string& name) {
  const std::string prefix = name.empty() ? "" : name + ": ";
  if (o.patience > 0) fmt::print("{}The weights are those of epoch {}.\n", prefix, history.kept().epoch);
  fmt::print("{}{} steps, test loss {:.4f}", prefix, history.steps, history.kept().test_loss);
  for (const auto& [metric, number] : history.kept().test_metrics) {
    if (metric == "accuracy") fmt::print(", accuracy {:.2f} %", 100 * number);
    else fmt::print(", {} {:.4f}", metric, number);
  }
  fmt::print("\n");
  fmt::print("{}{:.0f} us a step (median); compiled in {:.0f} ms, arena {:.2f} MB\n", prefix, history.last().step_us, history.compile_ms,
             static_cast<double>(history.planned_bytes) / 1e6);
  if (o.profile) fmt::print("\n{}\n", history.profile.table());
}

void draw_gradients(const History& history, const std::string& path) {
  const auto& norms = history.gradient_norms;
  if (std::all_of(norms.begin(), norms.end(), [](const auto& of_layer) { return of_layer.second.empty(); })) return;
  gradient_plot(history).save(path);
}

void draw_losses(const History& history, const std::string& directory) {
  loss_plot({{"", history}}).save(in_directory(directory, "loss.svg"));
  draw_gradients(history, in_directory(directory, "gradients.svg"));
}

std::vector<std::string> predictions(nn::Module& net, const Dataset& images, const Options& o) {
  const int64_t count = std::min(shown, images.size());
  net.eval();
  Graph graph("predictions");
  graph.output("class", argmax(net(graph.input("x", f32, images.input_shape(count))), 1));
  net.train();
  Step step = compile(graph, o.target());
  Batcher batches(images, {.batch = count});
  batches.start_epoch(0);
  const Batch& batch = *batches.next();
  std::vector<std::string> all;
  const std::vector<int64_t> classes = step({{"x", batch.inputs}})["class"].values<int64_t>();
  const auto name = [&](int64_t c) {
    return c < std::ssize(images.class_names) ? images.class_names[static_cast<size_t>(c)] : fmt::format("{}", c);
  };
  for (size_t i = 0; i < classes.size(); ++i) {
    const int64_t target = images.targets.values<int64_t>()[i];
    all.push_back(name(classes[i]) + (classes[i] == target ? "" : fmt::format(" (is {})", name(target))));
  }
  return all;
}

void draw(const History& history, const Dataset& images, const std::string& directory, const std::vector<std::string>& captions) {
  draw_losses(history, directory);
  accuracy_plot({{"", history}}).save(in_directory(directory, "accuracy.svg"));
  std::vector<int64_t> first(static_cast<size_t>(std::min(shown, images.size())));
  std::iota(first.begin(), first.end(), 0);
  save_image_grid(in_directory(directory, "images.png"), images, first,
                  captions.empty() ? "the first examples" : "the first examples, as classified", 8, captions);
}
