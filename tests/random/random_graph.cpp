#include "weft/tests/random/random_graph.h"

#include <algorithm>
#include <numeric>
#include <random>

#include "weft/ir/builder.h"
#include "weft/passes/autodiff.h"

namespace weft::test {
namespace {

using ir::Builder;
using ir::Value;

class Generator {
 public:
  explicit Generator(uint64_t seed) : random_(seed), module_("random"), b_(module_.graph()) {}

  ir::Module run() {
    for (int i = 0; i < 3; ++i) add_input();
    const int ops = 4 + below(20);
    for (int i = 0; i < ops; ++i) add_op();
    add_outputs();
    if (below(2)) add_gradients();
    return std::move(module_);
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<uint64_t>(n)); }
  template <class T> const T& pick(const std::vector<T>& all) { return all[static_cast<size_t>(below(static_cast<int>(all.size())))]; }

  Shape random_shape() {
    // Few extents, so that shapes meet; some on either side of a vector's 16 lanes.
    static const std::vector<int64_t> extents = {1, 2, 3, 5, 16, 17, 33};
    Dims dims(static_cast<size_t>(below(4)));
    for (int64_t& d : dims) d = below(60) == 0 ? 0 : pick(extents);
    return Shape(dims);
  }

  void add_input() {
    const DType t = below(8) == 0 ? f64 : below(8) == 0 ? bf16 : f32;
    Value v = module_.graph().add_input(fmt::format("x{}", module_.graph().inputs().size()), {t, random_shape()});
    values_.push_back(v);
  }

  Value any() { return pick(values_); }

  /// A value of the given kind, or none after a few tries.
  template <class Good>
  Value such(Good good) {
    for (int i = 0; i < 12; ++i)
      if (const Value v = any(); good(v)) return v;
    return {};
  }

  Value floating() { return such([](Value v) { return is_floating(v.dtype()); }); }

  /// `v` in the type of `like`.
  Value matched(Value v, Value like) {
    v = b_.cast(v, like.dtype());
    Shape both;
    if (v.shape() == like.shape()) return v;
    if (broadcast_shapes(v.shape(), like.shape(), both) && both == like.shape()) return b_.broadcast(v, like.shape());
    return b_.cast(b_.splat({f32, like.shape()}, 0.25 * below(9) - 1), like.dtype());
  }

  void keep(Value v) {
    if (v && v.shape().numel() <= 40000) values_.push_back(v);
  }

  void add_op() {
    static const std::vector<void (Generator::*)()> kinds = {
        &Generator::unary,  &Generator::unary,     &Generator::binary,   &Generator::binary,  &Generator::compare,
        &Generator::widen,  &Generator::reduce,    &Generator::reduce,   &Generator::permute, &Generator::reshape,
        &Generator::slice,  &Generator::pad,       &Generator::concat,   &Generator::product, &Generator::composite,
        &Generator::choose, &Generator::convert,   &Generator::index};
    (this->*pick(kinds))();
  }

  void unary() {
    static const std::vector<std::string> names = {"neg", "abs", "exp", "log", "sqrt", "tanh", "erf", "sigmoid", "relu", "square",
                                                   "sin", "cos", "rsqrt", "reciprocal", "expm1", "log1p", "sign", "floor", "copy"};
    const Value v = floating();
    if (!v) return;
    const std::string& name = pick(names);
    // Keep values in a range where functions are well conditioned more often than not.
    Value x = v;
    if (name == "exp" || name == "expm1") x = b_("tanh", {v});
    if (name == "log" || name == "sqrt" || name == "rsqrt" || name == "reciprocal" || name == "log1p")
      x = b_("add", {b_("sigmoid", {v}), b_.splat(v.type(), 0.5)});
    keep(b_(name, {x}));
  }

  void binary() {
    static const std::vector<std::string> names = {"add", "sub", "mul", "div", "maximum", "minimum"};
    const Value a = floating();
    if (!a) return;
    Value other = matched(any(), a);
    const std::string& name = pick(names);
    if (name == "div") other = b_("add", {b_("abs", {other}), b_.splat(other.type(), 0.5)});
    keep(b_(name, {a, other}));
  }

  void compare() {
    static const std::vector<std::string> names = {"lt", "le", "gt", "ge", "eq", "ne"};
    const Value a = any();
    keep(b_(pick(names), {a, matched(any(), a)}));
  }

  void choose() {
    const Value c = such([](Value v) { return v.dtype() == boolean; });
    const Value a = floating();
    if (!c || !a) return;
    const Value yes = matched(a, b_.cast(c, a.dtype()));
    keep(b_("select", {c, yes, b_("neg", {yes})}));
  }

  void widen() {
    const Value v = any();
    Dims shape = v.shape().dims();
    for (int64_t& d : shape)
      if (d == 1 && below(2)) d = 5;
    if (below(2)) shape.insert(shape.begin(), 3);
    if (shape.size() < 5) keep(b_.broadcast(v, Shape(shape)));
  }

  Dims some_axes(Value v) {
    Dims axes;
    for (int d = 0; d < v.shape().rank(); ++d)
      if (below(2)) axes.push_back(d);
    return axes;
  }

  void reduce() {
    static const std::vector<std::string> names = {"sum", "mean", "max", "min"};
    const Value v = floating();
    if (!v) return;
    const Dims axes = some_axes(v);
    const std::string& name = pick(names);
    for (int64_t axis : axes)
      if (v.shape()[static_cast<int>(axis)] == 0) return;
    keep(b_(name, {v}, {{"axes", axes}, {"keep_dims", below(2) == 1}}));
  }

  void permute() {
    const Value v = any();
    Dims p(v.shape().dims().size());
    std::iota(p.begin(), p.end(), 0);
    std::shuffle(p.begin(), p.end(), random_);
    keep(b_("transpose", {v}, {{"permutation", p}}));
  }

  void reshape() {
    const Value v = any();
    Dims shape = v.shape().dims();
    const int how = below(3);
    if (how == 0) shape = {v.shape().numel()};
    else if (how == 1) shape.insert(shape.begin() + below(static_cast<int>(shape.size()) + 1), 1);
    else std::erase(shape, 1);
    keep(b_.reshape(v, Shape(shape)));
  }

  void slice() {
    const Value v = any();
    Dims start, end, step;
    for (int64_t d : v.shape()) {
      start.push_back(d > 1 ? below(static_cast<int>(d) / 2 + 1) : 0);
      end.push_back(d - (d - start.back() > 1 ? below(2) : 0));
      step.push_back(1 + below(3) / 2);
    }
    keep(b_("slice", {v}, {{"start", start}, {"end", end}, {"step", step}}));
  }

  void pad() {
    const Value v = floating();
    if (!v) return;
    Dims low, high;
    for (int d = 0; d < v.shape().rank(); ++d) low.push_back(below(3)), high.push_back(below(3));
    keep(b_("pad", {v}, {{"low", low}, {"high", high}, {"value", 0.5 * below(4)}}));
  }

  void concat() {
    const Value v = any();
    if (v.shape().rank() == 0) return;
    const Value other = such([&](Value o) { return o.type() == v.type(); });
    if (!other) return;
    keep(b_("concat", {v, other}, {{"axis", int64_t{below(v.shape().rank())}}}));
  }

  void product() {
    const Value a = such([](Value v) { return v.dtype() == f32 && v.shape().rank() >= 2; });
    if (!a) return;
    const int r = a.shape().rank();
    Dims shape = a.shape().dims();
    const bool ta = below(2), tb = below(2);
    const int64_t k = shape[static_cast<size_t>(ta ? r - 2 : r - 1)];
    Dims other(shape.begin(), shape.end() - 2);
    const int64_t n = 1 + below(20);
    other.push_back(tb ? n : k), other.push_back(tb ? k : n);
    const Value b = module_.graph().add_input(fmt::format("x{}", module_.graph().inputs().size()), {f32, Shape(other)});
    Value y = b_("matmul", {a, b}, {{"transpose_a", ta}, {"transpose_b", tb}});
    if (below(2)) y = b_("add", {y, b_.broadcast(module_.graph().add_input(fmt::format("x{}", module_.graph().inputs().size()), {f32, {n}}), y.shape())});
    if (below(2)) y = b_("relu", {y});
    keep(y);
  }

  void composite() {
    const Value v = such([](Value x) { return is_floating(x.dtype()) && x.shape().rank() >= 1 && x.shape().numel() > 0; });
    if (!v) return;
    const int64_t axis = below(v.shape().rank());
    switch (below(4)) {
      case 0: return keep(b_("softmax", {v}, {{"axis", axis}}));
      case 1: return keep(b_("log_softmax", {v}, {{"axis", axis}}));
      case 2: return keep(b_("gelu", {v}, {{"approximate", std::string(below(2) ? "none" : "tanh")}}));
      default: return keep(b_("argmax", {v}, {{"axis", axis}, {"keep_dims", below(2) == 1}}));
    }
  }

  void convert() {
    static const std::vector<DType> types = {f32, f64, bf16, i64, i32, boolean};
    const Value v = any();
    Value x = v;
    const DType to = pick(types);
    // Large floats do not fit an integer; the tests of casts cover that.
    if (is_floating(v.dtype()) && !is_floating(to)) x = b_("mul", {b_("tanh", {v}), b_.splat(v.type(), 50)});
    keep(b_.cast(x, to));
  }

  void index() {
    const Value v = such([](Value x) { return x.shape().rank() >= 1 && x.shape().numel() > 0 && x.dtype() == f32; });
    if (!v) return;
    const int64_t axis = below(v.shape().rank()), extent = v.shape()[static_cast<int>(axis)];
    const Value count = b_("iota", {}, {{"shape", Dims{4}}});
    const Value i = b_("minimum", {count, b_.splat(count.type(), static_cast<double>(extent - 1))});
    keep(b_("gather", {v, i}, {{"axis", axis}}));
  }

  void add_outputs() {
    for (size_t i = 0; i < values_.size(); ++i)
      if (!values_[i].is_input() && (values_[i].users().empty() || below(6) == 0))
        module_.graph().add_output({fmt::format("y{}", i), values_[i], std::nullopt, {}});
  }

  /// The loss is the mean over some outputs' means of tanh, so that it is bounded.
  void add_gradients() {
    Value loss;
    for (Value v : values_) {
      if (v.is_input() || !is_floating(v.dtype()) || v.shape().numel() == 0 || below(3)) continue;
      Dims axes(v.shape().dims().size());
      std::iota(axes.begin(), axes.end(), 0);
      const Value part = b_.cast(b_("mean", {b_("tanh", {v})}, {{"axes", axes}}), f32);
      loss = loss ? b_("add", {loss, part}) : part;
    }
    if (!loss) return;
    std::vector<Value> xs;
    for (const ir::Input& input : module_.graph().inputs()) xs.push_back(input.value());
    const std::vector<Value> dx = passes::gradients(module_.graph(), loss, xs);
    module_.graph().add_output({"loss", loss, std::nullopt, {}});
    for (size_t i = 0; i < dx.size(); ++i) module_.graph().add_output({fmt::format("dx{}", i), dx[i], std::nullopt, {}});
  }

  std::mt19937_64 random_;
  ir::Module module_;
  Builder b_;
  std::vector<Value> values_;
};

}  // namespace

ir::Module random_module(uint64_t seed) { return Generator(seed).run(); }

}  // namespace weft::test
