// Ops that run a body graph on their operands. A body captures nothing: input i is operand i.

#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

std::vector<Type> infer_region(const InferContext& c) {
  c.require(c.bodies().size() == 1, "needs one body");
  const Graph& body = *c.bodies()[0];
  c.require(static_cast<int>(body.inputs().size()) == c.count(), "the body's inputs must be the operands");
  for (int i = 0; i < c.count(); ++i)
    c.require(body.input(i).type() == c.operand(i), fmt::format("body input {} must have operand {}'s type", i, i));
  std::vector<Type> types;
  for (const Output& output : body.outputs()) types.push_back(output.value.type());
  return types;
}

OpDef region(Kind kind, std::string name, std::string doc) {
  OpDef def;
  def.name = std::move(name);
  def.kind = kind;
  def.doc = std::move(doc);
  def.operands = {{"operands", Accepts::any, true, "the body's inputs"}};
  def.infer = infer_region;
  def.no_gradient = "fusion comes after differentiation";
  return def;
}

}  // namespace

void define_region_ops(Registry& r) {
  r.add(region(Kind::nest, "fused", "One loop nest over its body: see passes/analysis/loop_nest.h"));
  OpDef kernel = region(Kind::launch, "kernel", "Several loop nests, its body's `fused` ops, run in order by one launch");
  kernel.attributes = {
      {"serial", AttributeKind::boolean, Attribute(false), "a nest reads what an earlier one wrote, so one thread runs them all"}};
  r.add(std::move(kernel));
}

}  // namespace weft::ir
