// Which of ONNX's operators an op is. A row returns false where its op has no equal with these attributes or types.

#include <algorithm>
#include <limits>
#include <numeric>

#include "weft/frontend/report/onnx_nodes.h"
#include "weft/ir/op_def.h"

namespace weft::detail {
namespace {

using Attributes = OnnxNodes::Attributes;
using Convert = bool (*)(const OnnxOp&);

bool is_logical(const OnnxOp& o) { return o.op.operand(0).dtype() == boolean; }
bool computes_in_floats(const OnnxOp& o) { return is_floating(o.op.operand(0).dtype()); }

/// The same operator of the same operands.
template <class Name>
bool as(const OnnxOp& o, Name name) {
  o.add(name);
  return true;
}

/// Of bools, and of the bits of integers.
bool bitwise(const OnnxOp& o, const char* logical, const char* of_bits) { return as(o, is_logical(o) ? logical : of_bits); }

/// What several operators in a row make of the operands, of which the last gives the result.
bool chain(const OnnxOp& o, const std::vector<std::string>& types) {
  std::vector<std::string> from = o.operands;
  for (size_t i = 0; i + 1 < types.size(); ++i) from = {o.to.add(types[i], from)};
  o.to.add(types.back(), from, o.results);
  return true;
}

/// With a further operand: axes, or a shape.
bool with_list(const OnnxOp& o, const std::string& type, const Dims& list, const Attributes& attributes = {}) {
  o.to.add(type, {o.operands[0], o.to.list(list)}, o.results, attributes);
  return true;
}

bool reduction(const OnnxOp& o, const std::string& type) {
  return with_list(o, type, o.op.dims("axes"), {{"keepdims", int64_t{o.op.flag("keep_dims")}}});
}

bool along_axis(const OnnxOp& o, const std::string& type) {
  o.add(type, {{"axis", o.op.integer("axis")}});
  return true;
}

bool loss(const OnnxOp& o, const std::string& type) {
  if (o.op.operand(0).shape().rank() < 2) return false;  // one sample
  o.add(type, {{"reduction", o.op.attribute<std::string>("reduction")}});
  return true;
}

/// The last two axes exchanged.
std::string transposed(const OnnxOp& o, int i, const char* flag) {
  const std::string& name = o.operands[static_cast<size_t>(i)];
  if (!o.op.flag(flag)) return name;
  Dims permutation(static_cast<size_t>(o.op.operand(i).shape().rank()));
  std::iota(permutation.begin(), permutation.end(), int64_t{0});
  std::swap(permutation[permutation.size() - 1], permutation[permutation.size() - 2]);
  return o.to.add("Transpose", {name}, Attributes{{"perm", permutation}});
}

bool matmul(const OnnxOp& o) {
  const bool transposes = o.op.flag("transpose_a") || o.op.flag("transpose_b");
  if (transposes && o.op.operand(0).shape().rank() == 2) {
    o.add("Gemm", {{"transA", int64_t{o.op.flag("transpose_a")}}, {"transB", int64_t{o.op.flag("transpose_b")}}});
    return true;
  }
  o.to.add("MatMul", {transposed(o, 0, "transpose_a"), transposed(o, 1, "transpose_b")}, o.results);
  return true;
}

Dims or_each(const Dims& dims, size_t count, int64_t value) { return dims.empty() ? Dims(count, value) : dims; }

/// Strides, dilations and pads of windows over so many axes.
Attributes windows(const ir::Op& op, size_t axes) {
  Dims pads = or_each(op.dims("low"), axes, 0);
  const Dims high = or_each(op.dims("high"), axes, 0);
  pads.insert(pads.end(), high.begin(), high.end());
  return {{"strides", or_each(op.dims("stride"), axes, 1)}, {"dilations", or_each(op.dims("dilation"), axes, 1)}, {"pads", pads}};
}

bool convolution(const OnnxOp& o) {
  for (const char* layout : {"x_layout", "w_layout", "y_layout"})
    if (!o.op.attribute<std::string>(layout).empty()) return false;
  const Dims& kernel = o.op.operand(1).shape().dims();
  Attributes attributes = windows(o.op, kernel.size() - 2);
  attributes.emplace_back("kernel_shape", Dims(kernel.begin() + 2, kernel.end()));
  attributes.emplace_back("group", o.op.integer("groups"));
  o.add("Conv", attributes);
  return true;
}

/// ONNX's windows are over all axes but the first two.
bool pool(const OnnxOp& o, const std::string& type, const Attributes& more) {
  const Dims& extents = o.op.dims("extents");
  if (static_cast<size_t>(o.op.operand(0).shape().rank()) != extents.size() + 2) return false;
  Attributes attributes = windows(o.op, extents.size());
  attributes.emplace_back("kernel_shape", extents);
  attributes.insert(attributes.end(), more.begin(), more.end());
  o.add(type, attributes);
  return true;
}

bool avg_pool(const OnnxOp& o) {
  const Dims& uncounted = o.op.dims("uncounted");
  const bool all_count = std::all_of(uncounted.begin(), uncounted.end(), [](int64_t n) { return n == 0; });
  return o.op.integer("divisor") == 0 && all_count && pool(o, "AveragePool", {{"count_include_pad", int64_t{o.op.flag("count_padding")}}});
}

bool constant(const OnnxOp& o) {
  const auto& value = o.op.attribute<ir::Dense>("value");
  const ir::Type& type = value.type();
  constexpr int64_t few = 16;
  if (!value.is_splat() || type.shape.numel() <= few) {
    o.to.add("Constant", {}, o.results, {{"value", value}});
    return true;
  }
  o.to.add("ConstantOfShape", {o.to.list(type.shape.dims())}, o.results,
           {{"value", ir::Dense::repeated({type.dtype, {1}}, value.bytes())}});
  return true;
}

bool slice(const OnnxOp& o) {
  const Dims& start = o.op.dims("start");
  Dims axes(start.size());
  std::iota(axes.begin(), axes.end(), int64_t{0});
  o.to.add("Slice",
           {o.operands[0], o.to.list(start), o.to.list(o.op.dims("end")), o.to.list(axes),
            o.to.list(or_each(o.op.dims("step"), start.size(), 1))},
           o.results);
  return true;
}

bool flip(const OnnxOp& o) {
  const Dims& axes = o.op.dims("axes");
  const Dims last(axes.size(), -1), before_first(axes.size(), std::numeric_limits<int64_t>::min()), back(axes.size(), -1);
  o.to.add("Slice", {o.operands[0], o.to.list(last), o.to.list(before_first), o.to.list(axes), o.to.list(back)}, o.results);
  return true;
}

bool pad(const OnnxOp& o) {
  Dims pads = o.op.dims("low");
  const Dims& high = o.op.dims("high");
  pads.insert(pads.end(), high.begin(), high.end());
  o.to.add("Pad", {o.operands[0], o.to.list(pads), o.to.number(o.op.real("value"), o.op.result().dtype())}, o.results);
  return true;
}

bool clamp(const OnnxOp& o) {
  const DType dtype = o.op.result().dtype();
  o.to.add("Clip", {o.operands[0], o.to.number(o.op.real("min"), dtype), o.to.number(o.op.real("max"), dtype)}, o.results);
  return true;
}

bool elu(const OnnxOp& o) {
  if (o.op.real("scale") != 1) return false;
  o.add("Elu", {{"alpha", o.op.real("alpha")}});
  return true;
}

bool softplus(const OnnxOp& o) { return o.op.real("beta") == 1 && as(o, "Softplus"); }

bool gelu(const OnnxOp& o) {
  o.add("Gelu", {{"approximate", o.op.attribute<std::string>("approximate")}});
  return true;
}

bool argmax(const OnnxOp& o) {
  o.add("ArgMax", {{"axis", o.op.integer("axis")}, {"keepdims", int64_t{o.op.flag("keep_dims")}}});
  return true;
}

bool square(const OnnxOp& o) {
  o.to.add("Mul", {o.operands[0], o.operands[0]}, o.results);
  return true;
}

bool silu(const OnnxOp& o) {
  o.to.add("Mul", {o.operands[0], o.to.add("Sigmoid", o.operands)}, o.results);
  return true;
}

bool cast(const OnnxOp& o) {
  o.add("Cast", {{"to", onnx_type(o.op.attribute<DType>("dtype"))}});
  return true;
}

bool transpose(const OnnxOp& o) {
  o.add("Transpose", {{"perm", o.op.dims("permutation")}});
  return true;
}

struct Row {
  std::string_view op;
  Convert convert;
};

#define SAME(name, type) {name, [](const OnnxOp& o) { return as(o, type); }}
#define FLOATS(name, type) {name, [](const OnnxOp& o) { return computes_in_floats(o) && as(o, type); }}

constexpr Row elementwise_rows[] = {SAME("abs", "Abs"),
                                    FLOATS("acos", "Acos"),
                                    FLOATS("acosh", "Acosh"),
                                    SAME("add", "Add"),
                                    FLOATS("asin", "Asin"),
                                    FLOATS("asinh", "Asinh"),
                                    FLOATS("atan", "Atan"),
                                    FLOATS("atanh", "Atanh"),
                                    FLOATS("ceil", "Ceil"),
                                    SAME("copy", "Identity"),
                                    FLOATS("cos", "Cos"),
                                    FLOATS("cosh", "Cosh"),
                                    SAME("detach", "Identity"),
                                    FLOATS("div", "Div"),
                                    SAME("eq", "Equal"),
                                    FLOATS("erf", "Erf"),
                                    FLOATS("exp", "Exp"),
                                    FLOATS("floor", "Floor"),
                                    SAME("ge", "GreaterOrEqual"),
                                    SAME("gt", "Greater"),
                                    FLOATS("is_nan", "IsNaN"),
                                    SAME("le", "LessOrEqual"),
                                    FLOATS("log", "Log"),
                                    SAME("lt", "Less"),
                                    SAME("maximum", "Max"),
                                    SAME("minimum", "Min"),
                                    FLOATS("mish", "Mish"),
                                    SAME("mul", "Mul"),
                                    SAME("neg", "Neg"),
                                    FLOATS("pow", "Pow"),
                                    SAME("prelu", "PRelu"),
                                    FLOATS("reciprocal", "Reciprocal"),
                                    FLOATS("relu", "Relu"),
                                    FLOATS("round", "Round"),
                                    SAME("select", "Where"),
                                    FLOATS("sigmoid", "Sigmoid"),
                                    SAME("sign", "Sign"),
                                    FLOATS("sin", "Sin"),
                                    FLOATS("sinh", "Sinh"),
                                    FLOATS("sqrt", "Sqrt"),
                                    SAME("sub", "Sub"),
                                    FLOATS("tan", "Tan"),
                                    FLOATS("tanh", "Tanh"),
                                    FLOATS("hardswish", "HardSwish"),
                                    {"and", [](const OnnxOp& o) { return bitwise(o, "And", "BitwiseAnd"); }},
                                    {"or", [](const OnnxOp& o) { return bitwise(o, "Or", "BitwiseOr"); }},
                                    {"xor", [](const OnnxOp& o) { return bitwise(o, "Xor", "BitwiseXor"); }},
                                    {"not", [](const OnnxOp& o) { return bitwise(o, "Not", "BitwiseNot"); }},
                                    {"ne", [](const OnnxOp& o) { return chain(o, {"Equal", "Not"}); }},
                                    {"rsqrt", [](const OnnxOp& o) { return chain(o, {"Sqrt", "Reciprocal"}); }},
                                    {"square", square},
                                    {"silu", silu},
                                    {"clamp", clamp},
                                    {"elu", elu},
                                    {"softplus", softplus},
                                    {"gelu", gelu},
                                    {"cast", cast}};

#undef SAME
#undef FLOATS

constexpr Row other_rows[] = {
    {"sum", [](const OnnxOp& o) { return reduction(o, "ReduceSum"); }},
    {"mean", [](const OnnxOp& o) { return reduction(o, "ReduceMean"); }},
    {"max", [](const OnnxOp& o) { return reduction(o, "ReduceMax"); }},
    {"min", [](const OnnxOp& o) { return reduction(o, "ReduceMin"); }},
    {"prod", [](const OnnxOp& o) { return reduction(o, "ReduceProd"); }},
    {"softmax", [](const OnnxOp& o) { return along_axis(o, "Softmax"); }},
    {"log_softmax", [](const OnnxOp& o) { return along_axis(o, "LogSoftmax"); }},
    {"concat", [](const OnnxOp& o) { return along_axis(o, "Concat"); }},
    {"gather", [](const OnnxOp& o) { return along_axis(o, "Gather"); }},
    {"cross_entropy", [](const OnnxOp& o) { return loss(o, "SoftmaxCrossEntropyLoss"); }},
    {"nll_loss", [](const OnnxOp& o) { return loss(o, "NegativeLogLikelihoodLoss"); }},
    {"reshape", [](const OnnxOp& o) { return with_list(o, "Reshape", o.op.dims("shape"), {{"allowzero", int64_t{1}}}); }},
    {"broadcast", [](const OnnxOp& o) { return with_list(o, "Expand", o.op.dims("shape")); }},
    {"max_pool", [](const OnnxOp& o) { return pool(o, "MaxPool", {}); }},
    {"avg_pool", avg_pool},
    {"matmul", matmul},
    {"convolution", convolution},
    {"constant", constant},
    {"slice", slice},
    {"flip", flip},
    {"pad", pad},
    {"argmax", argmax},
    {"transpose", transpose}};

Convert find(std::span<const Row> rows, std::string_view op) {
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.op == op; });
  return row == rows.end() ? nullptr : row->convert;
}

}  // namespace

bool add_equal_nodes(const OnnxOp& op) {
  if (op.results.size() != 1 || !op.op.bodies().empty()) return false;  // with an epilogue, with memory to work in
  const Convert elementwise = find(elementwise_rows, op.op.name()), other = find(other_rows, op.op.name());
  const Convert convert = elementwise ? elementwise : other;
  return convert && convert(op);
}

}  // namespace weft::detail
