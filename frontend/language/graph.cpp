#include "weft/frontend/language/graph.h"

#include <ostream>

#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scope.h"
#include "weft/ir/printer.h"
#include "weft/passes/autodiff.h"

namespace weft {

Graph::Graph(std::string name) : recording_(std::make_shared<detail::Recording>(std::move(name))) {
  recording_->bindings.stream = detail::next_stream(recording_->name());
  detail::Recording::open(recording_);
}

Graph::~Graph() {
  if (recording_) recording_->close();
}

const std::shared_ptr<detail::Recording>& Graph::recording() const {
  if (!recording_) throw Error("this Graph was moved from").hint("use the one that it was moved to");
  return recording_;
}

Tensor Graph::input(const std::string& name, DType dtype, Shape shape, std::source_location at) {
  ir::Graph& graph = recording()->graph();
  if (const ir::Input* taken = graph.find_input(name))
    throw Error("'{}' is taken, at {}: the graph '{}' has an input of that name since {}", name, detail::line_text(at), this->name(),
                to_string(taken->locations))
        .of("input");
  return {recording(), graph.add_input(name, {dtype, std::move(shape)}, ir::Role::batch, {detail::Scope::locate(at)})};
}

Tensor Graph::output(const std::string& name, Arg value) {
  const detail::Scope here("", detail::Scope::Code::library, value.where(), recording());
  detail::Recorder r("output", {&value});
  if (&r.recording() != recording().get())
    throw Error("output '{}': the tensor belongs to the graph '{}', not to '{}'", name, r.recording().name(), this->name())
        .at(to_string(r.where()));
  const ir::Value v = r.value(value);
  add_output(name, v, {}, r.where());
  return r.tensor(v);
}

void Graph::update(const Parameter& parameter, Arg value) {
  const detail::Scope here("", detail::Scope::Code::library, value.where(), recording());
  detail::Recorder r("update", {&value});
  if (&r.recording() != recording().get())
    throw Error("update '{}': the tensor belongs to the graph '{}', not to '{}'", parameter.name(), r.recording().name(), this->name())
        .at(to_string(r.where()));
  detail::note_asked_for(parameter);
  const ir::Value old = recording()->parameter(parameter, r.where());
  const ir::Value v = value.number() || value.hyper() ? r.value(value, old.dtype()) : r.value(value);
  Shape both;
  if (v.dtype() != old.dtype() || !broadcast_shapes(v.shape(), old.shape(), both) || both != old.shape())
    throw Error("update '{}': the new value is {}, but the parameter is {}", parameter.name(), to_string(v.type()), to_string(old.type()))
        .at(to_string(r.where()))
        .hint("the element types must be equal (cast) and the shape must broadcast to the parameter's");
  add_output(old.name(), r.builder.broadcast(v, old.shape()), old.index(), r.where());
}

void Graph::add_output(const std::string& name, ir::Value value, std::optional<int> alias, const ir::Location& at) {
  if (name.empty()) throw Error("an output needs a name").at(to_string(at));
  if (const ir::Output* taken = recording()->graph().find_output(name))
    throw Error("{}: '{}' is taken, at {}: the graph '{}' has {} of that name since {}", alias ? "update" : "output", name, to_string(at),
                this->name(), taken->alias ? "an update" : "an output", to_string(taken->locations));
  recording()->graph().add_output({name, value, alias, {at}});
}

std::vector<Parameter> Graph::parameters() const {
  recording()->settle();
  std::vector<Parameter> all;
  for (const ir::Input& input : recording()->graph().inputs())
    for (const detail::BoundParameter& bound : recording()->bindings.parameters)
      if (bound.input == input.node->name && !bound.parameter.is_buffer()) all.push_back(bound.parameter);
  return all;
}

const std::string& Graph::name() const { return recording()->name(); }

std::string Graph::ir() const {
  recording()->settle();
  return ir::print(recording()->module);
}

std::ostream& operator<<(std::ostream& out, const Graph& graph) { return out << graph.ir(); }

std::vector<Tensor> detail::differentiate(const Arg& loss, const std::vector<Arg>& xs) {
  Recorder r("gradients", {&loss});
  const ir::Value y = r.value(loss);
  if (!is_floating(y.dtype()) || y.shape().rank() != 0)
    r.fail("only a floating scalar can be differentiated; reduce the loss first (sum or mean)");
  std::vector<ir::Value> values;
  std::vector<Parameter> parameters;
  for (const Arg& x : xs) {
    if (x.number() || x.hyper()) r.fail("a number has no gradient; give parameters or tensors");
    if (const Parameter* p = x.parameter(); p && p->is_frozen())
      r.fail(fmt::format("'{}' is frozen and has no gradient; leave it out, or requires_grad_() it", p->name()));
    if (x.parameter()) {
      parameters.push_back(*x.parameter());
      note_asked_for(parameters.back());
    }
    Recorder with_x("gradients", {&loss, &x});
    values.push_back(with_x.value(x));
    if (!is_floating(values.back().dtype())) with_x.fail("only floating tensors have gradients");
  }
  if (&r.recording() == &r.recording().outermost())
    for (Untrained& other : untrained_of(r.recording().graph(), r.recording().bindings.parameters, y, parameters))
      r.recording().untrained.push_back(std::move(other));
  r.recording().settle();  // sums of gradients are added up in the order of the ops
  std::vector<Tensor> result;
  for (ir::Value v : passes::gradients(r.recording().graph(), y, values)) result.push_back(r.tensor(v));
  return result;
}

}  // namespace weft
