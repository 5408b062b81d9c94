// Lesson 9: classify images with a recurrent net that reads them row by row, from the top.
//
//   09_lstm                             on digits that the program draws itself
//   09_lstm --data DIR                  on MNIST (or Fashion-MNIST): a directory of IDX files, .gz or not
//   09_lstm --cell gru                  with another cell: rnn, lstm or gru; own is the loop below
//
// What you see here: a layer that runs over the steps of a sequence, and a loop of your own (scan). The step is recorded, differentiated
// and compiled once, for 28 rows as for any other number; `--dump DIR` shows it as the body of an op.

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "options.h"
#include "training.h"

using namespace weft;

namespace {

constexpr int64_t rows = 28, columns = 28, width = 64;  // of an image; units of the state

/// A recurrence that no library has: the state forgets at a rate that each of its units learns.
struct Own : nn::Module {
  nn::Linear of_x = add("of_x", nn::Linear(columns, width));
  nn::Linear of_h = add("of_h", nn::Linear(width, width));
  Parameter rate = add("rate", Parameter("rate", Shape{width}, std::vector<float>(width, 0)));

  /// x [rows, batch, columns]; the state after the last row.
  Tensor forward(Tensor x) override {
    const Tensor keep = sigmoid(rate);
    return scan(zeros({x.size(1), width}), x, [&](Tensor h, Tensor row) { return keep * h + (1 - keep) * tanh(of_x(row) + of_h(h)); })
        .first;
  }
};

struct Net : nn::Module {
  explicit Net(const std::string& cell) {
    if (cell == "own") own = add("own", Own());
    else if (cell == "rnn") layer = add("rnn", nn::RNN(columns, width));
    else if (cell == "gru") layer = add("gru", nn::GRU(columns, width));
    else layer = add("lstm", nn::LSTM(columns, width));
  }
  Tensor forward(Tensor x) override {
    x = x.reshape({-1, rows, columns}).transpose(0, 1);  // rows first
    return head(own ? (*own)(x) : (*layer)(x).output[-1]);
  }
  std::optional<Own> own;
  std::optional<nn::Recurrent> layer;
  nn::Linear head = add("head", nn::Linear(width, 10));
};

void run(const Options& o, const std::string& cell) {
  const auto [train, test] = load_images(o);
  manual_seed(o.seed);
  Net net(cell);
  const optim::Optimizer optimizer = optimizer_for(o);
  Trainer trainer(net, cross_entropy, optimizer);
  if (o.find_lr) find_lr(trainer, train, optimizer, o);
  std::fflush(stdout);  // before the progress, which goes to standard error
  const History history = trainer.fit(train, test, o.fit());
  report(history, o);
  if (!o.plots.empty()) draw(history, test, o.plots, predictions(net, test, o));
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Trains a recurrent net on images of ten classes, row by row.");
  Options options{.epochs = 5, .batch = 64, .lr = 1e-2};
  options.optimizer = "adam";
  std::string cell = "lstm";
  app.add_option("--cell", cell, "What runs over the rows: rnn, lstm, gru, or own, a loop that the lesson writes itself")
      ->check(CLI::IsMember({"rnn", "lstm", "gru", "own"}));
  add_training_options(app, options);
  return run_example(app, argc, argv, [&] { run(options, cell); });
}
