#include "weft/frontend/language/hyper.h"

#include <cmath>

#include "weft/frontend/language/cloning.h"
#include "weft/support/error.h"

namespace weft {

Hyper::Hyper(std::string name, double value, Range range) : shared_(std::make_shared<Shared>(std::move(name), range, value)) {
  *this = value;
}

Hyper::Hyper(const Hyper& other) : shared_(other.shared_) {
  if (auto* cloning = detail::Cloning::current())
    shared_ = cloning->twin(other.shared_, [&] { return std::make_shared<Shared>(*other.shared_); });
}

Hyper& Hyper::operator=(double value) {
  if (!allows(value)) throw Error("{} must lie in {}, not be {}", name(), range().text(), value);
  shared_->value = value;
  return *this;
}

HyperExpression::HyperExpression(const Hyper& hyper)
    : node_(std::make_shared<Node>(Node{Op::hyper, std::make_shared<const Hyper>(hyper)})) {}
HyperExpression::HyperExpression(double number) : node_(std::make_shared<Node>(Node{Op::number, {}, number})) {}
HyperExpression::HyperExpression(Op op, const HyperExpression& a, const HyperExpression& b)
    : node_(std::make_shared<Node>(Node{op, {}, 0, a.node_, b.node_})) {}

namespace {

double value_of(const HyperExpression::Node& node) {
  using enum HyperExpression::Op;
  switch (node.op) {
    case hyper: return node.hyper->value();
    case number: return node.number;
    case negate: return -value_of(*node.a);
    case add: return value_of(*node.a) + value_of(*node.b);
    case subtract: return value_of(*node.a) - value_of(*node.b);
    case multiply: return value_of(*node.a) * value_of(*node.b);
    case divide: return value_of(*node.a) / value_of(*node.b);
    case power: return std::pow(value_of(*node.a), value_of(*node.b));
  }
  return 0;
}

}  // namespace

double HyperExpression::value() const { return value_of(*node_); }

}  // namespace weft
