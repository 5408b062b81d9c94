#include "weft/frontend/program/validation.h"

#include "weft/ir/builder.h"
#include "weft/ir/parser.h"
#include "weft/tests/frontend/support.h"

using namespace weft;

namespace {

ir::Module sum_of_squares(const char* op) {
  return ir::parse(
      fmt::format("weft 1 func @f {{ input %x: f32[8] %0 = {}(%x, %x) : f32[8] %1 = sum(%0) {{axes = [0]}} : f32[] output y = %1 }}", op));
}

}  // namespace

TEST_CASE("validation: a pass that keeps every output passes, one that does not is named") {
  detail::Validation validation(sum_of_squares("mul"));
  CHECK_NOTHROW(validation.check(sum_of_squares("mul"), "good"));
  CHECK_THROWS_WITH(validation.check(sum_of_squares("add"), "bad"),
                    contains_text("the pass 'bad' has changed the output 'y': it is off by "));
}

TEST_CASE("validation: a compiled program, with dropout, classes and an optimizer, stage by stage") {
  nn::Sequential net(nn::Linear(6, 5), nn::Dropout(0.5), nn::GELU(), nn::Linear(5, 3));
  optim::Adam adam({.weight_decay = 0.1});
  Graph g("validated");
  Tensor x = g.input("x", f32, {4, 6}), y = g.input("y", i64, {4});
  Tensor loss = g.output("loss", cross_entropy(net.forward(x), y));
  CHECK_NOTHROW(compile(training_step(g, loss, net.parameters(), adam), Target::cpu(), {.validate = true}));
}
