#pragma once
// L-BFGS: a driver on the host over one compiled program that gives the loss and its gradient.
//
//   Graph graph("fit");
//   Tensor loss = mse_loss(net(graph.input("x", f32, {64, 3})), graph.input("y", f32, {64, 1}));
//   LBFGS lbfgs(graph, loss, net.parameters(), {.line_search_fn = "strong_wolfe"});
//   for (int i = 0; i < 10; ++i) fmt::print("{}\n", lbfgs.step({{"x", x}, {"y", y}}));

#include <initializer_list>
#include <optional>
#include <source_location>
#include <string>
#include <vector>

#include "weft/frontend/language/graph.h"
#include "weft/frontend/language/hyper.h"
#include "weft/frontend/program/step.h"
#include "weft/frontend/program/target.h"

namespace weft {

struct LbfgsOptions {
  double lr = 1;
  int64_t max_iter = 20;                 // iterations of a step
  std::optional<int64_t> max_eval = {};  // evaluations of a step; max_iter * 5 / 4 unless given
  double tolerance_grad = 1e-7;          // stop when no element of the gradient is larger
  double tolerance_change = 1e-9;        // stop when neither the loss nor a parameter changes by more
  int64_t history_size = 100;            // past steps that the curvature is estimated from
  std::string line_search_fn = {};       // "strong_wolfe", or empty: every step is lr long
  bool maximize = false;
};

/// torch.optim.LBFGS (Nocedal and Wright, "Numerical optimization", algorithms 7.4 and 3.5): step() for step(), in double
/// whatever the parameters' element type.
class LBFGS {
 public:
  /// Compiles; `loss` must be a floating scalar of the graph, which gets the outputs "lbfgs.loss" and "lbfgs.<parameter>.grad".
  /// Frozen parameters are left out. Throws weft::Error as gradients() does, without parameters, for another line search, and for
  /// options that are negative or counts that are not positive; step() does when one has been frozen since.
  LBFGS(Graph& graph, const Tensor& loss, std::vector<Parameter> parameters, LbfgsOptions options = {},
        const Target& target = Target::cpu(), std::source_location at = std::source_location::current());

  /// Up to max_iter iterations on this batch. Returns the loss before them. Throws as Step does, and for a layer that the loss depends on
  /// and that was forgotten, as a training step's.
  double step(std::initializer_list<Feed> feeds = {});

  /// The length of the first try of an iteration; read at every step.
  Hyper lr;
  /// Iterations and evaluations of the program so far.
  int64_t iterations() const { return iterations_; }
  int64_t evaluations() const { return evaluations_; }
  const Step& program() const { return program_; }

 private:
  using Vector = std::vector<double>;
  struct Point {
    double loss = 0;  // negated to maximize
    Vector gradient;
  };
  struct Pair {
    Vector gradient_change, step;
    double ro;  // 1 / their product
  };

  Point evaluate(std::span<const Feed> feeds);
  Vector parameters() const;
  void set_parameters(const Vector& start, double t, const Vector& direction);
  /// -H g by the two loops over the history.
  Vector direction(const Vector& gradient) const;
  void remember(const Vector& gradient);
  Point line_search(std::span<const Feed> feeds, const Point& start, double slope, int64_t most, double& t);

  LbfgsOptions options_;
  std::vector<Parameter> parameters_;
  Step program_;
  std::vector<Pair> history_;  // oldest first
  Vector direction_, last_gradient_;
  double t_ = 0, scale_ = 1;
  int64_t iterations_ = 0, evaluations_ = 0;
};

}  // namespace weft
