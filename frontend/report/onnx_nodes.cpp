#include "weft/frontend/report/onnx_nodes.h"

#include "weft/support/error.h"

namespace weft::detail {
namespace {

enum AttributeType { real = 1, integer = 2, text = 3, tensor = 4, integers = 7 };

/// onnx.proto's AttributeProto.
ProtobufMessage attribute_message(const std::string& name, const OnnxNodes::Attribute& value) {
  ProtobufMessage m;
  m.text(1, name);
  if (const auto* x = std::get_if<double>(&value)) m.real(2, static_cast<float>(*x)).integer(20, real);
  if (const auto* x = std::get_if<int64_t>(&value)) m.integer(3, *x).integer(20, integer);
  if (const auto* x = std::get_if<std::string>(&value)) m.text(4, *x).integer(20, text);
  if (const auto* x = std::get_if<ir::Dense>(&value)) m.message(5, onnx_tensor("", *x)).integer(20, tensor);
  if (const auto* x = std::get_if<Dims>(&value)) {
    for (const int64_t i : *x) m.integer(8, i);
    m.integer(20, integers);
  }
  return m;
}

}  // namespace

int64_t onnx_type(DType dtype) {
  switch (dtype) {
    case DType::f32: return 1;
    case DType::u8: return 2;
    case DType::i32: return 6;
    case DType::i64: return 7;
    case DType::bool_: return 9;
    case DType::f64: return 11;
    case DType::bf16: return 16;
  }
  throw InternalError("an element type without a number");
}

ProtobufMessage onnx_tensor(const std::string& name, const ir::Dense& elements) {
  ProtobufMessage m;
  for (const int64_t extent : elements.type().shape.dims()) m.integer(1, extent);
  m.integer(2, onnx_type(elements.type().dtype));
  if (!name.empty()) m.text(8, name);
  const std::vector<std::byte>& bytes = elements.bytes();
  const std::string_view stored(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::string all;
  const int64_t times = elements.is_splat() ? elements.type().shape.numel() : 1;
  for (int64_t i = 0; i < times; ++i) all += stored;
  return m.raw(9, all);
}

std::string OnnxNodes::fresh(const std::string& name) {
  std::string unique = name;
  for (int i = 1; !taken_.insert(unique).second; ++i) unique = fmt::format("{}.{}", name, i);
  return unique;
}

void OnnxNodes::add(const std::string& type, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
                    const Attributes& attributes, const std::string& domain) {
  ProtobufMessage m;
  for (const std::string& input : inputs) m.text(1, input);
  for (const std::string& output : outputs) m.text(2, output);
  m.text(3, name_).text(4, type);
  for (const auto& [name, value] : attributes) m.message(5, attribute_message(name, value));
  if (!doc_.empty()) m.text(6, doc_);
  if (!domain.empty()) m.text(7, domain);
  nodes_.push_back(std::move(m));
}

std::string OnnxNodes::add(const std::string& type, const std::vector<std::string>& inputs, const Attributes& attributes) {
  std::string result = fresh(name_ + "/" + type);
  add(type, inputs, std::vector<std::string>{result}, attributes);
  return result;
}

std::string OnnxNodes::list(const Dims& values) {
  const auto [at, is_new] = lists_.try_emplace(values);
  if (!is_new) return at->second;
  at->second = fresh(fmt::format("[{}]", fmt::join(values, ",")));
  std::vector<std::byte> bytes(values.size() * sizeof(int64_t));
  std::copy_n(reinterpret_cast<const std::byte*>(values.data()), bytes.size(), bytes.data());
  initializers_.push_back(onnx_tensor(at->second, ir::Dense({i64, {static_cast<int64_t>(values.size())}}, std::move(bytes))));
  return at->second;
}

std::string OnnxNodes::number(double value, DType dtype) {
  const std::string name = fresh(fmt::format("{} {}", name_of(dtype), value));
  initializers_.push_back(onnx_tensor(name, ir::Dense::splat({dtype, {}}, value)));
  return name;
}

}  // namespace weft::detail
