#pragma once
// A hyper-parameter: a number that compiled programs read at every step, so that changing it recompiles nothing. Optimizers and layers
// have some; one of yours stands in expressions as a number does:
//
//   Hyper beta("beta", 1, {.low = 0});
//   Tensor loss = graph.output("loss", reconstruction + beta * divergence);
//   ...
//   beta = 0.5;                                // the next step uses it

#include <compare>
#include <memory>
#include <string>

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

// Outside of graphs it is the number that it is now; a tensor comes of what has a tensor or a parameter in it.
inline double operator-(const Hyper& a) { return -a.value(); }
inline double operator+(const Hyper& a, const Hyper& b) { return a.value() + b.value(); }
inline double operator-(const Hyper& a, const Hyper& b) { return a.value() - b.value(); }
inline double operator*(const Hyper& a, const Hyper& b) { return a.value() * b.value(); }
inline double operator/(const Hyper& a, const Hyper& b) { return a.value() / b.value(); }
inline bool operator==(const Hyper& a, const Hyper& b) { return a.value() == b.value(); }
inline std::partial_ordering operator<=>(const Hyper& a, const Hyper& b) { return a.value() <=> b.value(); }

}  // namespace weft
