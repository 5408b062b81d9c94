// Convolutions: one trilinear form, whose three derivatives are the ops, so that each op's gradients are the two others.

#include "weft/ir/ops/convolution.h"

#include <algorithm>

#include "weft/ir/layout.h"
#include "weft/ir/ops/convolution_sums.h"
#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

/// Reads the common attributes by a function that gives one by name. The shapes stay empty.
template <class Get>
Convolution geometry(const Get& get, int spatial) {
  Convolution c;
  c.groups = std::get<int64_t>(get("groups"));
  const auto dims = [&](const char* name, int64_t otherwise) {
    return per_window_axis(std::get<Dims>(get(name)), static_cast<size_t>(spatial), otherwise);
  };
  c.stride = dims("stride", 1), c.low = dims("low", 0), c.high = dims("high", 0), c.dilation = dims("dilation", 1);
  const auto layout = [&](const char* name) { return Layout::parse(std::get<std::string>(get(name)), spatial + 2); };
  c.layouts = {.x = layout("x_layout"), .w = layout("w_layout"), .y = layout("y_layout")};
  c.algorithm = convolution_algorithm_from_name(std::get<std::string>(get("algorithm"))).value_or(ConvolutionAlgorithm::direct);
  return c;
}

struct Inferred {
  const InferContext& c;
  Convolution conv;

  Inferred(const InferContext& context, int operand, const char* layout) : c(context) {
    const int spatial = Layout::axes(c.get<std::string>(layout), c.shape(operand).rank()) - 2;
    c.require(spatial >= 1 && spatial <= 3, "needs one to three spatial axes: x and y are [n, channels, spatial...]");
    const int64_t groups = c.get<int64_t>("groups");
    c.require(groups >= 1, "groups must be positive");
    for (const char* name : {"stride", "low", "high", "dilation"})
      c.require(c.get<Dims>(name).empty() || static_cast<int>(c.get<Dims>(name).size()) == spatial,
                std::string(name) + " needs one entry per spatial axis");
    try {
      conv = geometry([&](const char* name) { return c.attribute(name); }, spatial);
    } catch (const Error& e) {
      c.fail(e.what());
    }
    for (size_t d = 0; d < conv.stride.size(); ++d) {
      c.require(conv.stride[d] >= 1 && conv.dilation[d] >= 1, "stride and dilation must be positive");
      c.require(conv.low[d] >= 0 && conv.high[d] >= 0, "padding must not be negative");
      const int64_t largest = std::max({conv.stride[d], conv.low[d], conv.high[d], conv.dilation[d]});
      c.require(largest <= SlidingWindow::most,
                fmt::format("{} is too large for a stride, a padding or a dilation: 2^30 is the most", largest));
    }
    c.require(c.operand(0).dtype == c.operand(1).dtype, "the operands must have equal element types");
  }

  Shape logical(int operand, const Layout& layout) const {
    Shape shape;
    try {
      shape = layout.logical(c.shape(operand));
    } catch (const Error& e) {
      c.fail(e.what());
    }
    c.require(shape.rank() == rank(), "the operands must have as many spatial axes as each other");
    return shape;
  }
  void read_x(int operand) { conv.x = logical(operand, conv.layouts.x); }
  void read_y(int operand) { conv.y = logical(operand, conv.layouts.y); }
  void read_w(int operand) { conv.w = logical(operand, conv.layouts.w); }
  int rank() const { return static_cast<int>(conv.stride.size()) + 2; }

  /// x and w belong together; gives y's shape.
  Shape y_shape() const {
    Dims shape{conv.x[0], conv.w[0]};
    for (int d = 0; d < rank() - 2; ++d) {
      const SlidingWindow window = conv.window(d);
      c.require(window.extent >= 1, "the kernel must not be empty");
      const int64_t count = window.positions(conv.x[d + 2]);
      c.require(count >= 1, fmt::format("the kernel of {} does not fit into {} with padding {} and {}", window.extent, conv.x[d + 2],
                                        window.low, window.high));
      shape.push_back(count);
    }
    return Shape(shape);
  }
  /// Of x, by the weight.
  int64_t channels() const {
    int64_t all = 0;
    c.require(!__builtin_mul_overflow(conv.w[1], conv.groups, &all), "groups is too large");
    return all;
  }
  void require_channels() const {
    c.require(conv.x[1] == channels(), fmt::format("x must have groups * the weight's input channels, {}", channels()));
    c.require(conv.w[0] % conv.groups == 0, "groups must divide the output channels");
  }
  void require_slices() const {
    const int64_t slices = c.get<int64_t>("slices"), most = std::max<int64_t>(1, conv.x[0]);
    c.require(slices >= 1 && slices <= most, fmt::format("slices must be 1 to {}, the samples of the batch, not {}", most, slices));
  }
  std::vector<Type> with_scratch(const Layout& layout, const Shape& logical, int64_t parts = 1) const {
    if (!layout.fits(logical)) c.fail(weft::to_string(logical) + " cannot lie as " + layout.text());
    Dims physical = layout.physical(logical).dims();
    if (parts > 1) physical.insert(physical.begin(), parts);
    const int64_t scratch = c.get<int64_t>("scratch");
    c.require(scratch >= 0, "scratch must not be negative");
    std::vector<Type> types{{c.operand(0).dtype, Shape(physical)}};
    if (scratch) types.push_back({u8, Shape{scratch}});
    return types;
  }
};

std::vector<Type> infer_forward(const InferContext& c) {
  Inferred i(c, 0, "x_layout");
  i.read_x(0), i.read_w(1);
  i.require_channels();
  i.require_slices();
  return i.with_scratch(i.conv.layouts.y, i.y_shape());
}

std::vector<Type> infer_data(const InferContext& c) {
  Inferred i(c, 0, "y_layout");
  i.read_y(0), i.read_w(1);
  const Dims& extents = c.get<Dims>("extents");
  c.require(static_cast<int>(extents.size()) == i.rank() - 2, "extents needs one entry per spatial axis of x");
  Dims x{i.conv.y[0], i.channels()};
  x.insert(x.end(), extents.begin(), extents.end());
  for (int64_t extent : extents) c.require(extent >= 0, "extents must not be negative");
  i.conv.x = Shape(x);
  i.require_channels();
  c.require(i.y_shape() == i.conv.y, "y must be " + weft::to_string(i.y_shape()) + " for x " + weft::to_string(i.conv.x));
  i.require_slices();
  return i.with_scratch(i.conv.layouts.x, i.conv.x);
}

std::vector<Type> infer_weight(const InferContext& c) {
  Inferred i(c, 0, "x_layout");
  i.read_x(0), i.read_y(1);
  const Dims& extents = c.get<Dims>("extents");
  c.require(static_cast<int>(extents.size()) == i.rank() - 2, "extents needs one entry per axis of the kernel");
  c.require(i.conv.x[1] % i.conv.groups == 0 && i.conv.y[1] % i.conv.groups == 0, "groups must divide the channels");
  Dims w{i.conv.y[1], i.conv.x[1] / i.conv.groups};
  w.insert(w.end(), extents.begin(), extents.end());
  i.conv.w = Shape(w);
  c.require(i.y_shape() == i.conv.y, "y must be " + weft::to_string(i.y_shape()) + " for x " + weft::to_string(i.conv.x));
  const int64_t parts = c.get<int64_t>("parts");
  c.require(parts == 1 || (parts > 1 && parts <= i.conv.x[0]), "parts must be positive and not more than the batch");
  return i.with_scratch(i.conv.layouts.w, i.conv.w, parts);
}

// --- gradients -------------------------------------------------------------------------------------------------------

/// The attributes that all three ops share. Layouts and cuts come after differentiation.
NamedAttributes shared_attributes(const Op& op) {
  NamedAttributes all;
  for (const char* name : {"stride", "low", "high", "dilation", "groups"}) all.emplace_back(name, op.attribute(name));
  return all;
}

Value forward(GradientContext& c, Value x, Value w) { return c.builder("convolution", {x, w}, shared_attributes(c.op)); }

Value data(GradientContext& c, Value y, Value w, const Shape& x) {
  NamedAttributes attributes = shared_attributes(c.op);
  attributes.emplace_back("extents", spatial_extents(x));
  return c.builder("convolution_data", {y, w}, attributes);
}

Value weight(GradientContext& c, Value x, Value y, const Shape& w) {
  NamedAttributes attributes = shared_attributes(c.op);
  attributes.emplace_back("extents", spatial_extents(w));
  return c.builder("convolution_weight", {x, y}, attributes);
}

void check_plain(const Op& op) {
  for (const char* name : {"x_layout", "w_layout", "y_layout"})
    if (!op.attribute<std::string>(name).empty())
      throw Error("{} in a layout has no gradient: layouts come after differentiation", op.name()).at(to_string(op.locations()));
}

OpDef convolution_op(std::string name, std::string doc) {
  OpDef def;
  def.name = std::move(name);
  def.kind = Kind::heavy;
  def.doc = std::move(doc);
  const auto dims = [](const char* attribute, const char* text) {
    return AttributeSpec{attribute, AttributeKind::dims, Attribute(Dims{}), text};
  };
  const auto layout = [](const char* attribute, const char* text) {
    return AttributeSpec{attribute, AttributeKind::text, Attribute(std::string()), text, {}, true};
  };
  def.attributes = {dims("stride", "distance of positions, per spatial axis; all 1 when empty"),
                    dims("low", "zeros before x, per spatial axis; none when empty"),
                    dims("high", "zeros after x, per spatial axis; none when empty"),
                    dims("dilation", "distance of the kernel's elements, per spatial axis; all 1 when empty"),
                    {"groups", AttributeKind::integer, Attribute(int64_t{1}), "parts of the channels that do not meet"},
                    layout("x_layout", "how x lies in memory, as \"aBcd8b\"; row-major when empty"),
                    layout("w_layout", "how w lies"),
                    layout("y_layout", "how y lies"),
                    {"algorithm",
                     AttributeKind::text,
                     Attribute(std::string(name_of(ConvolutionAlgorithm::direct))),
                     "how it is computed: as the sum says, or between transforms of tiles that spare products, with about the same error",
                     {std::string(name_of(ConvolutionAlgorithm::direct)), std::string(name_of(ConvolutionAlgorithm::winograd))},
                     true}};
  def.flops = [](const Op& op) { return convolution_of(op).flops(); };
  def.bilinear = true;
  def.autocast = Autocast::low;
  def.error_ulps = 64;
  return def;
}

AttributeSpec scratch_attribute() {
  return {
      "scratch", AttributeKind::integer, Attribute(int64_t{0}), "bytes that the library works in: a second result, which nobody reads", {},
      true};
}
AttributeSpec slices_attribute() {
  return {"slices", AttributeKind::integer, Attribute(int64_t{1}), "parts of the batch that threads compute on their own", {}, true};
}

}  // namespace

Convolution convolution_of(const Op& op) {
  const bool is_data = op.is("convolution_data"), is_weight = op.is("convolution_weight");
  WEFT_CHECK(is_data || is_weight || op.is("convolution"), "{} is no convolution", op.name());
  const int spatial = Layout::axes(op.attribute<std::string>(is_data ? "y_layout" : "x_layout"), op.operand(0).shape().rank()) - 2;
  Convolution c = geometry([&](const char* name) { return op.attribute(name); }, spatial);
  Shape result = op.result().shape();
  if (is_weight && op.integer("parts") > 1) result = Shape(Dims(result.begin() + 1, result.end()));
  c.x = c.layouts.x.logical(is_data ? result : op.operand(0).shape());
  c.w = c.layouts.w.logical(is_weight ? result : op.operand(1).shape());
  c.y = c.layouts.y.logical(is_data ? op.operand(0).shape() : is_weight ? op.operand(1).shape() : result);
  return c;
}

void define_convolution_ops(Registry& r) {
  const OperandSpec x{.name = "x", .accepts = Accepts::floating, .doc = "[n, channels, spatial...]", .layout = "x_layout"},
      w{.name = "w", .accepts = Accepts::floating, .doc = "[o, channels / groups, kernel...]", .layout = "w_layout"},
      y{.name = "y", .accepts = Accepts::floating, .doc = "[n, o, positions...]", .layout = "y_layout"};

  OpDef op = convolution_op("convolution",
                            "y[n, o, p] = sum of x[n, i, p * stride - low + k * dilation] * w[o, i, k] over i and k "
                            "(torch.nn.functional.conv1d to conv3d); f32 accumulation for bf16");
  op.operands = {x, w};
  op.result_layout = y.layout;
  op.attributes.push_back(slices_attribute()), op.attributes.push_back(scratch_attribute());
  op.infer = infer_forward;
  op.decompose = convolution_sums;
  op.gradient = [](GradientContext& c) -> std::vector<Value> {
    check_plain(c.op);
    const Value x = c.op.operand(0), w = c.op.operand(1), g = c.result_gradients[0];
    return {data(c, g, w, x.shape()), weight(c, x, g, w.shape())};
  };
  r.add(std::move(op));

  op = convolution_op("convolution_data",
                      "The gradient of convolution with respect to x, given the one of y; also the transposed "
                      "convolution (torch.nn.functional.conv_transpose2d) of y");
  op.operands = {y, w};
  op.result_layout = x.layout;
  op.attributes.insert(op.attributes.begin(), {"extents", AttributeKind::dims, {}, "x's extents along the spatial axes"});
  op.attributes.push_back(slices_attribute()), op.attributes.push_back(scratch_attribute());
  op.infer = infer_data;
  op.decompose = convolution_data_sums;
  op.gradient = [](GradientContext& c) -> std::vector<Value> {
    check_plain(c.op);
    const Value y = c.op.operand(0), w = c.op.operand(1), g = c.result_gradients[0];
    return {forward(c, g, w), weight(c, g, y, w.shape())};
  };
  r.add(std::move(op));

  op = convolution_op("convolution_weight",
                      "The gradient of convolution with respect to w, given the one of y. In several parts: part i, "
                      "along a new first axis, is the sum over the samples n * i / parts to n * (i + 1) / parts - 1");
  op.operands = {x, y};
  op.result_layout = w.layout;
  op.attributes.insert(op.attributes.begin(), {"extents", AttributeKind::dims, {}, "the kernel's extents"});
  op.attributes.push_back({"parts", AttributeKind::integer, Attribute(int64_t{1}), "parts of the batch that are summed apart", {}, true});
  op.attributes.push_back(scratch_attribute());
  op.infer = infer_weight;
  op.decompose = convolution_weight_sums;
  op.gradient = [](GradientContext& c) -> std::vector<Value> {
    check_plain(c.op);
    if (c.op.integer("parts") != 1)
      throw Error("a cut convolution_weight has no gradient: cutting comes after differentiation").at(to_string(c.op.locations()));
    const Value x = c.op.operand(0), y = c.op.operand(1), g = c.result_gradients[0];
    return {data(c, y, g, x.shape()), forward(c, x, g)};
  };
  r.add(std::move(op));
}

}  // namespace weft::ir
