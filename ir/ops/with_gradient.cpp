#include "weft/ir/ops/with_gradient.h"

#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

constexpr std::string_view name = "with_gradient";

std::vector<Type> infer(const InferContext& c) {
  const int64_t results = c.get<int64_t>("results");
  const Dims& of = c.get<Dims>("of");
  c.require(results > 0 && results <= c.count(), "there must be as many operands as results, or more");
  c.require(c.bodies().size() == 1, "needs one body");
  const Graph& body = *c.bodies()[0];
  c.require(static_cast<int64_t>(body.inputs().size()) == results + c.count(),
            "the body's inputs must be the results' gradients, then what the operands are");
  const auto require_type = [&](const Type& type, int operand, const char* what, size_t i) {
    c.require(type == c.operand(operand), fmt::format("{} {} must have the type of operand {}", what, i, operand));
  };
  std::vector<Type> types;
  for (int i = 0; i < static_cast<int>(results); ++i) {
    c.require(is_floating(c.operand(i).dtype), fmt::format("result {} must be floating", i));
    require_type(body.input(i).type(), i, "body input", static_cast<size_t>(i));
    types.push_back(c.operand(i));
  }
  for (int i = 0; i < c.count(); ++i)
    require_type(body.input(static_cast<int>(results) + i).type(), i, "body input", static_cast<size_t>(results + i));
  c.require(body.outputs().size() == of.size(), "the body must have an output for each operand that `of` names");
  for (size_t i = 0; i < of.size(); ++i) {
    c.require(of[i] >= results && of[i] < c.count() && (i == 0 || of[i] > of[i - 1]),
              "`of` must name operands behind those that are results, ascending");
    require_type(body.outputs()[i].value.type(), static_cast<int>(of[i]), "body output", i);
    c.require(!body.outputs()[i].alias, fmt::format("body output {} replaces no input", i));
  }
  return types;
}

/// The body's ops once more, behind what is there, as part of the backward half.
std::vector<Value> gradient(GradientContext& c) {
  std::vector<Value> inputs = c.result_gradients;
  for (Value v : c.op.results()) inputs.push_back(v);
  inputs.insert(inputs.end(), c.op.operands().begin() + c.op.result_count(), c.op.operands().end());
  Graph& graph = c.builder.graph();
  Op* const before = c.builder.insertion_point();
  const Op* const last = graph.previous(before);
  const std::vector<Value> made = inline_body(c.op.body(), inputs, graph, before);
  for (Op* op = graph.previous(before); op != last; op = graph.previous(op)) op->set_locations(op->locations().in(Phase::backward));
  std::vector<Value> all(c.op.operands().size());
  for (size_t i = 0; i < made.size(); ++i) all[static_cast<size_t>(c.op.dims("of")[i])] = made[i];
  return all;
}

}  // namespace

bool has_gradient_body(const OpDef& def) { return def.name == name; }

Op& make_with_gradient(Builder& builder, std::vector<Value> operands, int64_t results, Dims of, std::unique_ptr<Graph> body) {
  std::vector<std::unique_ptr<Graph>> bodies;
  body->set_name("");  // a body's text has none
  bodies.push_back(std::move(body));
  return builder.create(name, std::move(operands), {{"results", results}, {"of", std::move(of)}}, std::move(bodies));
}

void define_with_gradient_op(Registry& r) {
  OpDef def{.name = std::string(name), .kind = Kind::composite};
  def.doc =
      "The first `results` operands, whose gradient is not theirs: the body makes the gradients of other operands of it, from what the "
      "results and all operands are";
  def.operands = {{"operands", Accepts::any, true, "the results, then what the body reads"}};
  def.attributes = {{"results", AttributeKind::integer, {}, "how many operands are results"},
                    {"of", AttributeKind::dims, {}, "of which operands the body's outputs are the gradients"}};
  def.autocast = Autocast::fixed;
  def.infer = infer;
  def.decompose = [](Builder&, const Op& op) {
    return std::vector<Value>(op.operands().begin(), op.operands().begin() + op.integer("results"));
  };
  def.gradient = gradient;
  r.add(std::move(def));
}

}  // namespace weft::ir
