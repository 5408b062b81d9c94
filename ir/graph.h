#pragma once
// The graph: pure SSA over tensors with static shapes.
//
// A Graph owns its ops and inputs; a Value is a cheap handle to an input or to one result of an op and stays valid
// as long as that op lives. Ops stand in a list in which every operand is defined before it is used. An op may own
// body graphs; a body captures nothing from outside.
//
// Ops lie in memory that their graph owns, each in one piece with its operands, results and attributes: passes walk over
// whole graphs all the time, and what they wait for is memory.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "weft/ir/attribute.h"
#include "weft/ir/linked_list.h"
#include "weft/ir/location.h"
#include "weft/ir/value.h"
#include "weft/support/slab.h"

namespace weft::ir {

struct OpDef;

/// What an input of a function is to training.
enum class Role { batch, parameter, state, hyper, key };
std::string_view name_of(Role role);
std::optional<Role> role_from_name(std::string_view name);

class Op : public Linked<Op> {
 public:
  Op(const Op&) = delete;
  Op& operator=(const Op&) = delete;

  const OpDef& def() const { return *def_; }
  std::string_view name() const;
  bool is(std::string_view name) const { return this->name() == name; }
  Graph& graph() const { return *graph_; }
  /// A number that no other op of its graph ever has, below Graph::number_limit(): the place of an op in a table. It says
  /// nothing about the order.
  int number() const { return number_; }

  Operands operands() const { return {operands_, operand_count_}; }
  Value operand(int i) const { return operands_[i]; }
  void set_operand(int i, Value value);

  int result_count() const { return static_cast<int>(result_count_); }
  Value result(int i = 0) const { return Value(&results_[i]); }
  Results results() const { return {results_, result_count_}; }
  /// True when nothing reads any result.
  bool is_unused() const;

  /// Typed access by name; the definition says which attributes exist.
  template <class T>
  const T& attribute(std::string_view name) const {
    return std::get<T>(attribute(name));
  }
  const Attribute& attribute(std::string_view name) const;
  bool flag(std::string_view name) const { return attribute<bool>(name); }
  int64_t integer(std::string_view name) const { return attribute<int64_t>(name); }
  double real(std::string_view name) const { return attribute<double>(name); }
  const Dims& dims(std::string_view name) const { return attribute<Dims>(name); }
  void set_attribute(std::string_view name, Attribute value);
  /// In the order of the definition.
  Attributes attributes() const { return {attributes_, attribute_count_}; }

  const std::vector<std::unique_ptr<Graph>>& bodies() const { return bodies_; }
  Graph& body(int i = 0) const { return *bodies_[static_cast<size_t>(i)]; }
  void add_body(std::unique_ptr<Graph> body);
  /// Puts another body in the place of body i, which it returns.
  std::unique_ptr<Graph> exchange_body(int i, std::unique_ptr<Graph> body);

  const Locations& locations() const { return locations_; }
  void set_locations(Locations locations) { locations_ = std::move(locations); }
  void add_locations(const Locations& more) { merge(locations_, more); }

 private:
  friend class Graph;
  struct Piece;

  Op(const OpDef& def, Graph& graph, const Piece& piece);
  ~Op();

  const OpDef* def_;
  Graph* graph_;
  Value* operands_;
  detail::UseLink* uses_;  // per operand: its entry among the value's readers
  detail::ValueNode* results_;
  Attribute* attributes_;
  uint32_t operand_count_, result_count_, attribute_count_;
  int number_ = 0;
  std::vector<std::unique_ptr<Graph>> bodies_;
  Locations locations_;
};

/// The ops of a graph in program order.
using Ops = LinkedList<Op, Op*>;

/// See Graph::editable_ops.
class EditableOps {
 public:
  class Iterator {
   public:
    explicit Iterator(Ops::Iterator at, Ops::Iterator end) : at_(at), next_(at), end_(end) { step(); }
    Op* operator*() const { return *at_; }
    Iterator& operator++() { return at_ = next_, step(), *this; }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    void step() {
      if (next_ != end_) ++next_;
    }

    Ops::Iterator at_, next_, end_;
  };

  explicit EditableOps(const Ops& ops) : ops_(&ops) {}
  Iterator begin() const { return Iterator(ops_->begin(), ops_->end()); }
  Iterator end() const { return Iterator(ops_->end(), ops_->end()); }

 private:
  const Ops* ops_;
};

struct Input {
  std::unique_ptr<detail::InputNode> node;
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
  const Ops& ops() const { return ops_; }
  /// The same for passes that edit as they walk: the op at hand may be erased and others inserted before it, which are not
  /// walked over.
  EditableOps editable_ops() const;
  /// A snapshot of the ops, for passes that change the list otherwise while they walk it.
  std::vector<Op*> op_list() const;
  /// The op right before `op`, or the last one when null; null for the first.
  Op* previous(const Op* op) const { return ops_.previous(op); }
  /// Every op's number is below.
  int number_limit() const { return numbers_; }

  /// Appends (or inserts before `before`) an op whose result types are given; checks nothing. Use ir::Builder.
  Op& insert(const OpDef& def, std::span<const Value> operands, std::vector<Attribute> attributes, std::vector<Type> result_types,
             Locations locations, Op* before = nullptr);
  /// The same op, of this graph or another, with operands from here: attributes, result types, bodies and locations are
  /// copied, offsets are not; given names are, from another graph.
  Op& insert_copy(const Op& op, std::span<const Value> operands, Op* before = nullptr);
  /// Requires that nothing reads its results.
  void erase(Op& op);
  /// Puts `op` right before `before`, or last when null.
  void move_before(Op& op, Op* before);
  /// Rebuilds the list in the given order, which must name every op once.
  void reorder(const std::vector<Op*>& order);

 private:
  Op& place(const OpDef& def, std::span<const Value> operands, size_t results, size_t attributes, Op* before);
  void destroy(Op& op);
  void number_inputs();

  std::string name_;
  Slab memory_;  // of the ops
  int numbers_ = 0;
  std::vector<Input> inputs_;
  Ops ops_;
  std::vector<Output> outputs_;
  std::unordered_map<std::string, int> input_numbers_, output_numbers_;  // by name; of outputs the first
};

/// A deep copy, offsets and locations included.
std::unique_ptr<Graph> clone(const Graph& graph);

/// Copies the body's ops into a graph, in front of `before` or, if that is null, at the end, reading `operands` for the
/// body's inputs; returns the body's outputs there.
std::vector<Value> inline_body(const Graph& body, std::span<const Value> operands, Graph& into, Op* before);

}  // namespace weft::ir
