#include "weft/ir/graph.h"

#include <algorithm>
#include <memory_resource>
#include <unordered_map>

#include "weft/ir/op_def.h"
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

void Value::replace_all_uses_with(Value other) const {
  if (other == *this) return;
  while (!users().empty()) {
    const Use use = users().front();
    use.op->set_operand(use.operand, other);
  }
  for (int i : std::vector<int>(node_->outputs)) graph()->set_output(static_cast<size_t>(i), other);
}

Op::~Op() = default;

std::string_view Op::name() const { return def_->name; }

void Op::set_operand(int i, Value value) {
  Value& slot = operands_[static_cast<size_t>(i)];
  if (slot == value) return;
  count_work(1);
  slot.node()->users.erase(uses_[static_cast<size_t>(i)]);
  slot = value;
  uses_[static_cast<size_t>(i)] = value.node()->users.insert(value.node()->users.end(), {this, i});
}

void Op::append_operand(Value value) {
  uses_.push_back(value.node()->users.insert(value.node()->users.end(), {this, static_cast<int>(operands_.size())}));
  operands_.push_back(value);
}

void Op::remove_operand(int i) {
  operand(i).node()->users.erase(uses_[static_cast<size_t>(i)]);
  operands_.erase(operands_.begin() + i);
  uses_.erase(uses_.begin() + i);
  for (size_t k = static_cast<size_t>(i); k < uses_.size(); ++k) uses_[k]->operand = static_cast<int>(k);
}

bool Op::is_unused() const {
  return std::all_of(results_.get(), results_.get() + result_count_, [](const auto& node) { return node.users.empty() && node.outputs.empty(); });
}

const Attribute& Op::attribute(std::string_view name) const {
  const int i = def_->attribute_index(name);
  WEFT_CHECK(i >= 0, "{} has no attribute '{}'", def_->name, name);
  return attributes_[static_cast<size_t>(i)];
}

void Op::set_attribute(std::string_view name, Attribute value) {
  const int i = def_->attribute_index(name);
  WEFT_CHECK(i >= 0, "{} has no attribute '{}'", def_->name, name);
  attributes_[static_cast<size_t>(i)] = std::move(value);
}

void Op::add_body(std::unique_ptr<Graph> body) { bodies_.push_back(std::move(body)); }

Graph::~Graph() {
  // Ops point at each other's results; dropping the list in any order is fine because nothing reads on the way.
  ops_.clear();
}

Value Graph::add_input(std::string name, Type type, Role role, Locations locations) {
  if (is_too_large(type)) throw Error("the input '{}' is {}, which takes more than 2^50 bytes, at {}", name, to_string(type), to_string(locations));
  if (!input_numbers_.try_emplace(name, static_cast<int>(inputs_.size())).second)
    throw Error("the graph '{}' already has an input named '{}'", name_, name);
  auto node = std::make_unique<detail::ValueNode>();
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
  WEFT_CHECK(input(i).users().empty() && !is_output(input(i)) && !replaced, "input '{}' is still read or replaced",
             input(i).name());
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

std::vector<Op*> Graph::op_list() const {
  std::vector<Op*> all;
  all.reserve(ops_.size());
  for (const auto& op : ops_) all.push_back(op.get());
  count_work(static_cast<int64_t>(all.size()));
  return all;
}

Op* Graph::previous(const Op* op) const {
  const std::list<std::unique_ptr<Op>>::const_iterator at = op ? op->position_ : ops_.end();
  return at == ops_.begin() ? nullptr : std::prev(at)->get();
}

Op& Graph::insert(const OpDef& def, std::vector<Value> operands, std::vector<Attribute> attributes,
                  std::vector<Type> result_types, Locations locations, Op* before) {
  count_work(1);
  std::unique_ptr<Op> op(new Op());
  op->def_ = &def;
  op->graph_ = this;
  op->attributes_ = std::move(attributes);
  op->locations_ = std::move(locations);
  op->operands_.reserve(operands.size());
  op->uses_.reserve(operands.size());
  for (Value operand : operands) op->append_operand(operand);
  op->result_count_ = result_types.size();
  op->results_ = std::make_unique<detail::ValueNode[]>(result_types.size());
  for (size_t i = 0; i < result_types.size(); ++i) {
    detail::ValueNode& node = op->results_[i];
    node.type = std::move(result_types[i]);
    node.op = op.get();
    node.graph = this;
    node.index = static_cast<int>(i);
  }
  Op& reference = *op;
  reference.position_ = ops_.insert(before ? before->position_ : ops_.end(), std::move(op));
  return reference;
}

void Graph::erase(Op& op) {
  count_work(1);
  WEFT_CHECK(op.is_unused(), "erasing '{}', which is still read", op.name());
  while (!op.operands().empty()) op.remove_operand(static_cast<int>(op.operands().size()) - 1);
  ops_.erase(op.position_);
}

void Graph::move_before(Op& op, Op* before) {
  ops_.splice(before ? before->position_ : ops_.end(), ops_, op.position_);
}

void Graph::reorder(const std::vector<Op*>& order) {
  WEFT_CHECK(order.size() == ops_.size(), "{} ops in the new order, {} in the graph", order.size(), ops_.size());
  for (Op* op : order) move_before(*op, nullptr);
}

std::unique_ptr<Graph> clone(const Graph& graph) {
  auto copy = std::make_unique<Graph>(graph.name());
  std::pmr::monotonic_buffer_resource memory;
  std::pmr::unordered_map<Value, Value, ValueHash> map(&memory);
  for (const Input& input : graph.inputs()) {
    const Value v = copy->add_input(input.node->name, input.node->type, input.role, input.locations);
    v.set_offset(input.value().offset());
    map[input.value()] = v;
  }
  for (const auto& op : graph.ops()) {
    std::vector<Value> operands;
    for (Value v : op->operands()) operands.push_back(map.at(v));
    std::vector<Type> types;
    for (Value v : op->results()) types.push_back(v.type());
    Op& twin = copy->insert(op->def(), std::move(operands), op->attributes(), std::move(types), op->locations());
    for (const auto& body : op->bodies()) twin.add_body(clone(*body));
    for (int i = 0; i < op->result_count(); ++i) {
      twin.result(i).set_offset(op->result(i).offset());
      map[op->result(i)] = twin.result(i);
    }
  }
  for (const Output& output : graph.outputs())
    copy->add_output({output.name, map.at(output.value), output.alias, output.locations});
  return copy;
}

std::vector<Value> inline_body(const Graph& body, const std::vector<Value>& operands, Graph& into, Op* before) {
  std::pmr::monotonic_buffer_resource memory;
  std::pmr::unordered_map<Value, Value, ValueHash> outside(&memory);
  for (size_t i = 0; i < operands.size(); ++i) outside[body.input(static_cast<int>(i))] = operands[i];
  for (const auto& op : body.ops()) {
    std::vector<Value> inner;
    std::vector<Type> types;
    for (Value v : op->operands()) inner.push_back(outside.at(v));
    for (Value v : op->results()) types.push_back(v.type());
    Op& copy = into.insert(op->def(), std::move(inner), op->attributes(), std::move(types), op->locations(), before);
    for (const auto& b : op->bodies()) copy.add_body(clone(*b));
    for (int i = 0; i < op->result_count(); ++i) outside[op->result(i)] = copy.result(i);
  }
  std::vector<Value> outputs;
  for (const Output& o : body.outputs()) outputs.push_back(outside.at(o.value));
  return outputs;
}

}  // namespace weft::ir
