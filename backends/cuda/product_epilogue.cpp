#include "weft/backends/cuda/product_epilogue.h"

#include <array>

#include "weft/backends/program/epilogue.h"
#include "weft/ir/builder.h"
#include "weft/ir/op_def.h"
#include "weft/ir/ops/contraction.h"
#include "weft/passes/analysis/pattern.h"
#include "weft/passes/autodiff.h"
#include "weft/passes/decompose.h"
#include "weft/passes/simplify.h"

namespace weft::cuda {
namespace {

using ir::Value;

/// gelu(x), or its gradient: g times the derivative at x, of inputs g and x. As the passes leave it.
ir::Module written_out(DType dtype, bool gradient) {
  ir::Module module("gelu");
  ir::Graph& graph = module.graph();
  const ir::Type element{dtype, Shape{}};
  const Value g = gradient ? graph.add_input("g", element) : Value(), x = graph.add_input("x", element);
  Value result = ir::Builder(graph)("gelu", {x}, {{"approximate", std::string("tanh")}});
  if (gradient) result = passes::gradients(graph, result, std::array{x}, g)[0];
  graph.add_output({"result", result, std::nullopt, {}});
  passes::decompose(module);
  passes::simplify(module);
  return module;
}

struct Known {
  Activation activation;
  ir::Module module;
};

const std::vector<Known>& known_activations(DType dtype) {
  const auto both = [](DType t) {
    std::vector<Known> all;
    all.push_back({Activation::gelu, written_out(t, false)});
    all.push_back({Activation::gelu_gradient, written_out(t, true)});
    return all;
  };
  static const std::vector<Known> of_f32 = both(f32), of_bf16 = both(bf16), none;
  return dtype == f32 ? of_f32 : dtype == bf16 ? of_bf16 : none;
}

/// What an activation may be of: the product, or what one of its readers adds to it.
std::vector<Value> sums_in(const ir::Graph& body) {
  std::vector<Value> all{body.input(0)};
  for (const ir::Use& use : body.input(0).users())
    if (use->def().adds == 1) all.push_back(use->result());
  return all;
}

bool find_activation(ProductEpilogue& e, const ir::Graph& body, DType dtype) {
  const Value result = body.outputs()[0].value;
  for (const Known& known : known_activations(dtype))
    for (const Value before : sums_in(body)) {
      const auto match = passes::find_pattern(known.module.graph(), result, before);
      if (!match) continue;
      e.activation = known.activation, e.before = before;
      if (match->inputs.size() == 1) return true;
      if (!match->inputs[1].is_input()) continue;
      e.operand = match->inputs[1].index();
      return true;
    }
  return false;
}

bool is_sum_over_rows(Value v, Value of) {
  if (v.is_input() || v.op()->def().kind != ir::Kind::reduction || !v.op()->def().linear || v.op()->operand(0) != of) return false;
  return v.type() == ir::Type{of.dtype(), Shape{of.shape()[of.shape().rank() - 1]}};
}

/// The results behind the first.
bool find_results(ProductEpilogue& e, const ir::Graph& body) {
  size_t next = 1;
  const auto& outputs = body.outputs();
  e.keeps_operand = next < outputs.size() && outputs[next].value == e.before;
  if (e.keeps_operand) ++next;
  e.bias_gradient = next < outputs.size() && is_sum_over_rows(outputs[next].value, outputs[0].value);
  if (e.bias_gradient) ++next;
  return next == outputs.size();
}

ProductSpec spec_with(const ir::Op& product, bool tf32, const ProductEpilogue& e) {
  const DType dtype = product.operand(0).dtype();
  ProductSpec spec{{ir::matrix_product_of(product), dtype}, tf32 && dtype == f32};
  spec.bias = e.bias, spec.addend = e.addend, spec.activation = e.activation;
  spec.keeps_operand = e.keeps_operand, spec.bias_gradient = e.bias_gradient;
  return spec;
}

}  // namespace

std::vector<const ir::Graph*> activations_of(DType dtype, bool tf32) {
  std::vector<const ir::Graph*> all;
  if (dtype == bf16 || (dtype == f32 && tf32))
    for (const Known& known : known_activations(dtype)) all.push_back(&known.module.graph());
  return all;
}

std::optional<ProductEpilogue> product_epilogue_of(const ir::Op& product, const ir::Graph& body, bool tf32) {
  if (const auto sum = program::epilogue_of(body))
    return ProductEpilogue{.bias = sum->bias.has_value(), .addend = sum->addend.has_value(), .before = body.outputs()[0].value};
  const DType dtype = product.operand(0).dtype();
  ProductEpilogue e;
  if (activations_of(dtype, tf32).empty() || body.outputs().empty() || !find_activation(e, body, dtype)) return std::nullopt;
  const auto sum = program::sum_of(body, e.before);
  if (!sum || !find_results(e, body)) return std::nullopt;
  e.bias = sum->bias.has_value(), e.addend = sum->addend.has_value();
  if (!has_possible_activation(spec_with(product, tf32, e)) || body.inputs().size() != 1 + size_t{e.bias} + size_t{e.operand.has_value()})
    return std::nullopt;
  return e;
}

ProductSpec product_spec_of(const ir::Op& op, bool tf32) {
  const auto e = op.bodies().empty() ? ProductEpilogue() : product_epilogue_of(op, op.body(), /*tf32=*/true);
  WEFT_CHECK(e, "no kernel can run this epilogue");
  ProductSpec spec = spec_with(op, tf32, *e);
  spec.algorithm = op.attribute<std::string>("algorithm");
  return spec;
}

}  // namespace weft::cuda
