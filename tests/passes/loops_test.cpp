// Loops: what the pass `loops` makes of them, what is left of one that nobody reads, and the same written out.

#include "weft/passes/loops.h"

#include "weft/backends/reference/reference.h"
#include "weft/ir/builder.h"
#include "weft/ir/ops/loop.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/ir/verifier.h"
#include "weft/passes/autodiff.h"
#include "weft/passes/pass.h"
#include "weft/tests/catch.h"

using namespace weft;
using ir::Module;

namespace {

const char* const text = R"(weft 1
func @test {
  input %a: f64[3]
  input %xs: f64[4,3]
  input %unused: f64[4]
  input %k: f64[3]
  %0, %1, %2 = scan(%a, %xs, %unused, %k) {carried = 1, sliced = 2, length = 4, reverse = true} : f64[3], f64[4,3], f64[4,3] {
    input %s: f64[3]
    input %x: f64[3]
    input %n: f64[]
    input %k: f64[3]
    %0 = mul(%s, %x) : f64[3]
    %1 = add(%0, %k) : f64[3]
    %2 = exp(%0) : f64[3]
    output %1 aliases %s
    output %0
    output %2
  }
  output last = %0
  output products = %1
}
)";

const ir::Op& loop_in(const Module& m) {
  for (const ir::Op* op : m.graph().ops())
    if (ir::is_loop(*op)) return *op;
  throw InternalError("there is no loop");
}

std::vector<std::vector<double>> evaluated(const Module& m) {
  std::vector<reference::Tensor> inputs;
  for (const ir::Input& input : m.graph().inputs()) {
    inputs.emplace_back(input.value().type());
    for (size_t i = 0; i < inputs.back().real.size(); ++i)
      inputs.back().real[i] = 0.25 * static_cast<double>((5 * i + inputs.size()) % 7) - 0.5;
  }
  std::vector<std::vector<double>> results;
  for (const reference::Tensor& t : reference::evaluate(m.graph(), inputs)) results.push_back(t.real);
  return results;
}

}  // namespace

TEST_CASE("loops: what nobody reads is left out, what is carried is a copy, and slices have places") {
  Module m = ir::parse(text);
  const auto before = evaluated(m);
  CHECK(passes::loops(m));
  ir::verify(m);
  CHECK(evaluated(m) == before);
  const ir::Op& loop = loop_in(m);
  const ir::Scan s = ir::scan_of(loop);
  CHECK(s.placed);
  CHECK(s.stacked == 1);
  CHECK(s.sliced == 1);
  CHECK(loop.operand(0).op()->is("copy"));
  CHECK(loop.body().ops().size() == 2);
  CHECK(loop.body().inputs().size() == 4);
  for (const ir::Output& output : loop.body().outputs()) CHECK(output.alias);
  CHECK_FALSE(passes::loops(m));
}

TEST_CASE("loops: written out, they compute the same, at every stage") {
  for (const bool placed : {false, true}) {
    Module m = ir::parse(text);
    const auto before = evaluated(m);
    if (placed) passes::loops(m);
    passes::write_out(const_cast<ir::Op&>(loop_in(m)));
    ir::verify(m);
    CHECK(evaluated(m) == before);
  }
}

TEST_CASE("loops: of more steps than memory holds ops, one is not written out") {
  Module m = ir::parse(R"(weft 1
func @long {
  input %h: f32[2]
  %s = scan(%h) {carried = 1, sliced = 0, length = 1099511627776} : f32[2] {
    input %state.0: f32[2]
    %m = mul(%state.0, %state.0) : f32[2]
    output %m aliases %state.0
  }
  output o = %s
}
)",
                       "long.weft");
  ir::Op& loop = const_cast<ir::Op&>(loop_in(m));
  CHECK_THROWS_WITH(passes::write_out(loop),
                    contains_text("scan: ") && contains_text("its 1099511627776 steps") && contains_text("at long.weft:4"));
  CHECK(m.graph().ops().size() == 1);
}

TEST_CASE("loops: a body of one length is planned as one of any other") {
  std::vector<int64_t> scratch;
  for (const char* length : {"4", "400"}) {
    std::string program = text;
    for (const std::string before : {"[4", "length = 4"})
      for (size_t at = program.find(before); at != std::string::npos; at = program.find(before, at + before.size()))
        program.replace(at + before.size() - 1, 1, length);
    Module m = ir::parse(program);
    passes::run(m, passes::pipeline("compile"), passes::generic_target());
    scratch.push_back(loop_in(m).integer("scratch"));
    CHECK(loop_in(m).result(0).offset() == loop_in(m).operand(0).offset());
  }
  CHECK(scratch[0] == scratch[1]);
}

TEST_CASE("loops: one that has been given places is not differentiated any more") {
  Module m = ir::parse(text);
  passes::loops(m);
  ir::Graph& graph = m.graph();
  ir::Builder builder(graph);
  const ir::Value loss = builder.sum(graph.find_output("last")->value, {0});
  const ir::Value x = graph.input(1);
  CHECK_THROWS_WITH(passes::gradients(graph, loss, {&x, 1}), contains_text("planning comes after differentiation"));
}

TEST_CASE("loops: what a scan's text says must fit its body") {
  const auto refused = [](std::string from, const std::string& to, const std::string& why) {
    std::string edited = text;
    const size_t at = edited.find(from);
    REQUIRE(at != std::string::npos);
    edited.replace(at, from.size(), to);
    INFO(to);
    CHECK_THROWS_WITH(ir::parse(edited), contains_text(why));
  };
  refused("carried = 1", "carried = 5", "as many operands as are carried and sliced");
  refused("carried = 1", "carried = -1", "as many operands as are carried and sliced");
  refused("length = 4", "length = 5", "operand 1 must have 5 slices");
  refused("length = 4", "length = -4", "the length must not be negative");
  refused("output %1 aliases %s", "output %1", "body output 0 must replace body input 0");
  refused("output %0\n    output %2", "output %0 aliases %x\n    output %2", "body output 1 is stacked and replaces no input");
  refused("input %n: f64[]", "input %n: f64[1]", "body input 2 must have the type of a slice of operand 2");
}
