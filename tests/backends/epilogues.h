#pragma once
// What the backends' libraries take behind a product.

#include <algorithm>

#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/tests/catch.h"

namespace weft::test {

/// A bias, and an addend that the result replaces; no ReLU.
inline void check_epilogues(const passes::Target& target) {
  ir::Module module = ir::parse(R"(weft 1
func @test {
  input %x: f32[2,3]
  input %w: f32[3,4]
  input %b: f32[4]
  input %s: f32[2,4] state
  %0 = matmul(%x, %w) : f32[2,4]
  %1 = broadcast(%b) {shape = [2,4]} : f32[2,4]
  %2 = add(%0, %1) : f32[2,4]
  %3 = relu(%2) : f32[2,4]
  %4 = exp(%x) : f32[2,3]
  %5 = matmul(%4, %w) : f32[2,4]
  %6 = add(%s, %5) : f32[2,4]
  output y = %3
  output s = %6 aliases %s
}
)");
  passes::run(module, {"epilogue"}, target);
  const auto& ops = module.graph().ops();
  const auto count = [&](auto what) { return std::count_if(ops.begin(), ops.end(), [&](const auto& op) { return what(*op); }); };
  CHECK(ops.size() == 4);
  CHECK(count([](const ir::Op& op) { return op.is("matmul") && op.operands().size() == 3 && !op.bodies().empty(); }) == 2);
  CHECK(count([](const ir::Op& op) { return op.is("relu") || op.is("exp"); }) == 2);
}

}  // namespace weft::test
