#pragma once
// What the libraries that multiply matrices can do behind a product, and so what passes may put there (passes/epilogue.h).

#include <optional>

#include "weft/ir/graph.h"
#include "weft/runtime/product_call.h"

namespace weft::program {

struct Epilogue {
  std::optional<int> bias;    // the body input that is added along the last axis
  std::optional<int> addend;  // the body input that is added as it is
};

/// What is added to the product, the body's input 0, in one of its values; none if that is not a sum that all libraries can do.
std::optional<Epilogue> sum_of(const ir::Graph& body, ir::Value v);
/// The epilogue that the body says, or none if not every library can do it. There is one further operand at most.
std::optional<Epilogue> epilogue_of(const ir::Graph& body);
/// That of a product which the target has accepted; empty, without a body.
Epilogue epilogue_of(const ir::Op& product);
/// Such a product as a call.
ProductCall product_of(const ir::Op& product);

}  // namespace weft::program
