#include "weft/ir/ops/loop.h"

#include "weft/ir/builder.h"
#include "weft/ir/ops/families.h"

namespace weft::ir {
namespace {

std::vector<Type> infer_scan(const InferContext& c) {
  const int64_t carried = c.get<int64_t>("carried"), sliced = c.get<int64_t>("sliced"), length = c.get<int64_t>("length");
  const bool placed = c.get<bool>("placed");
  c.require(c.count() > 0 && carried >= 0 && sliced >= 0 && carried <= c.count() && sliced <= c.count() - carried,
            "there must be as many operands as are carried and sliced, or more");
  c.require(length >= 0, "the length must not be negative");
  c.require(c.bodies().size() == 1, "needs one body");
  const Graph& body = *c.bodies()[0];
  const auto outputs = static_cast<int64_t>(body.outputs().size()), stacked = outputs - carried;
  c.require(stacked >= 0, "the body must have an output for each carried value");
  c.require(
      static_cast<int64_t>(body.inputs().size()) == c.count() + (placed ? stacked : 0),
      placed ? "the body's inputs must be the operands and a place for each stacked result" : "the body's inputs must be the operands");
  std::vector<Type> types;
  for (int i = 0; i < c.count(); ++i) {
    const bool is_sliced = i >= carried && i < carried + sliced;
    c.require(!is_sliced || (c.shape(i).rank() > 0 && c.shape(i)[0] == length), fmt::format("operand {} must have {} slices", i, length));
    c.require(body.input(i).type() == (is_sliced ? slice_of(c.operand(i)) : c.operand(i)),
              fmt::format("body input {} must have the type of {}operand {}", i, is_sliced ? "a slice of " : "", i));
    if (i < carried) types.push_back(c.operand(i));
  }
  for (int64_t i = 0; i < outputs; ++i) {
    const Output& output = body.outputs()[static_cast<size_t>(i)];
    const int64_t replaced = i < carried ? i : placed ? c.count() + i - carried : -1;
    c.require(output.alias.value_or(-1) == replaced, replaced < 0 ? fmt::format("body output {} is stacked and replaces no input", i)
                                                                  : fmt::format("body output {} must replace body input {}", i, replaced));
    if (i >= carried) types.push_back(stacked_of(output.value.type(), length));
  }
  c.require(!types.empty(), "it has no result");
  const int64_t scratch = c.get<int64_t>("scratch");
  c.require(scratch >= 0, "scratch must not be negative");
  if (scratch > 0) types.push_back({u8, Shape{scratch}});
  return types;
}

}  // namespace

bool is_loop(const Op& op) { return op.def().kind == Kind::loop; }

Scan scan_of(const Op& op) {
  Scan s;
  s.length = op.integer("length");
  s.reverse = op.flag("reverse");
  s.placed = op.flag("placed");
  s.carried = static_cast<int>(op.integer("carried"));
  s.sliced = static_cast<int>(op.integer("sliced"));
  s.constant = static_cast<int>(op.operands().size()) - s.carried - s.sliced;
  s.stacked = static_cast<int>(op.body().outputs().size()) - s.carried;
  return s;
}

Type slice_of(const Type& stacked) {
  const Dims& dims = stacked.shape.dims();
  return {stacked.dtype, Shape(Dims(dims.begin() + 1, dims.end()))};
}

Type stacked_of(const Type& slice, int64_t length) {
  Dims dims = slice.shape.dims();
  dims.insert(dims.begin(), length);
  return {slice.dtype, Shape(dims)};
}

Op& make_scan(Builder& builder, std::vector<Value> operands, int64_t carried, int64_t sliced, int64_t length, bool reverse,
              std::unique_ptr<Graph> body) {
  std::vector<std::unique_ptr<Graph>> bodies;
  body->set_name("");  // a body's text has none
  bodies.push_back(std::move(body));
  return builder.create("scan", std::move(operands), {{"carried", carried}, {"sliced", sliced}, {"length", length}, {"reverse", reverse}},
                        std::move(bodies));
}

void define_loop_ops(Registry& r) {
  OpDef scan;
  scan.name = "scan";
  scan.kind = Kind::loop;
  scan.doc =
      "Runs its body once for each step of a sequence. Operands: `carried` values that each step makes anew, `sliced` ones of which a step "
      "sees one slice along the first axis, then what every step sees. Results: what is carried after the last step, then the steps' other "
      "outputs, stacked. The body has an input for each operand, of a sliced one the slice. Its first outputs are what is carried into the "
      "next step: each has the type of the input whose place it takes, and says so: `output %next aliases %h`";
  scan.operands = {{"operands", Accepts::any, true, "the body's inputs"}};
  scan.attributes = {
      {"carried", AttributeKind::integer, {}, "how many operands are carried from step to step"},
      {"sliced", AttributeKind::integer, {}, "how many operands, behind those, have a slice for each step"},
      {"length", AttributeKind::integer, {}, "the number of steps"},
      {"reverse", AttributeKind::boolean, Attribute(false), "the last slice first"},
      {"placed", AttributeKind::boolean, Attribute(false), "the body has an input for each slice that it writes", {}, true},
      {"scratch", AttributeKind::integer, Attribute(int64_t{0}), "bytes of the body's arena: a last result, which nobody reads", {}, true}};
  scan.infer = infer_scan;
  scan.flops = [](const Op& op) {
    double body = 0;
    for (const auto& inner : op.body().ops()) body += flops_of(*inner);
    return body * static_cast<double>(op.integer("length") - 1);  // the body itself is counted beside this
  };
  r.add(std::move(scan));
}

}  // namespace weft::ir
