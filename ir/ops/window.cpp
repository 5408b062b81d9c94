// Unfolding (im2col), which lays out the windows that slide along axes, and pooling, which reduces them. Semantics follow
// torch.Tensor.unfold and torch.nn.functional.max_pool2d and avg_pool2d.

#include <algorithm>
#include <limits>
#include <numeric>

#include "weft/ir/layout.h"
#include "weft/ir/ops/families.h"
#include "weft/ir/ops/movements.h"
#include "weft/support/sliding_window.h"

namespace weft::ir {
namespace {

/// The windows along some axes, from the attributes of an op.
struct Sliding {
  Dims axes, extents, stride, dilation, low, high;

  SlidingWindow along(size_t i) const {
    return {.extent = extents[i], .stride = stride[i], .dilation = dilation[i], .low = low[i], .high = high[i]};
  }
};

template <class Get>
Sliding sliding_of(const Get& get, Dims axes) {
  const auto given = [&](const char* name, int64_t otherwise) { return per_window_axis(get(name), axes.size(), otherwise); };
  Sliding s{.extents = get("extents"), .stride = given("stride", 1), .dilation = given("dilation", 1)};
  s.low = given("low", 0), s.high = given("high", 0);
  s.axes = std::move(axes);
  return s;
}

Sliding sliding_of(const Op& op, Dims axes) {
  return sliding_of([&](const char* name) { return op.dims(name); }, std::move(axes));
}

/// The last axes, as many as the windows have.
Dims last_axes(int rank, size_t count) {
  Dims axes(count);
  std::iota(axes.begin(), axes.end(), rank - static_cast<int64_t>(count));
  return axes;
}

Sliding checked(const InferContext& c, const Dims& axes) {
  const Dims& extents = c.get<Dims>("extents");
  const int rank = c.shape(0).rank();
  c.require(extents.size() == axes.size(), "axes and extents need one entry each per window axis");
  for (const char* name : {"stride", "dilation", "low", "high"})
    c.require(c.get<Dims>(name).empty() || c.get<Dims>(name).size() == axes.size(), std::string(name) + " needs one entry per window axis");
  const Sliding s = sliding_of([&](const char* name) { return c.get<Dims>(name); }, axes);
  for (size_t i = 0; i < axes.size(); ++i) {
    const SlidingWindow w = s.along(i);
    c.require(axes[i] >= 0 && axes[i] < rank && (i == 0 || axes[i] > axes[i - 1]),
              "the axes must be ascending and lie in the operand's rank");
    c.require(w.extent >= 1 && w.stride >= 1 && w.dilation >= 1, "extents, stride and dilation must be positive");
    c.require(w.low >= 0 && w.high >= 0, "padding must not be negative");
    const int64_t largest = std::max({w.extent, w.stride, w.dilation, w.low, w.high});
    c.require(largest <= SlidingWindow::most,
              fmt::format("{} is too large for an extent, a stride, a dilation or a padding: 2^30 is the most", largest));
    c.require(w.positions(c.shape(0)[axes[i]]) >= 1, "a window does not fit into the axis");
  }
  return s;
}

/// Where axis `axis` of the operand of `windows` stands in its result: each axis with windows before it has become two.
int moved(const Sliding& s, int axis) {
  return axis + static_cast<int>(std::count_if(s.axes.begin(), s.axes.end(), [&](int64_t a) { return a < axis; }));
}

Value windows(Builder& b, Value x, const Sliding& s, double value) {
  return b("windows", {x},
           {{"axes", s.axes},
            {"extents", s.extents},
            {"stride", s.stride},
            {"dilation", s.dilation},
            {"low", s.low},
            {"high", s.high},
            {"value", value}});
}

/// The windows' own axes in the result of `windows`.
Dims offset_axes(const Sliding& s) {
  Dims axes;
  for (int64_t axis : s.axes) axes.push_back(moved(s, static_cast<int>(axis)) + 1);
  return axes;
}

constexpr int64_t most_offsets = int64_t{1} << 16;

/// Adds up what windows of one axis read: g has the axes (positions, offsets) at `axis`; the result has `extent` there.
Value unslide(Builder& b, Value g, int axis, const SlidingWindow& w, int64_t extent) {
  const auto a = static_cast<size_t>(axis);
  const int64_t count = g.shape()[axis];
  Dims joined = g.shape().dims();
  joined.erase(joined.begin() + axis + 1);
  if (w.stride == w.extent && w.dilation == 1) {
    // Each element is in one window: the windows stand one behind the other.
    joined[a] = count * w.extent;
    return pad_or_crop(b, b.reshape(g, Shape(joined)), axis, -w.low, extent + w.low - count * w.extent);
  }
  // One offset after the other: its elements stand `stride` apart.
  if (w.extent > most_offsets)
    throw Error(ErrorKind::shape, "the gradient of windows of {} elements that overlap is written out element by element: {} are the most",
                w.extent, most_offsets)
        .at(to_string(b.locations()));
  Value sum;
  for (int64_t k = 0; k < w.extent; ++k) {
    Dims start(g.shape().dims().size(), 0), end = g.shape().dims();
    start[a + 1] = k, end[a + 1] = k + 1;
    joined[a] = count;
    const Value taken = b.reshape(b("slice", {g}, {{"start", start}, {"end", end}}), Shape(joined));
    const Value padded = pad_interior(b, taken, axis, w.stride);
    const int64_t first = w.element(0, k);
    const Value part = pad_or_crop(b, padded, axis, first, extent - first - padded.shape()[axis]);
    sum = sum ? b("add", {sum, part}) : part;
  }
  return sum;
}

/// The gradient of `windows`.
Value unslide(Builder& b, Value g, const Sliding& s, const Shape& x) {
  for (size_t i = s.axes.size(); i-- > 0;) {
    const int axis = static_cast<int>(s.axes[i]);
    g = unslide(b, g, axis + static_cast<int>(i), s.along(i), x[axis]);
  }
  return g;
}

/// An axis with windows becomes two where it lies; one that is cut into blocks cannot.
std::optional<std::pair<NamedAttributes, Layout>> windows_in_layout(const Op& op, const Layout& layout) {
  const Sliding s = sliding_of(op, op.dims("axes"));
  std::vector<Layout::Part> parts;
  Sliding there;  // in the order in which the axes lie
  const auto old = layout.parts(op.operand(0).shape().rank());
  for (size_t place = 0; place < old.size(); ++place) {
    const auto found = std::find(s.axes.begin(), s.axes.end(), old[place].axis);
    const int axis = moved(s, old[place].axis);
    parts.push_back({axis, old[place].block});
    if (found == s.axes.end()) continue;
    if (layout.is_cut(old[place].axis)) return std::nullopt;
    parts.push_back({axis + 1, 0});
    const auto i = static_cast<size_t>(found - s.axes.begin());
    there.axes.push_back(static_cast<int64_t>(place));
    for (auto member : {&Sliding::extents, &Sliding::stride, &Sliding::dilation, &Sliding::low, &Sliding::high})
      (there.*member).push_back((s.*member)[i]);
  }
  return std::pair(NamedAttributes{{"axes", there.axes},
                                   {"extents", there.extents},
                                   {"stride", there.stride},
                                   {"dilation", there.dilation},
                                   {"low", there.low},
                                   {"high", there.high},
                                   {"value", op.real("value")},
                                   {"flipped", op.flag("flipped")}},
                   Layout::of(std::move(parts)));
}

void define_windows(Registry& r) {
  OpDef def;
  def.name = "windows";
  def.kind = Kind::movement;
  def.doc =
      "Every axis of `axes` becomes two, positions p and offsets k, with x's element at p * stride - low + k * dilation, or `value` "
      "outside of x: the windows that slide along x (torch.Tensor.unfold)";
  def.operands = {{"x"}};
  const auto dims = [](const char* name, const char* doc) { return AttributeSpec{name, AttributeKind::dims, Attribute(Dims{}), doc}; };
  def.attributes = {{"axes", AttributeKind::dims, {}, "ascending"},
                    {"extents", AttributeKind::dims, {}, "elements of a window, per window axis"},
                    dims("stride", "distance of windows, per window axis; all 1 when empty"),
                    dims("dilation", "distance of a window's elements, per window axis; all 1 when empty"),
                    dims("low", "elements of `value` before x, per window axis; none when empty"),
                    dims("high", "elements of `value` after x, per window axis; none when empty"),
                    {"value", AttributeKind::real, Attribute(0.0), "what is outside of x"},
                    {"flipped", AttributeKind::boolean, Attribute(false), "each window's elements backwards"}};
  def.infer = [](const InferContext& c) -> std::vector<Type> {
    const Sliding s = checked(c, c.get<Dims>("axes"));
    Dims shape;
    for (int axis = 0, i = 0; axis < c.shape(0).rank(); ++axis) {
      const bool slides = i < static_cast<int>(s.axes.size()) && s.axes[static_cast<size_t>(i)] == axis;
      shape.push_back(slides ? s.along(static_cast<size_t>(i)).positions(c.shape(0)[axis]) : c.shape(0)[axis]);
      if (slides) shape.push_back(s.extents[static_cast<size_t>(i++)]);
    }
    return {{c.operand(0).dtype, Shape(shape)}};
  };
  def.access = [](const Op& op) -> std::optional<std::vector<Access>> {
    const Sliding s = sliding_of(op, op.dims("axes"));
    const int rank = op.operand(0).shape().rank(), loops = op.result().shape().rank();
    Access access;
    for (int axis = 0; axis < rank; ++axis) access.map.push_back(Affine::axis(loops, moved(s, axis)));
    for (size_t i = 0; i < s.axes.size(); ++i) {
      const int axis = static_cast<int>(s.axes[i]), p = moved(s, axis);
      Affine& a = access.map[static_cast<size_t>(axis)];
      const SlidingWindow w = s.along(i);
      const bool flipped = op.flag("flipped");
      a.coefficients[static_cast<size_t>(p)] = w.stride;
      a.coefficients[static_cast<size_t>(p) + 1] = flipped ? -w.dilation : w.dilation;
      a.offset = w.element(0, flipped ? w.extent - 1 : 0);
      access.guarded = access.guarded || w.low > 0 || w.high > 0;
    }
    return std::vector{access};
  };
  def.fill = [](const Op& op) { return op.real("value"); };
  def.in_layout = windows_in_layout;
  def.gradient = [](GradientContext& c) -> std::vector<Value> {
    const Sliding s = sliding_of(c.op, c.op.dims("axes"));
    Value g = c.result_gradients[0];
    if (c.op.flag("flipped")) {
      // Offset k stands where offset extents - 1 - k would: turned round by windows of one element, read backwards.
      for (size_t i = 0; i < s.axes.size(); ++i) {
        const int64_t axis = moved(s, static_cast<int>(s.axes[i])) + 1;
        g = c.builder("windows", {g}, {{"axes", Dims{axis}}, {"extents", Dims{s.extents[i]}}, {"flipped", true}});
        Dims shape = c.op.result().shape().dims();
        g = c.builder.reshape(g, Shape(shape));
      }
    }
    return {unslide(c.builder, g, s, c.op.operand(0).shape())};
  };
  def.error_ulps = 0;
  r.add(std::move(def));
}

OpDef pooling(std::string name, std::string doc) {
  OpDef def;
  def.name = std::move(name);
  def.doc = std::move(doc);
  def.operands = {{"x", Accepts::floating, false, "[..., spatial...]"}};
  def.autocast = Autocast::follows;
  const auto dims = [](const char* attribute, const char* text) {
    return AttributeSpec{attribute, AttributeKind::dims, Attribute(Dims{}), text};
  };
  def.attributes = {{"extents", AttributeKind::dims, {}, "elements of a window along the last axes, as many as there are entries"},
                    dims("stride", "distance of windows, per window axis; all 1 when empty"),
                    dims("dilation", "distance of a window's elements, per window axis; all 1 when empty"),
                    dims("low", "padding before x, per window axis; none when empty"),
                    dims("high", "padding after x, per window axis; none when empty")};
  def.infer = [](const InferContext& c) -> std::vector<Type> {
    const Dims axes = last_axes(c.shape(0).rank(), c.get<Dims>("extents").size());
    c.require(!axes.empty() && axes[0] >= 0, "the operand has fewer axes than the windows");
    const Sliding s = checked(c, axes);
    Dims shape = c.shape(0).dims();
    for (size_t i = 0; i < axes.size(); ++i) {
      auto& extent = shape[static_cast<size_t>(axes[i])];
      const SlidingWindow w = s.along(i);
      extent = w.positions(extent);
      c.require(w.low <= w.reach() && w.high <= w.reach(), "a window may not lie in the padding alone");
    }
    return {{c.operand(0).dtype, Shape(shape)}};
  };
  return def;
}

Sliding sliding_of_pooling(const Op& op) { return sliding_of(op, last_axes(op.operand(0).shape().rank(), op.dims("extents").size())); }

/// Without the elements of windows that lie in the padding of x wherever a window stands: of a sum and of a largest element they are
/// nothing, and a window may be far larger than x.
Sliding reaching(Sliding s, const Shape& x) {
  for (size_t i = 0; i < s.axes.size(); ++i) {
    const SlidingWindow w = s.along(i).reaching(x[s.axes[i]]);
    s.extents[i] = w.extent, s.low[i] = w.low, s.high[i] = w.high;
  }
  return s;
}

/// The number of each window's element, in row-major order, at every place of `windows`.
Value numbers(Builder& b, const Shape& windowed, const Sliding& s) {
  const Dims axes = offset_axes(s);
  Dims one_window(windowed.dims().size(), 1);
  for (int64_t axis : axes) one_window[static_cast<size_t>(axis)] = windowed[static_cast<int>(axis)];
  Value number;
  double scale = 1;
  for (size_t i = axes.size(); i-- > 0;) {
    const Value index = b.cast(b("iota", {}, {{"shape", one_window}, {"axis", axes[i]}}), f32);
    const Value part = scale == 1 ? index : b("mul", {index, b.splat(index.type(), scale)});
    number = number ? b("add", {number, part}) : part;
    scale *= static_cast<double>(s.extents[i]);
  }
  return b.broadcast(number, windowed);
}

void define_max_pool(Registry& r) {
  OpDef def = pooling("max_pool",
                      "The largest element of each window of x, nan if one is nan; padding is -inf. The gradient goes to the "
                      "first of several largest");
  constexpr double infinity = std::numeric_limits<double>::infinity();
  def.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    const Sliding s = reaching(sliding_of_pooling(op), op.operand(0).shape());
    return {b("max", {windows(b, op.operand(0), s, -infinity)}, {{"axes", offset_axes(s)}})};
  };
  def.gradient = [](GradientContext& c) -> std::vector<Value> {
    Builder& b = c.builder;
    const Sliding s = reaching(sliding_of_pooling(c.op), c.op.operand(0).shape());
    const Value x = windows(b, c.op.operand(0), s, -infinity);
    const auto over_windows = [&](Value v) { return b.broadcast_over(v, offset_axes(s), x.shape()); };
    // The first element that is the largest, or nan.
    const Value hit = b("or", {b("eq", {x, over_windows(c.op.result())}), b("is_nan", {x})});
    const Value number = numbers(b, x.shape(), s);
    const Value beyond = b.splat(number.type(), std::numeric_limits<float>::max());
    const Value first = b("min", {b("select", {hit, number, beyond})}, {{"axes", offset_axes(s)}, {"keep_dims", true}});
    const Value chosen = b("eq", {number, b.broadcast(first, x.shape())});
    const Value g = b("select", {chosen, over_windows(c.result_gradients[0]), b.zeros_like(x)});
    return {unslide(b, g, s, c.op.operand(0).shape())};
  };
  def.error_ulps = 0;
  r.add(std::move(def));
}

void define_avg_pool(Registry& r) {
  OpDef def =
      pooling("avg_pool", "The sum of each window of x over a count: of all the window's elements, or of those that are no padding");
  def.attributes.push_back({"count_padding", AttributeKind::boolean, Attribute(true), "does the padding `low` and `high` count?"});
  def.attributes.push_back({"divisor", AttributeKind::integer, Attribute(int64_t{0}), "the count, unless it is 0"});
  def.attributes.push_back(
      {"uncounted", AttributeKind::dims, Attribute(Dims{}), "of `high`, what never counts, per window axis; none when empty"});
  def.decompose = [](Builder& b, const Op& op) -> std::vector<Value> {
    const Sliding s = sliding_of_pooling(op);
    const Value sum = b("sum", {windows(b, op.operand(0), reaching(s, op.operand(0).shape()), 0)}, {{"axes", offset_axes(s)}});
    double all = 1;
    for (int64_t extent : s.extents) all *= static_cast<double>(extent);
    if (op.integer("divisor") != 0) return {Expr(b, sum) / static_cast<double>(op.integer("divisor"))};
    const Dims uncounted = op.dims("uncounted").empty() ? Dims(s.axes.size(), 0) : op.dims("uncounted");
    const auto is_zero = [](const Dims& d) { return std::all_of(d.begin(), d.end(), [](int64_t x) { return x == 0; }); };
    if ((op.flag("count_padding") && is_zero(uncounted)) || (is_zero(s.low) && is_zero(s.high))) return {Expr(b, sum) / all};
    // A one for whatever counts, summed in the same way.
    Sliding inner = s;
    Dims ones(op.operand(0).shape().dims()), low(ones.size(), 0), high(low);
    if (op.flag("count_padding"))
      for (size_t i = 0; i < s.axes.size(); ++i) {
        const auto axis = static_cast<size_t>(s.axes[i]);
        ones[axis] += s.low[i] + s.high[i] - uncounted[i];
        inner.low[i] = 0, inner.high[i] = uncounted[i];
      }
    for (size_t axis = 0; axis < ones.size(); ++axis)
      if (std::find(s.axes.begin(), s.axes.end(), static_cast<int64_t>(axis)) == s.axes.end()) ones[axis] = 1;
    const Value counted = b.splat({sum.dtype(), Shape(ones)}, 1);
    const Value count = b("sum", {windows(b, counted, reaching(inner, counted.shape()), 0)}, {{"axes", offset_axes(s)}});
    return {Expr(b, sum) / Expr(b, b.broadcast(count, sum.shape()))};
  };
  const auto infer = def.infer;
  def.infer = [infer](const InferContext& c) {
    c.require(c.get<int64_t>("divisor") >= 0, "the divisor must not be negative");
    const Dims &uncounted = c.get<Dims>("uncounted"), &high = c.get<Dims>("high");
    c.require(uncounted.empty() || uncounted.size() == high.size(), "uncounted needs one entry per entry of high");
    for (size_t i = 0; i < uncounted.size(); ++i)
      c.require(uncounted[i] >= 0 && uncounted[i] <= high[i], "uncounted must lie between 0 and high");
    return infer(c);
  };
  def.error_ulps = 32;
  r.add(std::move(def));
}

}  // namespace

void define_window_ops(Registry& r) {
  define_windows(r);
  define_max_pool(r);
  define_avg_pool(r);
}

}  // namespace weft::ir
