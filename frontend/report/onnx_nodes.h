#pragma once
// Nodes of an ONNX graph, and how ops become some.

#include <map>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

#include "weft/frontend/report/protobuf.h"
#include "weft/ir/graph.h"

namespace weft::detail {

/// ONNX's number of an element type.
int64_t onnx_type(DType dtype);

/// One whose elements are written out.
ProtobufMessage onnx_tensor(const std::string& name, const ir::Dense& elements);

class OnnxNodes {
 public:
  using Attribute = std::variant<int64_t, double, std::string, Dims, ir::Dense>;
  using Attributes = std::vector<std::pair<std::string, Attribute>>;

  /// Names that new ones keep away from.
  void take(const std::string& name) { taken_.insert(name); }
  /// `name`, or with a number behind it where that is taken.
  std::string fresh(const std::string& name);

  /// From here on nodes belong to this op: begin with its layer, say its lines, and are named by its result.
  void begin(const std::string& name, const std::string& doc) { name_ = name, doc_ = doc; }
  void add(const std::string& type, const std::vector<std::string>& inputs, const std::vector<std::string>& outputs,
           const Attributes& attributes = {}, const std::string& domain = "");
  /// One whose result is none of the op's; returns what that is called.
  std::string add(const std::string& type, const std::vector<std::string>& inputs, const Attributes& attributes = {});

  /// A list of numbers, as ONNX takes shapes and axes; one for all that ask for the same.
  std::string list(const Dims& values);
  /// A number of a tensor's type.
  std::string number(double value, DType dtype);

  const std::vector<ProtobufMessage>& nodes() const { return nodes_; }
  const std::vector<ProtobufMessage>& initializers() const { return initializers_; }

 private:
  std::vector<ProtobufMessage> nodes_, initializers_;
  std::map<Dims, std::string> lists_;
  std::unordered_set<std::string> taken_;
  std::string name_, doc_;
};

/// An op with what its operands and results are called.
struct OnnxOp {
  const ir::Op& op;
  std::vector<std::string> operands, results;
  OnnxNodes& to;

  void add(const std::string& type, const OnnxNodes::Attributes& attributes = {}) const { to.add(type, operands, results, attributes); }
};

/// Adds nodes that compute the same as the op; false, and none, where ONNX has no such operators.
bool add_equal_nodes(const OnnxOp& op);

}  // namespace weft::detail
