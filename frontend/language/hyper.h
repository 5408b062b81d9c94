#pragma once
// A hyper-parameter: a number that compiled programs read at every step, so that changing it recompiles nothing. Optimizers and layers
// have some; one of yours stands in expressions as a number does:
//
//   Hyper beta("beta", 1, {.low = 0});
//   Tensor loss = graph.output("loss", reconstruction + beta * divergence);
//   ...
//   beta = 0.5;                                // the next step uses it
//
// What is computed of hyper-parameters and numbers with + - * / and pow() stays one that steps read: (1 - beta) * a + beta * b. What takes
// a double (an option, a factor of addcmul) takes the number that it is when the graph is recorded.

#include <compare>
#include <concepts>
#include <memory>
#include <string>
#include <type_traits>

#include "weft/runtime/value_bounds.h"

namespace weft {

class Hyper {
 public:
  using Range = NumberRange;

  /// Throws weft::Error naming it when `value` is nan or outside the range; so does every assignment.
  Hyper(std::string name, double value, Range range = {});
  /// A second handle of the same number; in a clone of a module (nn::clone), of the clone's own.
  Hyper(const Hyper& other);
  /// Assigning, from a Hyper too, sets the number that all handles share.
  Hyper& operator=(double value);
  Hyper& operator=(const Hyper& other) { return *this = other.value(); }
  Hyper& operator*=(double factor) { return *this = value() * factor; }

  double value() const { return shared_->value; }
  /// Whether it may be assigned.
  bool allows(double value) const { return range().allows(value); }
  const Range& range() const { return shared_->range; }
  operator double() const { return value(); }
  const std::string& name() const { return shared_->name; }
  /// Where programs read it.
  double* address() const { return &shared_->value; }

 private:
  struct Shared {
    std::string name;
    Range range;
    double value;
  };
  std::shared_ptr<Shared> shared_;
};

/// Computed of hyper-parameters and numbers alone: 1 - beta. Among tensors it is read at every step; elsewhere it is the number that it is
/// now.
class HyperExpression {
 public:
  enum class Op { hyper, number, negate, add, subtract, multiply, divide, power };
  struct Node {
    Op op;
    std::shared_ptr<const Hyper> hyper = {};
    double number = 0;
    std::shared_ptr<const Node> a = {}, b = {};
  };

  HyperExpression(const Hyper& hyper);
  explicit HyperExpression(double number);
  HyperExpression(Op op, const HyperExpression& a, const HyperExpression& b);

  double value() const;
  operator double() const { return value(); }
  const Node& node() const { return *node_; }

 private:
  std::shared_ptr<const Node> node_;
};

namespace detail {

template <class T>
concept OfHypers = std::same_as<T, Hyper> || std::same_as<T, HyperExpression>;
template <class A, class B>
concept OfHypersAndNumbers = (OfHypers<A> && (OfHypers<B> || std::is_arithmetic_v<B>)) || (std::is_arithmetic_v<A> && OfHypers<B>);

template <class A, class B>
HyperExpression combined(HyperExpression::Op op, const A& a, const B& b) {
  return {op, HyperExpression(a), HyperExpression(b)};
}

}  // namespace detail

template <class A, class B>
  requires detail::OfHypersAndNumbers<A, B>
HyperExpression operator+(const A& a, const B& b) {
  return detail::combined(HyperExpression::Op::add, a, b);
}
template <class A, class B>
  requires detail::OfHypersAndNumbers<A, B>
HyperExpression operator-(const A& a, const B& b) {
  return detail::combined(HyperExpression::Op::subtract, a, b);
}
template <class A, class B>
  requires detail::OfHypersAndNumbers<A, B>
HyperExpression operator*(const A& a, const B& b) {
  return detail::combined(HyperExpression::Op::multiply, a, b);
}
template <class A, class B>
  requires detail::OfHypersAndNumbers<A, B>
HyperExpression operator/(const A& a, const B& b) {
  return detail::combined(HyperExpression::Op::divide, a, b);
}
template <class A, class B>
  requires detail::OfHypersAndNumbers<A, B>
HyperExpression pow(const A& a, const B& b) {
  return detail::combined(HyperExpression::Op::power, a, b);
}
template <detail::OfHypers A>
HyperExpression operator-(const A& a) {
  return detail::combined(HyperExpression::Op::negate, a, a);
}
template <detail::OfHypers A, detail::OfHypers B>
bool operator==(const A& a, const B& b) {
  return a.value() == b.value();
}
template <detail::OfHypers A, detail::OfHypers B>
std::partial_ordering operator<=>(const A& a, const B& b) {
  return a.value() <=> b.value();
}

}  // namespace weft
