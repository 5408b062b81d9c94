#pragma once
// Ops by name, and ops of a program's own.
//
//   register_op(ir::elementwise("acme.swish", "x * sigmoid(beta x)", {{"x", ir::Accepts::floating}}, {ir::attribute("beta", 1.0, "how steep")},
//                               [](ir::Scalar x, const ir::AttributeView& a) { ... }, [](ir::Expr g, ir::Expr x, ir::Expr y, ...) { ... }));
//   Tensor swish(Arg x, double beta = 1) { return call("acme.swish", {x}, {{"beta", beta}}); }
//
// ir/define.h says how a definition is written. From then on the op is one like ours: it prints, parses, verifies, differentiates,
// fuses and compiles for every target, and a model that holds it can be read back by any program that registers it.

#include <array>
#include <source_location>
#include <string_view>
#include <vector>

#include "weft/frontend/language/tensor.h"
#include "weft/ir/define.h"

namespace weft {

/// Adds an op of the program's own: elementwise, a reduction or a composite. It may be used as soon as this returns, on any thread,
/// and in graphs that were begun before. Ops may be registered on several threads, and before main(). A composite may use the ops
/// that were registered before it. A prefix ("acme.swish") keeps the name apart from ours to come.
///
/// Tries the definition on a small call. Throws weft::Error naming this line and all that is wrong: the name is taken or none of the
/// text form, something has no documentation, a formula takes another number of operands than the op, a gradient or a decomposition
/// gives other types than it must.
const ir::OpDef& register_op(ir::OpDef def, std::source_location at = std::source_location::current());

/// The result of the op of this name, ours or one that was registered. The line to report is that where the first operand was handed
/// over, so that a function of yours around this one reports its callers' lines; without operands it is `at`.
///
/// Operands that must be floating become so, of one type, as those of exp() and a / b; of an elementwise op, the others promote among
/// those that take the same types, and all shapes broadcast. Else operands are taken as they are.
///
/// Throws weft::Error naming the line: for an unknown name (with the nearest ones), what the op's definition refuses, and an op of
/// several results.
Tensor call(std::string_view op, const std::vector<Arg>& operands, ir::NamedAttributes attributes = {},
            std::source_location at = std::source_location::current());
/// The same of an op of N results: auto [mean, variance] = call<2>("acme.moments", {x}).
template <size_t N>
std::array<Tensor, N> call(std::string_view op, const std::vector<Arg>& operands, ir::NamedAttributes attributes = {},
                           std::source_location at = std::source_location::current());

namespace detail {
std::vector<Tensor> call(std::string_view op, const std::vector<Arg>& operands, ir::NamedAttributes attributes, int results,
                         std::source_location at);
}

template <size_t N>
std::array<Tensor, N> call(std::string_view op, const std::vector<Arg>& operands, ir::NamedAttributes attributes, std::source_location at) {
  const std::vector<Tensor> all = detail::call(op, operands, std::move(attributes), static_cast<int>(N), at);
  std::array<Tensor, N> result;
  for (size_t i = 0; i < N; ++i) result[i] = all[i];
  return result;
}

}  // namespace weft
