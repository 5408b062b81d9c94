#pragma once
// The symbolic tensor, and what can stand where one is expected.

#include <fmt/format.h>

#include <concepts>
#include <iosfwd>
#include <memory>
#include <optional>
#include <source_location>
#include <string>
#include <variant>
#include <vector>

#include "weft/frontend/language/hyper.h"
#include "weft/frontend/language/parameter.h"
#include "weft/frontend/language/places.h"
#include "weft/frontend/language/tensor_methods.h"
#include "weft/ir/graph.h"
#include "weft/support/format.h"

namespace weft {

namespace detail {

class Recording;

/// What a Tensor holds. Slicing a Tensor to it notes the caller's line and is a standard conversion, so that for `!t`,
/// `a && b` and `a || b` our operators are better matches than the built-in ones on bool.
struct TensorHandle {
  std::shared_ptr<Recording> recording;
  ir::Value node;
  std::source_location where;

  TensorHandle() = default;
  TensorHandle(std::shared_ptr<Recording> r, ir::Value v) : recording(std::move(r)), node(v) {}
  TensorHandle(const TensorHandle& other, std::source_location at = std::source_location::current())
      : recording(other.recording), node(other.node), where(at) {}
  TensorHandle& operator=(const TensorHandle&) = default;
};

}  // namespace detail

class Arg;
struct ClampBounds;
struct PartSizes;

/// The axes of a reduction: sum(x, 1), sum(x, {0, -1}), sum(x) for all. Negative ones count from the end.
struct Axes {
  Dims dims;  // empty: all
  Axes() = default;
  Axes(int64_t axis) : dims{axis} {}
  Axes(std::initializer_list<int64_t> axes) : dims(axes) {}
  Axes(Dims axes) : dims(std::move(axes)) {}
};

/// A value of the graph that is being recorded. It has a type and a shape, but no elements: those exist only while a
/// compiled step runs. A cheap handle.
class Tensor : public detail::TensorHandle {
 public:
  /// Names nothing until assigned to; using it is an error.
  Tensor() = default;
  Tensor(std::shared_ptr<detail::Recording> recording, ir::Value value) : TensorHandle(std::move(recording), value) {}

  /// Throw weft::Error when nothing was assigned.
  const Shape& shape() const { return value().shape(); }
  DType dtype() const { return value().dtype(); }

  int64_t dim() const { return shape().rank(); }
  /// The extent of an axis, which counts from the end when negative. Throws weft::Error when there is no such axis.
  int64_t size(int64_t axis, std::source_location at = std::source_location::current()) const;

  /// The part at these places, which begin at the first axis: x[0], x[{Slice(1, 3), 0}] (frontend/language/places.h). Axes behind them
  /// stay whole. Throws weft::Error, naming the line, for an index out of range, more places than axes, two ellipses and a step below 1.
  Tensor operator[](IndexPlaces places) const;

  Tensor(const Tensor&) = default;
  Tensor(Tensor&&) = default;
  // Of a handle with a name alone: x[0] = y and x[0] += y, which would name another value and leave x as it is, do not compile. index_put()
  // and where() make one with other elements.
  Tensor& operator=(const Tensor&) & = default;
  Tensor& operator=(Tensor&&) & = default;
  // x = x + y and so on: this handle then names another value, and no other handle does.
  Tensor& operator+=(const Arg& y) &;
  Tensor& operator-=(const Arg& y) &;
  Tensor& operator*=(const Arg& y) &;
  Tensor& operator/=(const Arg& y) &;

  /// The functions of these names, of this tensor (frontend/language/ops.h; the lists in tensor_methods.h).
#define WEFT_METHOD(name) Tensor name(std::source_location at = std::source_location::current()) const;
  WEFT_METHODS_OF_ONE(WEFT_METHOD)
#undef WEFT_METHOD
#define WEFT_METHOD(name) Tensor name(const Arg& y) const;
  WEFT_METHODS_OF_TWO(WEFT_METHOD)
#undef WEFT_METHOD
#define WEFT_METHOD(name) \
  Tensor name(Axes axes = {}, bool keep_dims = false, std::source_location at = std::source_location::current()) const;
  WEFT_METHODS_OVER_AXES(WEFT_METHOD)
#undef WEFT_METHOD
#define WEFT_METHOD(name) Tensor name(int64_t axis, std::source_location at = std::source_location::current()) const;
  WEFT_METHODS_ALONG_AXIS(WEFT_METHOD)
#undef WEFT_METHOD
  Tensor argmax(std::optional<int64_t> axis = {}, bool keep_dims = false, std::source_location at = std::source_location::current()) const;
  Tensor argmin(std::optional<int64_t> axis = {}, bool keep_dims = false, std::source_location at = std::source_location::current()) const;
  Tensor var(Axes axes = {}, double correction = 1, bool keep_dims = false,
             std::source_location at = std::source_location::current()) const;
  Tensor stddev(Axes axes = {}, double correction = 1, bool keep_dims = false,
                std::source_location at = std::source_location::current()) const;
  Tensor norm(double p = 2, Axes axes = {}, bool keep_dims = false, std::source_location at = std::source_location::current()) const;
  Tensor logsumexp(Axes axes, bool keep_dims = false, std::source_location at = std::source_location::current()) const;
  Tensor masked_fill(const Arg& mask, const Arg& value) const;
  Tensor clamp(const Arg& min) const;
  Tensor clamp(const Arg& min, const Arg& max) const;
  Tensor clamp(ClampBounds bounds, std::source_location at = std::source_location::current()) const;
  /// cast(x, dtype).
  Tensor to(DType dtype, std::source_location at = std::source_location::current()) const;
  Tensor reshape(Dims shape, std::source_location at = std::source_location::current()) const;
  Tensor view(Dims shape, std::source_location at = std::source_location::current()) const;
  Tensor flatten(int64_t start, int64_t end = -1, std::source_location at = std::source_location::current()) const;
  Tensor unsqueeze(int64_t axis, std::source_location at = std::source_location::current()) const;
  Tensor squeeze(Axes axes = {}, std::source_location at = std::source_location::current()) const;
  Tensor expand(Dims shape, std::source_location at = std::source_location::current()) const;
  Tensor permute(Dims axes, std::source_location at = std::source_location::current()) const;
  Tensor transpose(int64_t axis0 = -2, int64_t axis1 = -1, std::source_location at = std::source_location::current()) const;
  Tensor unflatten(int64_t axis, Dims shape, std::source_location at = std::source_location::current()) const;
  Tensor repeat(Dims counts, std::source_location at = std::source_location::current()) const;
  Tensor flip(Axes axes, std::source_location at = std::source_location::current()) const;
  std::vector<Tensor> split(PartSizes sizes, int64_t axis = 0, std::source_location at = std::source_location::current()) const;
  std::vector<Tensor> chunk(int64_t chunks, int64_t axis = 0, std::source_location at = std::source_location::current()) const;
  std::vector<Tensor> unbind(int64_t axis = 0, std::source_location at = std::source_location::current()) const;

  template <class B>
    requires std::same_as<B, bool>
  operator B() const {
    static_assert(sizeof(B) == 0,
                  "a weft::Tensor has no value while the graph is recorded, so it cannot be a C++ condition: use "
                  "select(condition, a, b) to choose element by element when the step runs");
    return false;
  }

  // What torch's tensors can, since they have values.
  template <class T = double>
  T item() const {
    static_assert(sizeof(T) == 0,
                  "a weft::Tensor has no value while the graph is recorded: graph.output(\"name\", x), then "
                  "step(...)[\"name\"].item() once a step has run");
    return {};
  }
  template <class T = void>
  void backward() const {
    static_assert(std::same_as<T, Tensor>,
                  "a weft::Tensor has no gradient of its own: training_step(graph, loss, net.parameters(), optimizer) adds gradients "
                  "and updates to the step, gradients(loss, {w, b}) gives them as tensors");
  }

  /// The node in the IR, for tools.
  ir::Value value() const;
};

/// Says what the tensor is, that it has no value, and how to fetch one.
std::string to_string(const Tensor& tensor);
std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

/// An operand: a tensor, a parameter, a hyper-parameter or a number, and the line where it was handed over.
class Arg {
 public:
  /// Compares like PyTorch's Python scalars: category first (bool < integer < floating), exact value kept.
  struct Number {
    DType category;  // boolean, i64 or f64
    double real;
    int64_t integer;
  };

  Arg(const Tensor& tensor, std::source_location at = std::source_location::current()) : what_(tensor), at_(at) {}
  Arg(const Parameter& parameter, std::source_location at = std::source_location::current()) : what_(parameter), at_(at) {}
  /// Read at every step; among operands it counts as a floating number.
  Arg(const Hyper& hyper, std::source_location at = std::source_location::current()) : what_(HyperExpression(hyper)), at_(at) {}
  Arg(const HyperExpression& hyper, std::source_location at = std::source_location::current()) : what_(hyper), at_(at) {}
  template <class T>
    requires std::is_arithmetic_v<T>
  Arg(T number, std::source_location at = std::source_location::current())
      : what_(Number{std::same_as<T, bool> ? boolean
                     : std::integral<T>    ? i64
                                           : f64,
                     static_cast<double>(number), static_cast<int64_t>(std::integral<T> ? number : T{})}),
        at_(at) {}

  const Tensor* tensor() const { return std::get_if<Tensor>(&what_); }
  const Parameter* parameter() const { return std::get_if<Parameter>(&what_); }
  const HyperExpression* hyper() const { return std::get_if<HyperExpression>(&what_); }
  const Number* number() const { return std::get_if<Number>(&what_); }
  std::source_location where() const { return at_; }

 private:
  std::variant<Tensor, Parameter, HyperExpression, Number> what_;
  std::source_location at_;
};

}  // namespace weft

template <>
struct fmt::formatter<weft::Tensor> : fmt::formatter<std::string_view> {
  template <class Context>
  auto format(const weft::Tensor& tensor, Context& context) const {
    return fmt::formatter<std::string_view>::format(to_string(tensor), context);
  }
};
