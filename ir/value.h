#pragma once
// Values and who reads them.
//
// A value is an input of a graph or one result of an op, and knows its readers: they are linked through the places of their
// operands (an intrusive list), so that adding and dropping a reader needs no memory.

#include <cstddef>
#include <functional>
#include <iterator>
#include <optional>
#include <span>
#include <string>
#include <vector>

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

struct UseLink : Use {
  UseLink *before = nullptr, *behind = nullptr;  // among the readers of the same value
};

struct ValueNode {
  Type type;
  Op* op = nullptr;        // null for an input
  Graph* graph = nullptr;  // the graph that the value lives in
  int index = 0;           // result number or input number
  int use_count = 0;
  UseLink *first_use = nullptr, *last_use = nullptr;  // one per operand that reads the value
  std::vector<int> outputs;                           // the numbers of the graph's outputs that are the value
  std::optional<int64_t> offset;                      // bytes into the arena, once planned

  void add_use(UseLink& use);
  void drop_use(UseLink& use);
};

struct InputNode : ValueNode {
  std::string name;
};

}  // namespace detail

/// The readers of a value, one entry per operand, the latest last.
class Users {
 public:
  class Iterator {
   public:
    using iterator_category = std::bidirectional_iterator_tag;
    using value_type = Use;
    using difference_type = std::ptrdiff_t;
    using pointer = const Use*;
    using reference = const Use&;

    Iterator() = default;
    Iterator(const detail::UseLink* at, const detail::ValueNode* of) : at_(at), of_(of) {}
    const Use& operator*() const { return *at_; }
    const Use* operator->() const { return at_; }
    Iterator& operator++() { return at_ = at_->behind, *this; }
    Iterator& operator--() { return at_ = at_ ? at_->before : of_->last_use, *this; }
    Iterator operator++(int) {
      const Iterator now = *this;
      return ++*this, now;
    }
    Iterator operator--(int) {
      const Iterator now = *this;
      return --*this, now;
    }
    bool operator==(const Iterator& other) const { return at_ == other.at_; }

   private:
    const detail::UseLink* at_ = nullptr;  // null: behind the last
    const detail::ValueNode* of_ = nullptr;
  };

  Users() = default;
  explicit Users(const detail::ValueNode* of) : of_(of) {}
  Iterator begin() const { return {of_ ? of_->first_use : nullptr, of_}; }
  Iterator end() const { return {nullptr, of_}; }
  auto rbegin() const { return std::reverse_iterator(end()); }
  auto rend() const { return std::reverse_iterator(begin()); }
  size_t size() const { return of_ ? static_cast<size_t>(of_->use_count) : 0; }
  bool empty() const { return size() == 0; }
  const Use& front() const { return *of_->first_use; }

 private:
  const detail::ValueNode* of_ = nullptr;
};

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
  /// Of an input; results have none, they are numbered when printed.
  const std::string& name() const;

  /// The ops that read this value. Graph outputs are not ops: see Graph::is_output.
  Users users() const { return Users(node_); }
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
