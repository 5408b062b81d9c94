#include "weft/tests/ops/torch_ops.h"
#include "weft/ir/registry.h"

#include <algorithm>
#include <functional>
#include <map>
#include <numeric>

namespace weft::testing {
namespace {

using ir::Builder;
using ir::Value;
using Values = std::vector<Value>;
using Translation = std::function<Value(Builder&, const Values&, const json&)>;

int64_t axis_of(const json& dim, Value v) {
  const auto axis = dim.get<int64_t>();
  return axis < 0 ? axis + v.shape().rank() : axis;
}

Dims all_axes(Value v) {
  Dims axes(v.shape().dims().size());
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

/// All operands stretched to their common shape.
Values broadcast(Builder& b, const Values& operands) {
  Shape common;
  for (Value v : operands)
    if (!broadcast_shapes(common, v.shape(), common)) throw Error("the operands do not broadcast");
  Values result;
  for (Value v : operands) result.push_back(b.broadcast(v, common));
  return result;
}

Translation pointwise(std::string op) {
  return [op](Builder& b, const Values& x, const json&) { return b(op, broadcast(b, x)); };
}

Value power(Builder& b, const Values& x, const json& attributes) {
  if (!attributes.contains("exponent")) return b("pow", broadcast(b, x));
  return b("pow", {x[0], b.splat(x[0].type(), attributes["exponent"].get<double>())});
}

Translation reduction(std::string op) {
  return [op](Builder& b, const Values& x, const json& attributes) {
    const json dim = attributes.value("dim", json());
    Dims axes = dim.is_null() ? all_axes(x[0]) : Dims{};
    for (const json& d : dim) axes.push_back(axis_of(d, x[0]));
    std::sort(axes.begin(), axes.end());
    // torch.sum counts bools.
    const Value operand = x[0].dtype() == boolean ? b.cast(x[0], i64) : x[0];
    return b(op, {operand}, {{"axes", axes}, {"keep_dims", attributes.value("keepdim", false)}});
  };
}

Value argmax(Builder& b, const Values& x, const json& attributes) {
  if (attributes["dim"].is_null()) return b("argmax", {b.reshape(x[0], {x[0].shape().numel()})}, {{"axis", int64_t{0}}});
  return b("argmax", x, {{"axis", axis_of(attributes["dim"], x[0])}, {"keep_dims", attributes["keepdim"].get<bool>()}});
}

Value cast(Builder& b, const Values& x, const json& attributes) {
  return b.cast(x[0], dtype_from_name(attributes["dtype"].get<std::string>()).value());
}

Value gelu(Builder& b, const Values& x, const json& attributes) {
  return b("gelu", x, {{"approximate", attributes["approximate"].get<std::string>()}});
}

Translation along_axis(std::string op) {
  return [op](Builder& b, const Values& x, const json& attributes) { return b(op, x, {{"axis", axis_of(attributes["dim"], x[0])}}); };
}

Translation loss(std::string op) {
  return [op](Builder& b, const Values& x, const json& attributes) {
    return b(op, x, {{"reduction", attributes["reduction"].get<std::string>()}});
  };
}

Value matmul(Builder& b, const Values& x, const json&) {
  const auto batch = [](Value v) { return Shape(Dims(v.shape().begin(), v.shape().end() - 2)); };
  Shape common;
  if (!broadcast_shapes(batch(x[0]), batch(x[1]), common)) throw Error("the batches do not broadcast");
  const auto stretched = [&](Value v) {
    Dims shape = common.dims();
    shape.insert(shape.end(), v.shape().end() - 2, v.shape().end());
    return b.broadcast(v, Shape(shape));
  };
  return b("matmul", {stretched(x[0]), stretched(x[1])});
}

Value transpose(Builder& b, const Values& x, const json& attributes) {
  Dims permutation = all_axes(x[0]);
  std::swap(permutation[static_cast<size_t>(axis_of(attributes["dim0"], x[0]))],
            permutation[static_cast<size_t>(axis_of(attributes["dim1"], x[0]))]);
  return b("transpose", x, {{"permutation", permutation}});
}

Value permute(Builder& b, const Values& x, const json& attributes) {
  return b("transpose", x, {{"permutation", attributes["dims"].get<Dims>()}});
}

Value reshape(Builder& b, const Values& x, const json& attributes) {
  Dims shape = attributes["shape"].get<Dims>();
  const int64_t known =
      std::accumulate(shape.begin(), shape.end(), int64_t{1}, [](int64_t n, int64_t extent) { return extent < 0 ? n : n * extent; });
  for (int64_t& extent : shape)
    if (extent < 0) extent = x[0].shape().numel() / known;
  return b("reshape", x, {{"shape", shape}});
}

Value expand(Builder& b, const Values& x, const json& attributes) { return b.broadcast(x[0], Shape(attributes["shape"].get<Dims>())); }

Value slice(Builder& b, const Values& x, const json& attributes) {
  const auto axis = static_cast<size_t>(axis_of(attributes["dim"], x[0]));
  Dims start(x[0].shape().dims().size(), 0), end = x[0].shape().dims(), step(start.size(), 1);
  const int64_t extent = end[axis];
  const auto index = [&](const char* name) {
    const auto i = attributes[name].get<int64_t>();
    return std::clamp<int64_t>(i < 0 ? i + extent : i, 0, extent);
  };
  start[axis] = index("start"), end[axis] = index("end"), step[axis] = attributes["step"].get<int64_t>();
  return b("slice", x, {{"start", start}, {"end", end}, {"step", step}});
}

/// PyTorch lists (before, after) from the last axis on, and as many axes as it likes.
Value pad(Builder& b, const Values& x, const json& attributes) {
  const Dims pairs = attributes["pad"].get<Dims>();
  const size_t rank = x[0].shape().dims().size();
  Dims low(rank, 0), high(rank, 0);
  for (size_t i = 0; i < pairs.size() / 2; ++i) {
    low[rank - 1 - i] = pairs[2 * i];
    high[rank - 1 - i] = pairs[2 * i + 1];
  }
  return b("pad", x, {{"low", low}, {"high", high}, {"value", number(attributes.value("value", json(0.0)))}});
}

Value index_add(Builder& b, const Values& x, const json& attributes) {
  const Value updates = b("mul", {x[2], b.splat(x[2].type(), attributes.value("alpha", 1.0))});
  return b("scatter_add", {x[0], x[1], updates}, {{"axis", axis_of(attributes["dim"], x[0])}});
}

Value one_hot(Builder& b, const Values& x, const json& attributes) {
  return b("one_hot", x, {{"classes", attributes["num_classes"].get<int64_t>()}});
}

const std::map<std::string, Translation> translations{
    {"pow", power},
    {"cast", cast},
    {"gelu", gelu},
    {"logical_and", pointwise("and")},
    {"logical_or", pointwise("or")},
    {"logical_xor", pointwise("xor")},
    {"logical_not", pointwise("not")},
    {"where", pointwise("select")},
    {"sum", reduction("sum")},
    {"mean", reduction("mean")},
    {"amax", reduction("max")},
    {"amin", reduction("min")},
    {"argmax", argmax},
    {"softmax", along_axis("softmax")},
    {"log_softmax", along_axis("log_softmax")},
    {"concat", along_axis("concat")},
    {"mse_loss", loss("mse_loss")},
    {"cross_entropy", loss("cross_entropy")},
    {"matmul", matmul},
    {"transpose", transpose},
    {"permute", permute},
    {"reshape", reshape},
    {"expand", expand},
    {"slice", slice},
    {"pad", pad},
    {"index_select", along_axis("gather")},
    {"index_add", index_add},
    {"one_hot", one_hot},
};

}  // namespace

std::optional<Value> torch_op(Builder& b, const std::string& op, const Values& operands, const json& attributes) {
  const auto found = translations.find(op);
  if (found != translations.end()) return found->second(b, operands, attributes);
  // Elementwise ops bear PyTorch's names.
  const ir::OpDef* def = ir::registry().find(op);
  if (!def || !def->is_elementwise()) return std::nullopt;
  ir::NamedAttributes numbers;
  for (const ir::AttributeSpec& attribute : def->attributes)
    if (attributes.contains(attribute.name)) numbers.emplace_back(attribute.name, number(attributes[attribute.name]));
  return b(op, broadcast(b, operands), numbers);
}

}  // namespace weft::testing
