#include "weft/ir/graph.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "weft/ir/op_def.h"
#include "weft/ir/value_names.h"
#include "weft/support/error.h"
#include "weft/support/work.h"

namespace weft::ir {

std::string_view name_of(Role role) {
  switch (role) {
    case Role::batch: return "batch";
    case Role::parameter: return "parameter";
    case Role::state: return "state";
    case Role::hyper: return "hyper";
    case Role::key: return "key";
  }
  return "?";
}

std::optional<Role> role_from_name(std::string_view name) {
  for (Role r : {Role::batch, Role::parameter, Role::state, Role::hyper, Role::key})
    if (name_of(r) == name) return r;
  return std::nullopt;
}

/// Where the parts of an op lie in its piece of memory.
struct Op::Piece {
  size_t operand_count, result_count, attribute_count;

  size_t results() const { return sizeof(Op); }
  size_t attributes() const { return results() + result_count * sizeof(detail::ValueNode); }
  size_t uses() const { return attributes() + attribute_count * sizeof(Attribute); }
  size_t operands() const { return uses() + operand_count * sizeof(detail::UseLink); }
  size_t bytes() const { return operands() + operand_count * sizeof(Value); }

  static Piece of(const Op& op) { return {op.operand_count_, op.result_count_, op.attribute_count_}; }
};

Op::Op(const OpDef& def, Graph& graph, const Piece& piece)
    : def_(&def), graph_(&graph), operand_count_(static_cast<uint32_t>(piece.operand_count)),
      result_count_(static_cast<uint32_t>(piece.result_count)), attribute_count_(static_cast<uint32_t>(piece.attribute_count)) {
  auto* memory = reinterpret_cast<std::byte*>(this);
  const auto make = [&]<class T>(T*& first, size_t offset, size_t count) {
    static_assert(alignof(T) <= alignof(Op) && sizeof(T) % alignof(Op) == 0);
    first = reinterpret_cast<T*>(memory + offset);
    std::uninitialized_value_construct_n(first, count);
  };
  make(results_, piece.results(), piece.result_count);
  make(attributes_, piece.attributes(), piece.attribute_count);
  make(uses_, piece.uses(), piece.operand_count);
  make(operands_, piece.operands(), piece.operand_count);
}

Op::~Op() {
  std::destroy_n(results_, result_count_);
  std::destroy_n(attributes_, attribute_count_);
}

std::string_view Op::name() const { return def_->name; }

void Op::set_operand(int i, Value value) {
  if (operands_[i] == value) return;
  count_work(1);
  operands_[i].node()->users.unlink(uses_[i]);
  operands_[i] = value;
  value.node()->users.link(uses_[i]);
}

bool Op::is_unused() const {
  return std::all_of(results_, results_ + result_count_, [](const auto& node) { return node.users.empty() && node.outputs.empty(); });
}

const Attribute& Op::attribute(std::string_view name) const {
  const int i = def_->attribute_index(name);
  WEFT_CHECK(i >= 0, "{} has no attribute '{}'", def_->name, name);
  return attributes_[i];
}

void Op::set_attribute(std::string_view name, Attribute value) {
  const int i = def_->attribute_index(name);
  WEFT_CHECK(i >= 0, "{} has no attribute '{}'", def_->name, name);
  attributes_[i] = std::move(value);
}

void Op::add_body(std::unique_ptr<Graph> body) { bodies_.push_back(std::move(body)); }

std::unique_ptr<Graph> Op::exchange_body(int i, std::unique_ptr<Graph> body) {
  return std::exchange(bodies_[static_cast<size_t>(i)], std::move(body));
}

Graph::~Graph() {
  // Ops point at each other's results; dropping them in any order is fine because nothing reads on the way.
  while (!ops_.empty()) {
    Op& op = *ops_.front();
    ops_.unlink(op);
    destroy(op);
  }
}

void Graph::destroy(Op& op) {
  const size_t bytes = Op::Piece::of(op).bytes();
  op.~Op();
  memory_.give_back(&op, bytes);
}

Value Graph::add_input(std::string name, Type type, Role role, Locations locations) {
  if (is_too_large(type))
    throw Error("the input '{}' is {}, which takes more than 2^50 bytes", name, to_string(type)).at(to_string(locations));
  if (!input_numbers_.try_emplace(name, static_cast<int>(inputs_.size())).second)
    throw Error("the graph '{}' already has an input named '{}'", name_, name);
  auto node = std::make_unique<detail::InputNode>();
  node->type = std::move(type);
  node->graph = this;
  node->index = static_cast<int>(inputs_.size());
  node->name = std::move(name);
  inputs_.push_back({std::move(node), role, std::move(locations)});
  return inputs_.back().value();
}

void Graph::number_inputs() {
  input_numbers_.clear();
  for (size_t i = 0; i < inputs_.size(); ++i) {
    inputs_[i].node->index = static_cast<int>(i);
    input_numbers_[inputs_[i].node->name] = static_cast<int>(i);
  }
}

const Input* Graph::find_input(std::string_view name) const {
  const auto found = input_numbers_.find(std::string(name));
  return found == input_numbers_.end() ? nullptr : &inputs_[static_cast<size_t>(found->second)];
}

void Graph::rename_input(int i, std::string name) {
  if (find_input(name)) throw Error("the graph '{}' already has an input named '{}'", name_, name);
  std::string& old = inputs_[static_cast<size_t>(i)].node->name;
  input_numbers_.erase(old);
  input_numbers_[name] = i;
  old = std::move(name);
}

void Graph::remove_input(int i) {
  const bool replaced = std::any_of(outputs_.begin(), outputs_.end(), [&](const Output& o) { return o.alias == i; });
  WEFT_CHECK(input(i).users().empty() && !is_output(input(i)) && !replaced, "input '{}' is still read or replaced", input(i).name());
  inputs_.erase(inputs_.begin() + i);
  number_inputs();
  for (Output& output : outputs_)
    if (output.alias && *output.alias > i) --*output.alias;
}

void Graph::reorder_inputs(const std::vector<int>& from) {
  WEFT_CHECK(from.size() == inputs_.size(), "{} inputs in the new order, {} in the graph", from.size(), inputs_.size());
  std::vector<Input> reordered;
  std::vector<int> to(from.size());
  for (size_t i = 0; i < from.size(); ++i) {
    reordered.push_back(std::move(inputs_[static_cast<size_t>(from[i])]));
    to[static_cast<size_t>(from[i])] = static_cast<int>(i);
  }
  inputs_ = std::move(reordered);
  number_inputs();
  for (Output& output : outputs_)
    if (output.alias) output.alias = to[static_cast<size_t>(*output.alias)];
}

void Graph::add_output(Output output) {
  const int number = static_cast<int>(outputs_.size());
  output.value.node()->outputs.push_back(number);
  if (!output.name.empty()) output_numbers_.try_emplace(output.name, number);
  outputs_.push_back(std::move(output));
}

void Graph::set_output(size_t i, Value value) {
  std::erase(outputs_[i].value.node()->outputs, static_cast<int>(i));
  outputs_[i].value = value;
  value.node()->outputs.push_back(static_cast<int>(i));
}

void Graph::set_outputs(std::vector<Output> outputs) {
  for (const Output& output : outputs_) output.value.node()->outputs.clear();
  outputs_.clear();
  output_numbers_.clear();
  for (Output& output : outputs) add_output(std::move(output));
}

const Output* Graph::find_output(std::string_view name) const {
  const auto found = output_numbers_.find(std::string(name));
  return found == output_numbers_.end() ? nullptr : &outputs_[static_cast<size_t>(found->second)];
}

EditableOps Graph::editable_ops() const {
  count_work(static_cast<int64_t>(ops_.size()));
  return EditableOps(ops_);
}

std::vector<Op*> Graph::op_list() const {
  count_work(static_cast<int64_t>(ops_.size()));
  std::vector<Op*> all;
  all.reserve(ops_.size());
  all.assign(ops_.begin(), ops_.end());
  return all;
}

Op& Graph::place(const OpDef& def, std::span<const Value> operands, size_t results, size_t attributes, Op* before) {
  count_work(1);
  const Op::Piece piece{operands.size(), results, attributes};
  Op& op = *new (memory_.take(piece.bytes())) Op(def, *this, piece);
  op.number_ = numbers_++;
  for (size_t i = 0; i < operands.size(); ++i) {
    static_cast<Use&>(op.uses_[i]) = {&op, static_cast<int>(i)};
    op.operands_[i] = operands[i];
    operands[i].node()->users.link(op.uses_[i]);
  }
  for (size_t i = 0; i < results; ++i) {
    op.results_[i].op = &op;
    op.results_[i].graph = this;
    op.results_[i].index = static_cast<int>(i);
  }
  ops_.link(op, before);
  return op;
}

Op& Graph::insert(const OpDef& def, std::span<const Value> operands, std::vector<Attribute> attributes, std::vector<Type> result_types,
                  Locations locations, Op* before) {
  Op& op = place(def, operands, result_types.size(), attributes.size(), before);
  std::move(attributes.begin(), attributes.end(), op.attributes_);
  for (size_t i = 0; i < result_types.size(); ++i) op.results_[i].type = std::move(result_types[i]);
  op.locations_ = std::move(locations);
  return op;
}

Op& Graph::insert_copy(const Op& of, std::span<const Value> operands, Op* before) {
  Op& op = place(of.def(), operands, of.result_count_, of.attribute_count_, before);
  std::copy_n(of.attributes_, of.attribute_count_, op.attributes_);
  for (size_t i = 0; i < of.result_count_; ++i) {
    op.results_[i].type = of.results_[i].type;
    if (of.graph_ != this) set_given_name(op.result(static_cast<int>(i)), given_name(of.result(static_cast<int>(i))));
  }
  op.locations_ = of.locations_;
  for (const auto& body : of.bodies_) op.add_body(clone(*body));
  return op;
}

void Graph::erase(Op& op) {
  count_work(1);
  WEFT_CHECK(op.is_unused(), "erasing '{}', which is still read", op.name());
  for (size_t i = 0; i < op.operand_count_; ++i) op.operands_[i].node()->users.unlink(op.uses_[i]);
  ops_.unlink(op);
  destroy(op);
}

void Graph::move_before(Op& op, Op* before) {
  if (before == &op) return;
  ops_.unlink(op);
  ops_.link(op, before);
}

void Graph::reorder(const std::vector<Op*>& order) {
  WEFT_CHECK(order.size() == ops_.size(), "{} ops in the new order, {} in the graph", order.size(), ops_.size());
  for (Op* op : order) move_before(*op, nullptr);
}

namespace {

/// The values of one graph that stand for those of another, a part of which it copies.
class Twins {
 public:
  Twins(const Graph& of, std::span<const Value> inputs) : inputs_(inputs), ops_(static_cast<size_t>(of.number_limit())) {}
  void set(const Op& of, Op& twin) { ops_[static_cast<size_t>(of.number())] = &twin; }
  Value operator[](Value v) const {
    return v.is_input() ? inputs_[static_cast<size_t>(v.index())] : ops_[static_cast<size_t>(v.op()->number())]->result(v.index());
  }

 private:
  std::span<const Value> inputs_;
  std::vector<Op*> ops_;
};

/// Copies every op of `from`; `visit` sees each with its copy.
template <class Visit>
void copy_ops(const Graph& from, Twins& twins, Graph& into, Op* before, Visit visit) {
  std::vector<Value> operands;
  for (const Op* op : from.ops()) {
    operands.clear();
    for (Value v : op->operands()) operands.push_back(twins[v]);
    Op& twin = into.insert_copy(*op, operands, before);
    visit(*op, twin);
    twins.set(*op, twin);
  }
}

}  // namespace

std::unique_ptr<Graph> clone(const Graph& graph) {
  auto copy = std::make_unique<Graph>(graph.name());
  std::vector<Value> inputs;
  for (const Input& input : graph.inputs()) {
    inputs.push_back(copy->add_input(input.node->name, input.node->type, input.role, input.locations));
    inputs.back().set_offset(input.value().offset());
  }
  Twins twins(graph, inputs);
  copy_ops(graph, twins, *copy, nullptr, [](const Op& op, const Op& twin) {
    for (int i = 0; i < op.result_count(); ++i) twin.result(i).set_offset(op.result(i).offset());
  });
  for (const Output& output : graph.outputs()) copy->add_output({output.name, twins[output.value], output.alias, output.locations});
  return copy;
}

std::vector<Value> inline_body(const Graph& body, std::span<const Value> operands, Graph& into, Op* before) {
  Twins twins(body, operands);
  copy_ops(body, twins, into, before, [](const Op&, const Op&) {});
  std::vector<Value> outputs;
  for (const Output& output : body.outputs()) outputs.push_back(twins[output.value]);
  return outputs;
}

}  // namespace weft::ir
