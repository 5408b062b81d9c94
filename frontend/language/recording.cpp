#include "weft/frontend/language/recording.h"

#include <algorithm>

#include "weft/frontend/language/computation.h"
#include "weft/frontend/language/scope.h"
#include "weft/ir/op_def.h"
#include "weft/ir/order.h"

namespace weft::detail {
namespace {

thread_local std::vector<std::weak_ptr<Recording>> living;

/// While it lives, the recording is the innermost, whatever step of a scan is being recorded.
class Innermost {
 public:
  explicit Innermost(const std::shared_ptr<Recording>& recording) : scope_("", Scope::Code::library, Scope::innermost_call(), recording) {
    before_.swap(living);
    living.push_back(recording);
  }
  ~Innermost() { living.swap(before_); }
  Innermost(const Innermost&) = delete;

 private:
  Scope scope_;
  std::vector<std::weak_ptr<Recording>> before_;
};

}  // namespace

ir::Value Recording::computed(const Parameter& parameter, const ir::Location& at) {
  ParameterStorage* const storage = parameter.storage().get();
  if (const auto known = computed_.find(storage); known != computed_.end()) return known->second;
  const ir::Op* const before = graph().previous(nullptr);
  const Innermost innermost(shared_from_this());
  const Tensor value = storage->computed->value();
  for (ir::Op* op = graph().previous(nullptr); op != before; op = graph().previous(op)) op->set_locations({at});
  return computed_[storage] = value.value();
}

ir::Value Recording::parameter(const Parameter& parameter, const ir::Location& at) {
  if (around_) return seen(around_->parameter(parameter, at));
  if (parameter.storage()->computed) return computed(parameter, at);
  for (const BoundParameter& known : bindings.parameters)
    if (known.parameter.is(parameter)) return graph().find_input(known.input)->value();
  const std::string name = free_input_name(parameter.name());
  bindings.parameters.push_back({name, parameter});
  const ir::Role role = parameter.is_buffer() ? ir::Role::state : ir::Role::parameter;
  return graph().add_input(name, {parameter.dtype(), parameter.shape()}, role, {at});
}

ir::Value Recording::latest(const Parameter& parameter, const ir::Location& at) {
  if (around_) return seen(around_->latest(parameter, at));
  const ir::Value old = this->parameter(parameter, at);
  for (const ir::Output& output : graph().outputs())
    if (output.alias == old.index()) return output.value;
  return old;
}

void Recording::update(const Parameter& parameter, ir::Value value, const ir::Location& at) {
  if (around_)
    throw Error("'{}' cannot be updated by a step of a scan, at {}", parameter.name(), to_string(at))
        .of("update")
        .hint("let the step return the new value as a state or a result, and update() with what the scan returns");
  const ir::Value old = this->parameter(parameter, at);
  std::vector<ir::Output> outputs = graph().outputs();
  std::erase_if(outputs, [&](const ir::Output& output) { return output.alias == old.index(); });
  graph().set_outputs(std::move(outputs));
  if (const ir::Output* taken = graph().find_output(old.name()))
    throw Error("the output '{}' at {} has the name of the parameter that is updated at {}", old.name(), to_string(taken->locations),
                to_string(at))
        .of("update")
        .hint("rename it");
  graph().add_output({old.name(), value, old.index(), {at}});
}

ir::Value Recording::hyper(const Hyper& hyper, const std::string& name, const ir::Location& at) {
  if (around_) return seen(around_->hyper(hyper, name, at));
  for (const BoundHyper& known : bindings.hypers)
    if (known.hyper.address() == hyper.address()) return graph().find_input(known.input)->value();
  bindings.hypers.push_back({free_input_name(name), hyper});
  return graph().add_input(bindings.hypers.back().input, {f64, {}}, ir::Role::hyper, {at});
}

ir::Value Recording::key(const ir::Location& at) {
  if (around_) {
    if (!step_key_) step_key_ = graph().add_input(free_input_name("key"), {i64, {2}}, ir::Role::batch, {at});
    return step_key_;
  }
  if (!bindings.key.empty()) return graph().find_input(bindings.key)->value();
  bindings.key = free_input_name("key");
  return graph().add_input(bindings.key, {i64, {2}}, ir::Role::key, {at});
}

ir::Value Recording::seen(ir::Value v) {
  if (v.graph() == &graph()) return v;
  WEFT_CHECK(around_, "a value of another graph than '{}' is read", name());
  const ir::Value outside = around_->seen(v);
  if (const auto known = here_.find(outside); known != here_.end()) return known->second;
  if (!outside.is_input() && (outside.op()->operands().empty() || outside.op()->def().broadcasts)) {
    std::vector<ir::Value> operands;
    for (ir::Value o : outside.op()->operands()) operands.push_back(seen(o));
    return here_[outside] = graph().insert_copy(*outside.op(), operands).result(outside.index());
  }
  const std::string name = outside.is_input() ? outside.name() : fmt::format("c{}", seen_.size());
  seen_.push_back({outside, graph().add_input(free_input_name(name), outside.type())});
  return here_[outside] = seen_.back().here;
}

void Recording::settle() { ir::sort_by_need(graph()); }

std::string Recording::free_input_name(const std::string& wanted) {
  std::string name = wanted;
  for (int i = 1; graph().find_input(name); ++i) name = wanted + "." + std::to_string(i);
  return name;
}

std::shared_ptr<Recording> Recording::innermost() {
  std::erase_if(living, [](const auto& weak) {
    const auto held = weak.lock();
    return !held || !held->open_;
  });
  return living.empty() ? nullptr : living.back().lock();
}

void Recording::open(const std::shared_ptr<Recording>& recording) { living.push_back(recording); }

}  // namespace weft::detail
