// Lesson 8: a small GPT learns to write, character by character.
//
//   08_char_gpt                         on sentences that the program makes up itself
//   08_char_gpt --data DIR              on DIR/input.txt: tiny Shakespeare, say
//
// What you see here: attention, a net that is trained on whole windows of text and then writes one character at a time, with a
// cache of keys and values: three programs over the same parameters.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <optional>
#include <random>

#include "options.h"
#include "text.h"
#include "training.h"

using namespace weft;

namespace {

constexpr int64_t width = 128, heads = 4;

/// Where a net that writes character by character is: the number of characters before, and what was seen of them, for each block.
struct Writing {
  Tensor position;
  std::vector<nn::KeyValueCache>& caches;
};

struct Block : nn::Module {
  nn::LayerNorm norm1 = add("norm1", nn::LayerNorm({width}));
  nn::Linear qkv = add("qkv", nn::Linear(width, 3 * width));
  nn::Linear out = add("out", nn::Linear(width, width));
  nn::LayerNorm norm2 = add("norm2", nn::LayerNorm({width}));
  nn::Linear up = add("up", nn::Linear(width, 4 * width));
  nn::Linear down = add("down", nn::Linear(4 * width, width));

  /// x [N, T, width]; with a cache, what came before it is seen too.
  Tensor operator()(Arg x, nn::KeyValueCache* cache = nullptr, const Tensor& position = {}) {
    const Entered entered(*this, x);
    Tensor y = entered.tensor(x);
    y = y + out(attend(qkv(norm1(y)), cache, position));
    return y + down(gelu(up(norm2(y))));
  }

  Tensor attend(const Tensor& all, nn::KeyValueCache* cache, const Tensor& position) {
    const int64_t n = all.shape()[0], tokens = all.shape()[1];
    const auto part = [&](int64_t i) {
      return transpose(reshape(slice(all, 2, i * width, (i + 1) * width), {n, tokens, heads, width / heads}), 1, 2);
    };
    Tensor y;
    if (cache) {
      const auto [keys, values, seen] = (*cache)(part(1), part(2), position);
      y = scaled_dot_product_attention(part(0), keys, values, {.attn_mask = seen});
    } else {
      y = scaled_dot_product_attention(part(0), part(1), part(2), {.is_causal = true});
    }
    return reshape(transpose(y, 1, 2), {n, tokens, width});
  }
};

struct Gpt : nn::Module {
  Gpt(int64_t characters, int64_t window, int64_t layers)
      : token(add("token", nn::Embedding(characters, width))), position(add("position", nn::Embedding(window, width))) {
    for (int64_t i = 0; i < layers; ++i) blocks.push_back(add(fmt::format("block{}", i), Block()));
    norm = add("norm", nn::LayerNorm({width}));
    head = add("head", nn::Linear(width, characters, {.bias = false}));
  }
  /// x [N, T] to scores [N, T, characters].
  Tensor forward(Tensor x) override { return scores(x, std::nullopt); }

  Tensor scores(const Tensor& x, const std::optional<Writing>& writing) {
    const Tensor places = arange(x.shape()[1]);
    Tensor y = token(x) + position(writing ? places + writing->position : places);
    for (size_t i = 0; i < blocks.size(); ++i) y = writing ? blocks[i](y, &writing->caches[i], writing->position) : blocks[i](y);
    return (*head)((*norm)(y));
  }

  nn::Embedding token, position;
  std::vector<Block> blocks;
  std::optional<nn::LayerNorm> norm;
  std::optional<nn::Linear> head;
};

/// Writes `count` characters behind `prompt`, each drawn from what the net gives, sharpened by a temperature below 1.
class Writer {
 public:
  Writer(Gpt& net, const Text& text, const Options& o, int64_t window)
      : net_(net), text_(text), options_(o), window_(window), random_(o.seed) {
    for (size_t i = 0; i < net.blocks.size(); ++i) caches_.emplace_back(1, heads, window, width / heads);
  }

  std::string write(const std::string& prompt, int64_t count, double temperature) {
    std::vector<int64_t> text = text_.characters.encode(prompt);
    net_.eval();
    Step one = program(1, temperature);
    int64_t known = 0;  // characters that the caches hold
    for (int64_t i = 0; i < count; ++i) {
      // At first, and where the window is full, the net reads what was written last, in one go.
      int64_t length = 1;
      if (known == 0 || known == window_) length = std::min(std::ssize(text), window_ / 2), known = 0;
      Step step = length == 1 ? one : program(length, temperature);
      const std::vector<int64_t> last(text.end() - length, text.end());
      text.push_back(draw(step({{"x", last}, {"position", {&known, 1}}})["probabilities"].values<float>()));
      known += length;
    }
    net_.train();
    return text_.characters.decode(text);
  }

 private:
  Step program(int64_t length, double temperature) {
    Graph g("writing");
    const Tensor x = g.input("x", i64, {1, length}), position = g.input("position", i64, {});
    const Tensor scores = net_.scores(x, Writing{position, caches_});
    g.output("probabilities", softmax(slice(scores, 1, length - 1) / temperature, -1));
    return compile(g, options_.target());
  }

  int64_t draw(const std::vector<float>& probabilities) {
    double left = static_cast<double>(random_() >> 11) * 0x1p-53;
    size_t i = 0;
    while (i + 1 < probabilities.size() && (left -= probabilities[i]) >= 0) ++i;
    return static_cast<int64_t>(i);
  }

  Gpt& net_;
  const Text& text_;
  const Options& options_;
  int64_t window_;
  std::mt19937_64 random_;
  std::vector<nn::KeyValueCache> caches_;
};

struct Wishes {
  int64_t layers = 4, window = 128, write = 300;
  std::string prompt;
  double temperature = 0.8;
};

void run(const Options& o, const Wishes& wishes) {
  const Text text = load_text(o, wishes.window);
  manual_seed(o.seed);
  Gpt net(text.characters.size(), wishes.window, wishes.layers);
  for (auto& [name, p] : net.named_parameters())
    if (p.shape().rank() == 2) init::normal(p, 0, 0.02);
  // The classes of a score stand along the last axis.
  const auto loss = [](const Tensor& scores, const Tensor& y) { return cross_entropy(transpose(scores), y); };
  const optim::Optimizer optimizer = optimizer_for(o);
  Trainer trainer(net, loss, optimizer);
  if (o.find_lr) find_lr(trainer, text.train, optimizer, o);
  std::fflush(stdout);  // before the progress, which goes to standard error
  const History history = trainer.fit(text.train, text.test, o.fit());
  report(history, o);
  if (!o.plots.empty()) {
    loss_plot({{"", history}}).save(in_directory(o.plots, "loss.svg"));
    draw_gradients(history, in_directory(o.plots, "gradients.svg"));
  }
  const std::string prompt = wishes.prompt.empty() ? text.characters.characters()[0] : wishes.prompt;
  if (wishes.write > 0) fmt::print("\n{}\n", Writer(net, text, o, wishes.window).write(prompt, wishes.write, wishes.temperature));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a small GPT on a text, then writes.");
  Options o{.epochs = 2, .batch = 16, .lr = 1e-3};
  o.optimizer = "adam";
  o.shuffle = true;
  Wishes wishes;
  add_training_options(app, o);
  require_integer(app.add_option("--layers", wishes.layers, "blocks of attention and two linear layers")->capture_default_str(), 1);
  require_integer(app.add_option("--window", wishes.window, "characters that are seen at once")->capture_default_str(), 2);
  require_integer(app.add_option("--write", wishes.write, "characters to write in the end")->capture_default_str(), 0);
  app.add_option("--prompt", wishes.prompt,
                 "what is written begins with it; else with the text's first character in order, mostly the end of a line");
  require_number(app.add_option("--temperature", wishes.temperature, "of what is drawn: below 1 likely characters become likelier")
                     ->capture_default_str(),
                 0.01);
  return run_example(app, argc, argv, [&] { run(o, wishes); });
}
