// Trains a line by one step of gradient descent.

#include <weft/weft.h>

using namespace weft;

int main() {
  Parameter w("w", {1.0f});
  optim::SGD sgd({.lr = 0.5});
  Graph graph("line");
  Tensor x = graph.input("x", f32, {2}), y = graph.input("y", f32, {2});
  Tensor loss = mse_loss(w * x, y);
  Step step = compile(training_step(graph, loss, {w}, sgd), Target::cpu());
  const std::vector<float> xs = {1, 2}, ys = {3, 5};
  // mean((w x - y)^2) = (4 + 9) / 2, and its slope in w is (2 * -2 * 1 + 2 * -3 * 2) / 2 = -8.
  const double before = step({{"x", xs}, {"y", ys}})["loss"].item();
  const float after = w.values<float>()[0];
  fmt::print("loss {}, w {}\n", before, after);
  return before == 6.5 && after == 5 ? 0 : 1;
}
