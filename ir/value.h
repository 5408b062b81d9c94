#pragma once
// Values and who reads them.
//
// A value is an input of a graph or one result of an op, and knows its readers: they are linked through the places of their
// operands.

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "weft/ir/linked_list.h"
#include "weft/ir/type.h"

namespace weft::ir {

class Graph;
class Op;
class Value;

/// An op that reads a value, and as which operand.
struct Use {
  Op* op = nullptr;
  int operand = 0;

  operator Op*() const { return op; }
  Op* operator->() const { return op; }
};

namespace detail {

struct UseLink : Use, Linked<UseLink> {};

}  // namespace detail

/// The readers of a value, one entry per operand, the latest last.
using Users = LinkedList<detail::UseLink, const Use&>;

namespace detail {

struct ValueNode {
  Type type;
  Op* op = nullptr;        // null for an input
  Graph* graph = nullptr;  // the graph that the value lives in
  int index = 0;           // result number or input number
  Users users;
  std::vector<int> outputs;                  // the numbers of the graph's outputs that are the value
  std::optional<int64_t> offset;             // bytes into the arena, once planned
  std::unique_ptr<const std::string> given;  // see given_name() (ir/value_names.h); null for most
};

struct InputNode : ValueNode {
  std::string name;
};

}  // namespace detail

/// A cheap handle to an input or to one result of an op.
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
  /// Of an input; what results are called, ir/value_names.h derives.
  const std::string& name() const;

  /// The ops that read this value. Graph outputs are not ops: see Graph::is_output.
  const Users& users() const { return node_->users; }
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

/// What an op reads, in the order of its definition.
class Operands : public std::span<const Value> {
 public:
  using std::span<const Value>::span;
  operator std::vector<Value>() const { return {begin(), end()}; }
};

bool operator==(const Operands& a, const Operands& b);

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

}  // namespace weft::ir
