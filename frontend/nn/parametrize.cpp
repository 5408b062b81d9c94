#include "weft/frontend/nn/parametrize.h"

#include <cmath>

#include "weft/frontend/language/computation.h"
#include "weft/frontend/language/init.h"
#include "weft/frontend/language/ops.h"
#include "weft/frontend/language/scope.h"
#include "weft/runtime/float_mode.h"

namespace weft::nn {
namespace {

/// What PyTorch calls a ParametrizationList: the originals of one parameter, and what makes it of them.
class Originals : public Module {
 public:
  void take(const std::string& name, Array values, bool requires_grad) {
    originals_.push_back(add(name, Parameter(name, std::move(values))));
    originals_.back().requires_grad_(requires_grad);
  }
  void make_by(AnyModule by) {
    register_part("0", *by);
    by_ = std::move(by);
  }
  const Parameter& original(size_t i) const { return originals_[i]; }
  const AnyModule& by() const { return *by_; }

 private:
  std::vector<Parameter> originals_;
  std::optional<AnyModule> by_;
};

/// Copies of it are of the clone's originals.
template <class Formula>
class Computed : public weft::detail::Computation {
 public:
  Computed(Originals originals, Parameter parameter, Formula formula)
      : originals_(std::move(originals)), name_(parameter.name()), type_{parameter.dtype(), parameter.shape()},
        formula_(std::move(formula)) {}
  Tensor value() const override {
    const Tensor made = formula_(originals_);
    if (made.value().type() != type_)
      throw Error("the parametrization of '{}' gives {}, but the parameter is {}", name_, to_string(made.value().type()), to_string(type_));
    return made;
  }
  std::shared_ptr<const weft::detail::Computation> copy() const override { return std::make_shared<Computed>(*this); }

 private:
  Originals originals_;
  std::string name_;
  ir::Type type_;
  Formula formula_;
};

template <class Formula>
void replace(Module& module, const std::string& name, const Parameter& parameter, Originals originals, Formula formula) {
  auto computed = std::make_shared<Computed<Formula>>(originals, parameter, std::move(formula));
  detail::Parametrizing::replace(module, name, originals, std::move(computed));
}

/// Runs what refuses with the user's line.
template <class F>
void with_line(const char* what, std::source_location at, F run) try {
  run();
} catch (Error& e) {
  e.of(what).at(weft::detail::line_text(at));
  throw;
}

Parameter floating_parameter(const Module& module, const std::string& name) {
  const Parameter parameter = detail::Parametrizing::find(module, name);
  if (!is_floating(parameter.dtype()))
    throw Error("only floating parameters are parametrized, but '{}' is {}", name, name_of(parameter.dtype()));
  return parameter;
}

int64_t axis_of(const Parameter& parameter, int64_t dim) {
  const int rank = parameter.shape().rank();
  if (dim < -rank || dim >= rank)
    throw Error("dim {} is no axis of '{}', which is {}", dim, parameter.name(), to_string(parameter.shape()));
  return dim < 0 ? dim + rank : dim;
}

/// The norm over all axes but `dim`, which are kept.
Tensor norm_except(const Tensor& v, std::optional<int64_t> dim) {
  Dims axes;
  for (int64_t d = 0; d < v.dim(); ++d)
    if (d != dim) axes.push_back(d);
  if (axes.empty()) return abs(v);  // of a vector along its axis
  return norm(v, 2, axes, dim.has_value());
}

/// The elements of axis `dim` first, those of all others as one axis.
struct Matrix {
  int64_t rows, columns;
  int64_t stride, count;  // along the axis, and how many blocks stand before it

  Matrix(const Shape& shape, int64_t dim) : rows(shape.dims()[static_cast<size_t>(dim)]), columns(1), stride(1), count(1) {
    for (int64_t d = 0; d < shape.rank(); ++d) {
      const int64_t extent = shape.dims()[static_cast<size_t>(d)];
      if (d < dim) count *= extent;
      if (d > dim) stride *= extent;
    }
    columns = count * stride;
  }
  int64_t row(int64_t element) const { return element / stride % rows; }
  int64_t column(int64_t element) const { return element / (stride * rows) * stride + element % stride; }
};

Array norms(const Parameter& v, std::optional<int64_t> dim) {
  const FloatMode mode;
  Dims kept(v.shape().dims().size(), 1);
  if (dim) kept[static_cast<size_t>(*dim)] = v.shape().dims()[static_cast<size_t>(*dim)];
  std::vector<double> squares(dim ? static_cast<size_t>(kept[static_cast<size_t>(*dim)]) : 1, 0);
  const Matrix m(v.shape(), dim.value_or(0));
  for (int64_t i = 0; i < v.shape().numel(); ++i) squares[dim ? static_cast<size_t>(m.row(i)) : 0] += std::pow(v.array().at(i), 2);
  Array result(v.dtype(), dim ? Shape(kept) : Shape{});
  result.generate([&](int64_t i) { return std::sqrt(squares[static_cast<size_t>(i)]); });
  return result;
}

}  // namespace

void detail::add_weight_norm(Module& module, const std::string& name, std::optional<int64_t> dim, std::source_location at) {
  with_line("nn::weight_norm", at, [&] {
    const Parameter parameter = floating_parameter(module, name);
    const std::optional<int64_t> axis = dim && *dim != -1 ? std::optional(axis_of(parameter, *dim)) : std::nullopt;
    Originals originals;
    originals.take("original0", norms(parameter, axis), !parameter.is_frozen());
    originals.take("original1", parameter.array(), !parameter.is_frozen());
    replace(module, name, parameter, originals, [axis](const Originals& o) {
      const Tensor v = 1.0 * o.original(1);
      return v * (o.original(0) / norm_except(v, axis));
    });
  });
}

namespace {

/// The largest singular value by power iteration: torch's _SpectralNorm.
class SpectralNorm : public Module {
 public:
  SpectralNorm(const Parameter& weight, int64_t dim, int64_t iterations, double eps) : dim_(dim), iterations_(iterations), eps_(eps) {
    if (weight.shape().rank() == 1) return;
    const FloatMode mode;
    const Matrix m(weight.shape(), dim);
    std::vector<double> u = direction("_u", m.rows), v = direction("_v", m.columns);
    const auto multiply = [&](const std::vector<double>& by, bool transposed, size_t size) {
      std::vector<double> product(size, 0);
      for (int64_t i = 0; i < weight.shape().numel(); ++i) {
        const auto row = static_cast<size_t>(m.row(i)), column = static_cast<size_t>(m.column(i));
        product[transposed ? column : row] += weight.array().at(i) * by[transposed ? row : column];
      }
      return normalized(product);
    };
    for (int i = 0; i < 15; ++i) {
      u = multiply(v, false, u.size());
      v = multiply(u, true, v.size());
    }
    u_ = add_vector("_u", u, weight.dtype());
    v_ = add_vector("_v", v, weight.dtype());
  }

  Tensor forward(Tensor weight) override {
    if (weight.dim() == 1) return normalize(weight, 2, 0, eps_);
    Tensor u = current(u_, weight), v = current(v_, weight);
    const Tensor matrix = reshape(movedim(weight, dim_, 0), {weight.size(dim_), -1});
    if (training()) {
      const Tensor fixed = detach(matrix);
      for (int64_t i = 0; i < iterations_; ++i) {
        u = unit(mv(fixed, v));
        v = unit(mv(fixed.transpose(0, 1), u));
      }
      update(u_, u);
      update(v_, v);
    }
    return weight / dot(u, mv(matrix, v));
  }

 private:
  std::vector<double> normalized(std::vector<double> x) const {
    double squares = 0;
    for (double e : x) squares += e * e;
    const double norm = std::max(std::sqrt(squares), eps_);
    for (double& e : x) e /= norm;
    return x;
  }
  std::vector<double> direction(const std::string& name, int64_t size) const {
    Parameter drawn(name, Array(f64, Shape{size}));
    init::normal(drawn);
    return normalized(drawn.values<double>());
  }
  Parameter add_vector(const std::string& name, const std::vector<double>& x, DType dtype) {
    Array values(dtype, Shape{std::ssize(x)});
    values.generate([&](int64_t i) { return x[static_cast<size_t>(i)]; });
    return add_buffer(name, std::move(values));
  }
  Tensor unit(const Tensor& x) const { return x / maximum(norm(x), eps_); }

  Parameter u_, v_;
  int64_t dim_, iterations_;
  double eps_;
};

}  // namespace

void detail::add_parametrization(Module& module, const std::string& name, AnyModule by, std::source_location at) {
  with_line("nn::parametrize", at, [&] {
    const Parameter parameter = floating_parameter(module, name);
    Originals originals;
    originals.take("original", parameter.array(), !parameter.is_frozen());
    by->train(module.training());
    originals.make_by(std::move(by));
    replace(module, name, parameter, originals, [](const Originals& o) { return (*o.by())(o.original(0)); });
  });
}

void detail::add_spectral_norm(Module& module, const std::string& name, int64_t n_power_iterations, double eps, int64_t dim,
                               std::source_location at) {
  with_line("nn::spectral_norm", at, [&] {
    if (n_power_iterations < 1) throw Error("there must be at least one power iteration, not {}", n_power_iterations);
    const Parameter parameter = floating_parameter(module, name);
    if (parameter.shape().rank() == 0) throw Error("'{}' is a scalar, which has no singular values", name);
    const int64_t rows = axis_of(parameter, dim);
    add_parametrization(module, name, AnyModule(SpectralNorm(parameter, rows, n_power_iterations, eps)), at);
  });
}

}  // namespace weft::nn
