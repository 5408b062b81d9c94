#include "weft/frontend/training/lbfgs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <numeric>

#include "weft/frontend/language/scope.h"
#include "weft/frontend/program/compile.h"
#include "weft/runtime/float_mode.h"

namespace weft {
namespace {

using Vector = std::vector<double>;

double dot(const Vector& a, const Vector& b) { return std::inner_product(a.begin(), a.end(), b.begin(), 0.0); }

double largest(const Vector& v) {
  double all = 0;
  for (double x : v) all = std::max(all, std::fabs(x));
  return all;
}

void add(Vector& to, double factor, const Vector& v) {
  for (size_t i = 0; i < to.size(); ++i) to[i] += factor * v[i];
}

Vector times(const Vector& v, double factor) {
  Vector result = v;
  for (double& x : result) x *= factor;
  return result;
}

std::string output_of(const Parameter& parameter) { return "lbfgs." + parameter.name() + ".grad"; }

const LbfgsOptions& checked(const LbfgsOptions& o, std::source_location at) {
  const auto require = [&](bool holds, const std::string& what) {
    if (!holds) throw Error("{}", what).of("LBFGS").at(detail::line_text(at));
  };
  require(o.lr >= 0, fmt::format("lbfgs.lr must not be negative, but it is {}", o.lr));
  require(o.line_search_fn.empty() || o.line_search_fn == "strong_wolfe",
          fmt::format("line_search_fn must be \"strong_wolfe\" or empty, not \"{}\"", o.line_search_fn));
  require(o.max_iter > 0 && o.history_size > 0 && o.max_eval.value_or(1) > 0,
          fmt::format("max_iter ({}), max_eval ({}) and history_size ({}) must be positive", o.max_iter,
                      o.max_eval.value_or(o.max_iter * 5 / 4), o.history_size));
  require(o.tolerance_grad >= 0 && o.tolerance_change >= 0,
          fmt::format("tolerance_grad ({}) and tolerance_change ({}) must not be negative", o.tolerance_grad, o.tolerance_change));
  return o;
}

/// Those that are not frozen.
std::vector<Parameter> trained(std::vector<Parameter> parameters) {
  std::erase_if(parameters, [](const Parameter& p) { return !p.requires_grad(); });
  return parameters;
}

Step compile_program(Graph& graph, const Tensor& loss, const std::vector<Parameter>& parameters, const Target& target,
                     std::source_location at) {
  if (parameters.empty())
    throw Error("there are no parameters to train").of("LBFGS").at(detail::line_text(at)).hint("frozen ones do not count");
  graph.output("lbfgs.loss", Arg(loss, at));
  const std::vector<Tensor> slopes = gradients(Arg(loss, at), parameters);
  for (size_t i = 0; i < slopes.size(); ++i) graph.output(output_of(parameters[i]), Arg(slopes[i], at));
  Recorded recorded(graph);
  recorded.untrained = graph.recording()->untrained;  // the host updates them
  return compile(std::move(recorded), target);
}

/// A point on the line of search: how far, the loss, its gradient and the slope along the line.
struct Trial {
  double t, loss;
  Vector gradient;
  double slope;
};

/// Where the cubic through two points with their slopes is smallest, within bounds.
double cubic_minimum(const Trial& a, const Trial& b, double low, double high) {
  const double d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t);
  const double square = d1 * d1 - a.slope * b.slope;
  if (!(square >= 0)) return (low + high) / 2;
  const double d2 = std::sqrt(square);
  const Trial &left = a.t <= b.t ? a : b, &right = a.t <= b.t ? b : a;
  const double at = right.t - (right.t - left.t) * ((right.slope + d2 - d1) / (right.slope - left.slope + 2 * d2));
  return std::min(std::max(at, low), high);
}

/// The strong Wolfe conditions: the loss falls by at least c1 of what the slope promises, and the slope flattens to c2.
struct Wolfe {
  static constexpr double c1 = 1e-4, c2 = 0.9;
  double loss, slope;  // at the start

  bool too_high(const Trial& x) const { return x.loss > loss + c1 * x.t * slope; }
  bool flat(const Trial& x) const { return std::fabs(x.slope) <= -c2 * slope; }
};

/// A step that lies within a bracket, and away from its ends if the one before was close to an end already.
double step_within(const std::array<Trial, 2>& bracket, bool& close) {
  const auto [low, high] = std::minmax(bracket[0].t, bracket[1].t);
  double t = cubic_minimum(bracket[0], bracket[1], low, high);
  const double margin = 0.1 * (high - low);
  if (std::min(high - t, t - low) >= margin) {
    close = false;
  } else if (close || t >= high || t <= low) {
    t = std::fabs(t - high) < std::fabs(t - low) ? high - margin : low + margin;
    close = false;
  } else {
    close = true;
  }
  return t;
}

/// Evaluates at so far along the line.
using Try = std::function<Trial(double)>;

struct Bracket {
  std::array<Trial, 2> ends;
  bool found = false;  // ends[0] satisfies the conditions
};

/// Goes on until the conditions hold or a bracket around such a point is known.
Bracket find_bracket(const Try& at, const Trial& start, double t, const Wolfe& wolfe, int64_t most, int64_t& iterations) {
  Trial before = start, now = at(t);
  for (; iterations < most; ++iterations) {
    if (wolfe.too_high(now) || (iterations > 1 && now.loss >= before.loss)) return {{before, now}};
    if (wolfe.flat(now)) return {{now, now}, true};
    if (now.slope >= 0) return {{before, now}};
    const double next = cubic_minimum(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10);
    before = std::move(now);
    now = at(next);
  }
  return {{start, now}};
}

/// Makes the bracket smaller until the conditions hold. The lowest end is the result.
Trial zoom(const Try& at, Bracket bracket, const Wolfe& wolfe, double smallest, int64_t most, int64_t iterations) {
  if (bracket.found) return bracket.ends[0];
  auto& ends = bracket.ends;
  size_t low = ends[0].loss <= ends[1].loss ? 0 : 1;
  bool close = false;
  for (; iterations < most && std::fabs(ends[1].t - ends[0].t) >= smallest; ++iterations) {
    Trial now = at(step_within(ends, close));
    const size_t high = 1 - low;
    if (wolfe.too_high(now) || now.loss >= ends[low].loss) {
      ends[high] = std::move(now);
      low = ends[0].loss <= ends[1].loss ? 0 : 1;
      continue;
    }
    const bool done = wolfe.flat(now);
    if (!done && now.slope * (ends[high].t - ends[low].t) >= 0) ends[high] = ends[low];
    ends[low] = std::move(now);
    if (done) break;
  }
  return ends[low];
}

}  // namespace

LBFGS::LBFGS(Graph& graph, const Tensor& loss, std::vector<Parameter> parameters, LbfgsOptions options, const Target& target,
             std::source_location at)
    : lr("lbfgs.lr", checked(options, at).lr, {.low = 0}), options_(std::move(options)), parameters_(trained(std::move(parameters))),
      program_(compile_program(graph, loss, parameters_, target, at)) {}

LBFGS::Point LBFGS::evaluate(std::span<const Feed> feeds) {
  ++evaluations_;
  const Results results = program_.run(feeds);
  const double sign = options_.maximize ? -1 : 1;
  Point point{sign * results["lbfgs.loss"].item(), {}};
  for (const Parameter& parameter : parameters_) {
    const Array gradient = results[output_of(parameter)].array();
    for (int64_t i = 0; i < gradient.shape().numel(); ++i) point.gradient.push_back(sign * gradient.at(i));
  }
  return point;
}

Vector LBFGS::parameters() const {
  Vector all;
  for (const Parameter& parameter : parameters_)
    for (int64_t i = 0; i < parameter.shape().numel(); ++i) all.push_back(parameter.array().at(i));
  return all;
}

void LBFGS::set_parameters(const Vector& start, double t, const Vector& direction) {
  size_t next = 0;
  for (Parameter& parameter : parameters_)
    for (int64_t i = 0; i < parameter.shape().numel(); ++i, ++next) parameter.array().set(i, start[next] + t * direction[next]);
}

void LBFGS::remember(const Vector& gradient) {
  Vector change = gradient;
  add(change, -1, last_gradient_);
  const double product = dot(change, direction_) * t_;
  if (product <= 1e-10) return;
  if (std::ssize(history_) == options_.history_size) history_.erase(history_.begin());
  scale_ = product / dot(change, change);
  history_.push_back({std::move(change), times(direction_, t_), 1 / product});
}

Vector LBFGS::direction(const Vector& gradient) const {
  Vector q = times(gradient, -1), factors(history_.size());
  for (size_t i = history_.size(); i-- > 0;) {
    factors[i] = dot(history_[i].step, q) * history_[i].ro;
    add(q, -factors[i], history_[i].gradient_change);
  }
  q = times(q, scale_);
  for (size_t i = 0; i < history_.size(); ++i) add(q, factors[i] - dot(history_[i].gradient_change, q) * history_[i].ro, history_[i].step);
  return q;
}

LBFGS::Point LBFGS::line_search(std::span<const Feed> feeds, const Point& start, double slope, int64_t most, double& t) {
  const Vector x = parameters();
  const auto at = [&](double far) -> Trial {
    set_parameters(x, far, direction_);
    Point point = evaluate(feeds);
    const double along = dot(point.gradient, direction_);
    return {far, point.loss, std::move(point.gradient), along};
  };
  const Wolfe wolfe{start.loss, slope};
  int64_t iterations = 0;
  Bracket bracket = find_bracket(at, {0, start.loss, start.gradient, slope}, t, wolfe, most, iterations);
  Trial best = zoom(at, std::move(bracket), wolfe, options_.tolerance_change / largest(direction_), most, iterations);
  t = best.t;
  set_parameters(x, t, direction_);
  return {best.loss, std::move(best.gradient)};
}

double LBFGS::step(std::initializer_list<Feed> given) {
  const FloatMode mode;
  const std::span<const Feed> feeds(given.begin(), given.size());
  for (const Parameter& parameter : parameters_)
    if (parameter.is_frozen())
      throw Error("'{}' has been frozen since", parameter.name()).of("LBFGS").hint("make another LBFGS without it, or requires_grad_() it");
  const int64_t most = options_.max_eval.value_or(options_.max_iter * 5 / 4), before = evaluations_;
  Point now = evaluate(feeds);
  const double first = options_.maximize ? -now.loss : now.loss;
  if (largest(now.gradient) <= options_.tolerance_grad) return first;
  for (int64_t i = 1; i <= options_.max_iter; ++i) {
    ++iterations_;
    const bool is_first = iterations_ == 1;
    if (!is_first) remember(now.gradient);
    direction_ = direction(now.gradient);
    last_gradient_ = now.gradient;
    double sum = 0;
    for (double g : now.gradient) sum += std::fabs(g);
    t_ = is_first ? std::min(1.0, 1 / sum) * lr : lr.value();
    const double slope = dot(now.gradient, direction_), last_loss = now.loss;
    if (slope > -options_.tolerance_change) break;
    if (!options_.line_search_fn.empty()) {
      now = line_search(feeds, now, slope, most - (evaluations_ - before), t_);
    } else {
      set_parameters(parameters(), t_, direction_);
      if (i < options_.max_iter) now = evaluate(feeds);
    }
    if (evaluations_ - before >= most || largest(now.gradient) <= options_.tolerance_grad) break;
    if (largest(direction_) * t_ <= options_.tolerance_change || std::fabs(now.loss - last_loss) < options_.tolerance_change) break;
  }
  return first;
}

}  // namespace weft
