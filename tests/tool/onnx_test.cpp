// weft show --onnx: the file, read by what is here of Protocol Buffers.

#include <map>
#include <optional>
#include <vector>

#include "weft/tests/catch.h"
#include "weft/tests/process.h"

using weft::test::Ran;
using weft::test::read_file;
using weft::test::run_command;
using weft::test::TempDir;

namespace {

/// A message: of each field, by its number, what came, numbers as they are and the rest as bytes.
class Message {
 public:
  explicit Message(const std::string& bytes) {
    for (size_t at = 0; at < bytes.size();) {
      const uint64_t tag = varint(bytes, at);
      const int field = static_cast<int>(tag >> 3), type = static_cast<int>(tag & 7);
      if (type == 0) {
        numbers_[field].push_back(static_cast<int64_t>(varint(bytes, at)));
        continue;
      }
      REQUIRE((type == 2 || type == 5));
      const size_t size = type == 5 ? 4 : varint(bytes, at);
      REQUIRE(size <= bytes.size() - at);
      texts_[field].push_back(bytes.substr(at, size));
      at += size;
    }
  }
  std::vector<std::string> texts(int field) const { return texts_.contains(field) ? texts_.at(field) : std::vector<std::string>(); }
  std::vector<int64_t> numbers(int field) const { return numbers_.contains(field) ? numbers_.at(field) : std::vector<int64_t>(); }
  std::string text(int field) const { return texts(field).empty() ? "" : texts(field).at(0); }
  int64_t number(int field) const { return numbers(field).empty() ? 0 : numbers(field).at(0); }
  std::vector<Message> messages(int field) const {
    std::vector<Message> all;
    for (const std::string& bytes : texts(field)) all.emplace_back(bytes);
    return all;
  }
  std::optional<Message> find(int field, int name_field, const std::string& name) const {
    for (const Message& m : messages(field))
      if (m.text(name_field) == name) return m;
    return std::nullopt;
  }

 private:
  static uint64_t varint(const std::string& bytes, size_t& at) {
    uint64_t value = 0;
    for (int shift = 0;; shift += 7) {
      REQUIRE((at < bytes.size() && shift < 64));
      const auto byte = static_cast<unsigned char>(bytes[at++]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (!(byte & 0x80)) return value;
    }
  }

  std::map<int, std::vector<int64_t>> numbers_;
  std::map<int, std::vector<std::string>> texts_;
};

/// The fields of onnx.proto that are looked at.
constexpr int model_graph = 7, model_operators = 8, graph_node = 1, graph_name = 2, graph_initializer = 5, graph_input = 11,
              graph_output = 12, graph_value = 13, node_input = 1, node_output = 2, node_type = 4, node_attribute = 5, node_doc = 6,
              node_domain = 7, attribute_integer = 3, attribute_text = 4, attribute_integers = 8;

const std::string net = R"(weft 1
func @"a net" {
  input %x: f32[2,3,8,8] at "net.cpp":5
  input %w: f32[4,3,3,3] parameter at "net.cpp":4 "conv"
  input %v: f32[5,64] parameter at "net.cpp":4 "fc"
  input %y: i64[2] at "net.cpp":5
  %0 = convolution(%x, %w) {stride = [2,1], low = [1,0], high = [0,2]} : f32[2,4,4,8] at "net.cpp":6 "conv"
  %1 = square(%0) : f32[2,4,4,8] at "net.cpp":6
  %2 = mean(%1) {axes = [3]} : f32[2,4,4] at "net.cpp":7
  %3 = erfinv(%2) : f32[2,4,4] at "net.cpp":7
  %4 = broadcast(%3) {shape = [4,2,4,4]} : f32[4,2,4,4] at "net.cpp":7
  %5 = transpose(%4) {permutation = [1,0,2,3]} : f32[2,4,4,4] at "net.cpp":7
  %6 = reshape(%5) {shape = [2,64]} : f32[2,64] at "net.cpp":7
  %7 = matmul(%6, %v) {transpose_b = true} : f32[2,5] at "net.cpp":8 "fc"
  %8 = cross_entropy(%7, %y) : f32[] at "net.cpp":9
  %9 = constant() {value = f32[4,3,3,3] 0.5} : f32[4,3,3,3] at "net.cpp":9
  %10 = mul(%w, %9) : f32[4,3,3,3] at "net.cpp":9
  output loss = %8 at "net.cpp":9
  output w = %10 aliases %w
  output again = %8
}
)";

Message model_of(const std::string& file, const TempDir& dir) {
  const Ran ran = run_command(WEFT_TOOL " show " + file + " --onnx " + (dir / "net.onnx"));
  INFO(ran.err);
  REQUIRE(ran.code == 0);
  CHECK(ran.out.empty());
  return Message(read_file(dir / "net.onnx"));
}

int64_t attribute(const Message& node, const std::string& name) {
  return node.find(node_attribute, 1, name).value().number(attribute_integer);
}
std::vector<int64_t> attribute_list(const Message& node, const std::string& name) {
  return node.find(node_attribute, 1, name).value().numbers(attribute_integers);
}

}  // namespace

TEST_CASE("weft show: a program as ONNX, in its operators where there are some", "[tool]") {
  const TempDir dir;
  const Message model = model_of(dir.write("net.weft", net), dir), graph = model.messages(model_graph).at(0);
  CHECK(model.find(model_operators, 1, "").value().number(2) == 20);
  CHECK(model.find(model_operators, 1, "weft").value().number(2) == 1);
  CHECK(graph.text(graph_name) == "a net");
  std::vector<std::string> inputs, outputs;
  for (const Message& m : graph.messages(graph_input)) inputs.push_back(m.text(1));
  for (const Message& m : graph.messages(graph_output)) outputs.push_back(m.text(1));
  CHECK(inputs == std::vector<std::string>{"x", "w", "v", "y"});
  CHECK(outputs == std::vector<std::string>{"loss", "w.new", "again"});  // no name stands for two values
  // f32[2,3,8,8]: an element type and extents.
  const Message tensor = graph.messages(graph_input).at(0).messages(2).at(0).messages(1).at(0);
  CHECK(tensor.number(1) == 1);
  std::vector<int64_t> extents;
  for (const Message& extent : tensor.messages(2).at(0).messages(1)) extents.push_back(extent.number(1));
  CHECK(extents == std::vector<int64_t>{2, 3, 8, 8});

  const auto node = [&](const std::string& type) {
    INFO(type);
    const auto found = graph.find(graph_node, node_type, type);
    REQUIRE(found);
    return *found;
  };
  const Message conv = node("Conv");
  CHECK(conv.texts(node_input) == std::vector<std::string>{"x", "w"});
  CHECK_THAT(conv.text(node_doc), contains_text("net.cpp:6 (conv)"));
  CHECK(attribute_list(conv, "strides") == std::vector<int64_t>{2, 1});
  CHECK(attribute_list(conv, "pads") == std::vector<int64_t>{1, 0, 0, 2});
  CHECK(attribute_list(conv, "dilations") == std::vector<int64_t>{1, 1});
  CHECK(attribute_list(conv, "kernel_shape") == std::vector<int64_t>{3, 3});
  CHECK(attribute(conv, "group") == 1);
  CHECK(node("Mul").texts(node_input) == std::vector<std::string>(2, conv.text(node_output)));
  const Message mean = node("ReduceMean");
  CHECK(attribute(mean, "keepdims") == 0);
  const auto list = [&](const std::string& name) {
    const std::string bytes = graph.find(graph_initializer, 8, name).value().text(9);
    std::vector<int64_t> values(bytes.size() / sizeof(int64_t));
    std::copy_n(bytes.data(), bytes.size(), reinterpret_cast<char*>(values.data()));
    return values;
  };
  CHECK(list(mean.texts(node_input).at(1)) == std::vector<int64_t>{3});
  CHECK(list(node("Expand").texts(node_input).at(1)) == std::vector<int64_t>{4, 2, 4, 4});
  CHECK(list(node("Reshape").texts(node_input).at(1)) == std::vector<int64_t>{2, 64});
  CHECK(attribute_list(node("Transpose"), "perm") == std::vector<int64_t>{1, 0, 2, 3});
  CHECK((attribute(node("Gemm"), "transA") == 0 && attribute(node("Gemm"), "transB") == 1));
  CHECK(node("SoftmaxCrossEntropyLoss").find(node_attribute, 1, "reduction").value().text(attribute_text) == "mean");
  CHECK(list(node("ConstantOfShape").text(node_input)) == std::vector<int64_t>{4, 3, 3, 3});
  // What ONNX has not.
  CHECK(node("erfinv").text(node_domain) == "weft");
  CHECK(node("Conv").text(node_domain).empty());
  // Every value has its type, but for what an operator alone needs.
  CHECK(graph.messages(graph_value).size() == 11);
}

TEST_CASE("weft show: a fused program as ONNX has kernels and calls as operators of weft", "[tool]") {
  const TempDir dir;
  const std::string fused_text = dir / "fused.weft";
  REQUIRE(run_command(WEFT_TOOL " opt --target=generic --stop-after=fuse " + dir.write("net.weft", net) + " -o " + fused_text).code == 0);
  const Message graph = model_of(fused_text, dir).messages(model_graph).at(0);
  const auto fused = graph.find(graph_node, node_type, "fused");
  REQUIRE(fused);
  CHECK(fused->text(node_domain) == "weft");
  CHECK_THAT(fused->find(node_attribute, 1, "body").value().text(attribute_text), contains_text("erfinv("));
  // A product that was given memory to work in has a result more than ONNX's.
  const std::string scratch =
      "weft 1\nfunc @f {\n  input %a: f32[4,4]\n  %p, %s = matmul(%a, %a) {scratch = 64} : f32[4,4], u8[64]\n  output y = %p\n}\n";
  const Message own = model_of(dir.write("scratch.weft", scratch), dir).messages(model_graph).at(0);
  CHECK(own.messages(graph_node).at(0).text(node_domain) == "weft");
  CHECK(own.messages(graph_output).at(0).text(1) == "y");  // not p
  CHECK(run_command(WEFT_TOOL " show " + fused_text + " --onnx a.onnx --dot").code == 1);
  CHECK_THAT(run_command(WEFT_TOOL " show " + fused_text + " --onnx " + (dir / "none/a.onnx")).err, contains_text("cannot write the file"));
}
