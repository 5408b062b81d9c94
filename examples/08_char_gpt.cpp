// Lesson 8: a small GPT learns to write, character by character.
//
//   08_char_gpt                                         on sentences that the program makes up itself
//   08_char_gpt --data DIR                              on DIR/input.txt: tiny Shakespeare, say
//   08_char_gpt --data DIR --weights FILE [--epochs 0]  from weights that --save wrote, or PyTorch, [to write only]
//
// What you see here: a net with attention (gpt.h) that is trained on whole windows of text and then writes one character at a time, with
// a cache of keys and values: three programs over the same parameters.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <random>

#include "gpt.h"
#include "options.h"
#include "text.h"
#include "training.h"

using namespace weft;

namespace {

struct Wishes {
  gpt::Sizes sizes;
  std::string weights, prompt;
  int64_t write = 300;
  double temperature = 0.8;
  bool no_cache = false;
};

/// Writes behind a prompt, each character drawn from what the net gives, sharpened by a temperature below 1.
class Writer {
 public:
  Writer(gpt::Net& net, const Text& text, const Options& o, const Wishes& wishes)
      : net_(net), text_(text), options_(o), wishes_(wishes), random_(o.seed), caches_(net.caches()) {}

  std::string write() {
    const int64_t window = wishes_.sizes.window;
    std::vector<int64_t> text = text_.characters.encode(wishes_.prompt.empty() ? text_.characters.characters()[0] : wishes_.prompt);
    net_.eval();
    int64_t known = 0, length = std::min(std::ssize(text), window);  // characters that the net has seen, and that it reads next
    for (int64_t i = 0; i < wishes_.write; ++i) {
      // Where the window is full, the net begins anew with the later half of it.
      if (known == window) known = 0, length = window / 2;
      text.push_back(draw(wishes_.no_cache ? read_again(text, known + length) : read(text, length, known), random_));
      known += length, length = 1;
    }
    net_.train();
    return text_.characters.decode(text);
  }

 private:
  /// How likely each character is behind the text, of which the net reads the last `length` characters; caches hold `known` before them.
  std::vector<float> read(const std::vector<int64_t>& text, int64_t length, int64_t known) {
    if (!programs_.contains(length)) {
      Graph g("writing");
      const Tensor x = g.input("x", i64, {1, length}), position = g.input("position", i64, {});
      programs_.emplace(length, compiled(g, slice(net_.scores(x, gpt::Writing{position, caches_}), 1, length - 1)));
    }
    const std::vector<int64_t> last(text.end() - length, text.end());
    return programs_.at(length)({{"x", last}, {"position", {&known, 1}}})["probabilities"].values<float>();
  }

  /// The same without caches: the net reads all `length` characters that it may see, in a window whose end no one sees.
  std::vector<float> read_again(const std::vector<int64_t>& text, int64_t length) {
    const int64_t window = wishes_.sizes.window, last = length - 1;
    if (programs_.empty()) {
      Graph g("writing");
      const Tensor x = g.input("x", i64, {1, window}), place = g.input("last", i64, {});
      programs_.emplace(window, compiled(g, gather(net_(x), place, 1)));
    }
    std::vector<int64_t> seen(text.end() - length, text.end());
    seen.resize(static_cast<size_t>(window));
    return programs_.at(window)({{"x", seen}, {"last", {&last, 1}}})["probabilities"].values<float>();
  }

  Step compiled(Graph& g, const Tensor& scores) const {
    g.output("probabilities", wishes_.temperature > 0 ? softmax(scores / wishes_.temperature, -1)
                                                      : cast(one_hot(argmax(scores, -1), wishes_.sizes.characters), f32));
    return compile(g, options_.target());
  }

  gpt::Net& net_;
  const Text& text_;
  const Options& options_;
  const Wishes& wishes_;
  std::mt19937_64 random_;
  std::vector<nn::KeyValueCache> caches_;
  std::map<int64_t, Step> programs_;  // by how many characters they read
};

void train(gpt::Net& net, const Text& text, const Options& o) {
  // The classes of a score stand along the last axis.
  const auto loss = [](const Tensor& scores, const Tensor& y) { return cross_entropy(transpose(scores), y); };
  const optim::Optimizer optimizer = optimizer_for(o);
  Trainer trainer(net, loss, optimizer);
  if (o.find_lr) find_lr(trainer, text.train, optimizer, o);
  std::fflush(stdout);  // before the progress, which goes to standard error
  const History history = trainer.fit(text.train, text.test, o.fit());
  report(history, o);
  if (!o.plots.empty()) draw_losses(history, o.plots);
}

void run(const Options& o, Wishes wishes) {
  const Text text = load_text(o, wishes.sizes.window);
  wishes.sizes.characters = text.characters.size();
  manual_seed(o.seed);
  gpt::Net net(wishes.sizes);
  if (!wishes.weights.empty()) Checkpoint(net).load(wishes.weights);
  if (o.epochs > 0) train(net, text, o);
  if (wishes.write > 0) fmt::print("\n{}\n", Writer(net, text, o, wishes).write());
}

void add_wishes(CLI::App& app, Wishes& w) {
  const auto integer = [&app](const char* name, int64_t& value, int64_t least, const char* doc) {
    require_integer(app.add_option(name, value, doc)->capture_default_str(), least);
  };
  integer("--layers", w.sizes.layers, 1, "blocks of attention and two linear layers");
  integer("--window", w.sizes.window, 2, "characters that are seen at once");
  integer("--width", w.sizes.width, 1, "numbers that stand for a character, from layer to layer");
  integer("--heads", w.sizes.heads, 1, "of attention, which share out the width");
  app.add_option("--weights", w.weights,
                 "begin with the weights in this safetensors file, which --save wrote, or PyTorch: of the same net, by its names")
      ->excludes(app.get_option("--resume"));
  integer("--write", w.write, 0, "characters to write in the end");
  app.add_option("--prompt", w.prompt,
                 "what is written begins with it; else with the text's first character in order, mostly the end of a line");
  require_number(
      app.add_option("--temperature", w.temperature, "of what is drawn: below 1 likely characters become likelier; 0: always the likeliest")
          ->capture_default_str(),
      0);
  app.add_flag("--no-cache", w.no_cache, "read the window again for each character, to the same text, and see what the cache saves");
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a small GPT on a text, then writes.");
  Options o{.epochs = 2, .least_epochs = 0, .batch = 16, .lr = 1e-3};
  o.optimizer = "adam";
  o.shuffle = true;
  Wishes wishes;
  add_training_options(app, o);
  add_wishes(app, wishes);
  return run_example(app, argc, argv, [&] { run(o, wishes); });
}
