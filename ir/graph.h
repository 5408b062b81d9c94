#pragma once
// The graph: pure SSA over tensors with static shapes.
//
// A Graph owns its ops and inputs; a Value is a cheap handle to an input or to one result of an op and stays valid
// as long as that op lives. Ops stand in a list in which every operand is defined before it is used. An op may own
// body graphs; a body captures nothing from outside.

#include <list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weft/ir/attribute.h"
#include "weft/ir/location.h"
#include "weft/ir/type.h"

namespace weft::ir {

class Graph;
class Op;
struct OpDef;

/// What an input of a function is to training.
enum class Role { batch, parameter, state, hyper, key };
std::string_view name_of(Role role);
std::optional<Role> role_from_name(std::string_view name);

/// An op that reads a value, and as which operand.
struct Use {
  Op* op;
  int operand;

  operator Op*() const { return op; }
  Op* operator->() const { return op; }
};

namespace detail {
struct ValueNode {
  Type type;
  Op* op = nullptr;        // null for an input
  Graph* graph = nullptr;  // the graph that the value lives in
  int index = 0;           // result number or input number
  std::string name;        // of an input; results are numbered when printed
  std::list<Use> users;    // one entry per operand that reads the value
  std::vector<int> outputs;  // the numbers of the graph's outputs that are the value
  std::optional<int64_t> offset;  // bytes into the arena, once planned
};
}  // namespace detail

class Value {
 public:
  Value() = default;
  explicit Value(detail::ValueNode* node) : node_(node) {}

  const Type& type() const { return node_->type; }
  const Shape& shape() const { return node_->type.shape; }
  DType dtype() const { return node_->type.dtype; }
  Op* op() const { return node_->op; }
  Graph* graph() const { return node_->graph; }
  bool is_input() const { return !node_->op; }
  int index() const { return node_->index; }
  const std::string& name() const { return node_->name; }

  /// The ops that read this value, one entry per operand. Graph outputs are not ops: see Graph::is_output.
  const std::list<Use>& users() const { return node_->users; }
  /// Makes every op and every graph output that read this value read `other` instead.
  void replace_all_uses_with(Value other) const;

  /// Where the memory plan put the value: bytes into the arena.
  std::optional<int64_t> offset() const { return node_->offset; }
  void set_offset(std::optional<int64_t> offset) const { node_->offset = offset; }

  explicit operator bool() const { return node_ != nullptr; }
  bool operator==(const Value&) const = default;
  detail::ValueNode* node() const { return node_; }

 private:
  detail::ValueNode* node_ = nullptr;
};

struct ValueHash {
  size_t operator()(Value v) const { return std::hash<detail::ValueNode*>{}(v.node()); }
};

/// The results of an op.
class Results {
 public:
  struct Iterator {
    detail::ValueNode* node;
    Value operator*() const { return Value(node); }
    Iterator& operator++() { return ++node, *this; }
    bool operator==(const Iterator&) const = default;
  };

  Results(detail::ValueNode* nodes, size_t count) : nodes_(nodes), count_(count) {}
  Iterator begin() const { return {nodes_}; }
  Iterator end() const { return {nodes_ + count_}; }
  size_t size() const { return count_; }
  Value operator[](size_t i) const { return Value(nodes_ + i); }

 private:
  detail::ValueNode* nodes_;
  size_t count_;
};

class Op {
 public:
  const OpDef& def() const { return *def_; }
  std::string_view name() const;
  bool is(std::string_view name) const { return this->name() == name; }
  Graph& graph() const { return *graph_; }

  const std::vector<Value>& operands() const { return operands_; }
  Value operand(int i) const { return operands_[static_cast<size_t>(i)]; }
  void set_operand(int i, Value value);
  void append_operand(Value value);
  void remove_operand(int i);

  int result_count() const { return static_cast<int>(result_count_); }
  Value result(int i = 0) const { return Value(&results_[static_cast<size_t>(i)]); }
  Results results() const { return {results_.get(), result_count_}; }
  /// True when nothing reads any result.
  bool is_unused() const;

  /// Typed access by name; the definition says which attributes exist.
  template <class T> const T& attribute(std::string_view name) const { return std::get<T>(attribute(name)); }
  const Attribute& attribute(std::string_view name) const;
  bool flag(std::string_view name) const { return attribute<bool>(name); }
  int64_t integer(std::string_view name) const { return attribute<int64_t>(name); }
  double real(std::string_view name) const { return attribute<double>(name); }
  const Dims& dims(std::string_view name) const { return attribute<Dims>(name); }
  void set_attribute(std::string_view name, Attribute value);
  /// In the order of the definition.
  const std::vector<Attribute>& attributes() const { return attributes_; }

  const std::vector<std::unique_ptr<Graph>>& bodies() const { return bodies_; }
  Graph& body(int i = 0) const { return *bodies_[static_cast<size_t>(i)]; }
  void add_body(std::unique_ptr<Graph> body);

  const Locations& locations() const { return locations_; }
  void set_locations(Locations locations) { locations_ = std::move(locations); }
  void add_locations(const Locations& more) { merge(locations_, more); }

  ~Op();

 private:
  friend class Graph;
  Op() = default;

  const OpDef* def_ = nullptr;
  Graph* graph_ = nullptr;
  std::vector<Value> operands_;
  std::vector<std::list<Use>::iterator> uses_;  // per operand: its entry among the value's users
  std::unique_ptr<detail::ValueNode[]> results_;
  size_t result_count_ = 0;
  std::vector<Attribute> attributes_;
  std::vector<std::unique_ptr<Graph>> bodies_;
  Locations locations_;
  std::list<std::unique_ptr<Op>>::iterator position_;
};

struct Input {
  std::unique_ptr<detail::ValueNode> node;
  Role role = Role::batch;
  Locations locations;

  Value value() const { return Value(node.get()); }
};

/// A result of a function. `alias` names the input whose storage the result must take over: new state replaces old.
struct Output {
  std::string name;
  Value value;
  std::optional<int> alias;
  Locations locations;
};

class Graph {
 public:
  explicit Graph(std::string name = "") : name_(std::move(name)) {}
  ~Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  const std::string& name() const { return name_; }
  void set_name(std::string name) { name_ = std::move(name); }

  /// Throws weft::Error when the name is taken.
  Value add_input(std::string name, Type type, Role role = Role::batch, Locations locations = {});
  const std::vector<Input>& inputs() const { return inputs_; }
  std::vector<Input>& inputs() { return inputs_; }
  const Input* find_input(std::string_view name) const;
  void rename_input(int i, std::string name);
  Value input(int i) const { return inputs_[static_cast<size_t>(i)].value(); }
  /// Requires that nothing reads the input.
  void remove_input(int i);
  /// Input i is then what input from[i] was; `from` names every input once.
  void reorder_inputs(const std::vector<int>& from);

  void add_output(Output output);
  const std::vector<Output>& outputs() const { return outputs_; }
  /// Makes output i another value.
  void set_output(size_t i, Value value);
  /// Replaces all of them.
  void set_outputs(std::vector<Output> outputs);
  const Output* find_output(std::string_view name) const;
  static bool is_output(Value value) { return !value.node()->outputs.empty(); }

  /// The ops in program order.
  const std::list<std::unique_ptr<Op>>& ops() const { return ops_; }
  /// A snapshot of the ops, for passes that change the list while they walk it.
  std::vector<Op*> op_list() const;
  /// The op right before `op`, or the last one when null; null for the first.
  Op* previous(const Op* op) const;

  /// Appends (or inserts before `before`) an op whose result types are given; checks nothing. Use ir::Builder.
  Op& insert(const OpDef& def, std::vector<Value> operands, std::vector<Attribute> attributes,
             std::vector<Type> result_types, Locations locations, Op* before = nullptr);
  /// Requires that nothing reads its results.
  void erase(Op& op);
  /// Puts `op` right before `before`, or last when null.
  void move_before(Op& op, Op* before);
  /// Rebuilds the list in the given order, which must name every op once.
  void reorder(const std::vector<Op*>& order);

 private:
  void number_inputs();

  std::string name_;
  std::vector<Input> inputs_;
  std::list<std::unique_ptr<Op>> ops_;
  std::vector<Output> outputs_;
  std::unordered_map<std::string, int> input_numbers_, output_numbers_;  // by name; of outputs the first
};

/// A deep copy, offsets and locations included.
std::unique_ptr<Graph> clone(const Graph& graph);

/// Copies the body's ops into a graph, in front of `before` or, if that is null, at the end, reading `operands` for the
/// body's inputs; returns the body's outputs there.
std::vector<Value> inline_body(const Graph& body, const std::vector<Value>& operands, Graph& into, Op* before);

}  // namespace weft::ir
