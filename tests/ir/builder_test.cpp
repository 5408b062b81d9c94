// The builder fills in, infers and refuses. Each refusal names the op, the requirement, the operands' types and the
// line; beside each stands a call that is accepted.

#include "weft/ir/builder.h"

#include <limits>

#include "weft/ir/printer.h"
#include "weft/tests/catch.h"

using namespace weft;
using ir::Type;

namespace {

struct Call {
  std::vector<Type> operands;
  ir::NamedAttributes attributes = {};
};

struct Refused {
  std::string op;
  Call bad;
  std::string message;  // after "<op>: "
  Call good;
};

/// The message of the failure, or "" if the builder accepts the call.
std::string message_of(const std::string& op, const Call& call) {
  ir::Graph graph;
  std::vector<ir::Value> operands;
  for (const Type& t : call.operands) operands.push_back(graph.add_input(std::to_string(operands.size()), t));
  ir::Builder b(graph, nullptr, {{"model.cpp", 7, "fc1"}});
  try {
    b.create(op, operands, call.attributes);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

void check(const std::vector<Refused>& table) {
  for (const Refused& r : table) {
    INFO(r.op);
    CHECK(message_of(r.op, r.bad) == r.op + ": " + r.message + ", at model.cpp:7 (fc1)");
    CHECK(message_of(r.op, r.good) == "");
  }
}

const Type vector{f32, {3}}, matrix{f32, {2, 3}}, indices{i64, {2}};

ir::NamedAttributes axis(int64_t i) { return {{"axis", i}}; }

}  // namespace

TEST_CASE("elementwise ops refuse unequal operands", "[builder]") {
  check({
      {"add", {{matrix}}, "takes 2 operands, not 1; given (f32[2,3])", {{matrix, matrix}}},
      {"add", {{matrix, vector}}, "the operands must have equal shapes; given (f32[2,3], f32[3])", {{vector, vector}}},
      {"add", {{matrix, {f64, {2, 3}}}}, "the operands must have equal element types; given (f32[2,3], f64[2,3])", {{matrix, matrix}}},
      {"add",
       {{{boolean, {}}, {boolean, {}}}},
       "operand 'a' must have a number (not bool); given (bool[], bool[])",
       {{{u8, {}}, {u8, {}}}}},
      {"exp", {{{i64, {2}}}}, "operand 'x' must have a floating element type; given (i64[2])", {{{bf16, {2}}}}},
      {"and", {{vector, vector}}, "operand 'a' must have integer or bool elements; given (f32[3], f32[3])", {{indices, indices}}},
      {"lt", {{vector, {i32, {3}}}}, "the operands must have equal element types; given (f32[3], i32[3])", {{vector, vector}}},
      {"select",
       {{vector, vector, vector}},
       "operand 'condition' must have bool; given (f32[3], f32[3], f32[3])",
       {{{boolean, {3}}, vector, vector}}},
      {"select",
       {{{boolean, {3}}, vector, {f64, {3}}}},
       "the branches must have equal element types; given (bool[3], f32[3], f64[3])",
       {{{boolean, {2}}, indices, indices}}},
      {"philox",
       {{{i32, {2}}, indices, indices}, {{"site", int64_t{0}}}},
       "the operands must be i64; given (i32[2], i64[2], i64[2])",
       {{indices, indices, indices}, {{"site", int64_t{0}}}}},
  });
}

TEST_CASE("movements refuse shapes that do not fit", "[builder]") {
  const auto shape = [](Dims d) { return ir::NamedAttributes{{"shape", d}}; };
  check({
      {"broadcast", {{vector}, shape({3, 2})}, "the operand does not broadcast to [3,2]; given (f32[3])", {{vector}, shape({2, 3})}},
      {"broadcast", {{matrix}, shape({3})}, "the operand does not broadcast to [3]; given (f32[2,3])", {{matrix}, shape({1, 2, 3})}},
      {"broadcast", {{vector}, shape({-1, 3})}, "negative extent -1 in shape [-1,3]; given (f32[3])", {{vector}, shape({0, 3})}},
      {"reshape", {{matrix}, shape({4})}, "6 elements do not fit into [4]; given (f32[2,3])", {{matrix}, shape({6})}},
      {"transpose",
       {{matrix}, {{"permutation", Dims{0, 0}}}},
       "the permutation [0,0] must name every axis once; given (f32[2,3])",
       {{matrix}, {{"permutation", Dims{1, 0}}}}},
      {"slice",
       {{vector}, {{"start", Dims{2}}, {"end", Dims{4}}}},
       "the range 2:4:1 does not lie in axis 0; given (f32[3])",
       {{vector}, {{"start", Dims{2}}, {"end", Dims{3}}}}},
      {"slice",
       {{vector}, {{"start", Dims{2}}, {"end", Dims{1}}}},
       "the range 2:1:1 does not lie in axis 0; given (f32[3])",
       {{vector}, {{"start", Dims{2}}, {"end", Dims{2}}}}},
      {"slice",
       {{vector}, {{"start", Dims{0}}, {"end", Dims{3}}, {"step", Dims{0}}}},
       "the range 0:3:0 does not lie in axis 0; given (f32[3])",
       {{vector}, {{"start", Dims{0}}, {"end", Dims{3}}, {"step", Dims{4}}}}},
      {"slice",
       {{matrix}, {{"start", Dims{0}}, {"end", Dims{1}}}},
       "start, end and step need one entry per axis; given (f32[2,3])",
       {{matrix}, {{"start", Dims{0, 0}}, {"end", Dims{1, 1}}}}},
      {"pad",
       {{vector}, {{"low", Dims{-1}}, {"high", Dims{0}}}},
       "padding must not be negative; given (f32[3])",
       {{vector}, {{"low", Dims{0}}, {"high", Dims{0}}}}},
      {"pad",
       {{vector}, {{"low", Dims{0}}, {"high", Dims{std::numeric_limits<int64_t>::max()}}}},
       "the padding is too large; given (f32[3])",
       {{vector}, {{"low", Dims{0}}, {"high", Dims{1 << 30}}}}},
      {"concat",
       {{{f32, {int64_t{1} << 48}}, vector}, axis(0)},
       "the result f32[281474976710659] takes more than 2^50 bytes; given (f32[281474976710656], f32[3])",
       {{vector, vector}, axis(0)}},
      {"iota",
       {{}, {{"shape", Dims{int64_t{1} << 60, 8}}}},
       "shape [1152921504606846976,8] has more than 2^62 elements",
       {{}, {{"shape", Dims{1 << 30, 8}}}}},
      {"concat", {{}, axis(0)}, "needs at least one operand", {{vector}, axis(0)}},
      {"concat", {{vector}, axis(1)}, "axis 1 is out of range; given (f32[3])", {{matrix}, axis(1)}},
      {"concat",
       {{matrix, {f32, {2, 2}}}, axis(0)},
       "the operands must agree on every axis but the joined one; given (f32[2,3], f32[2,2])",
       {{matrix, {f32, {2, 2}}}, axis(1)}},
      {"concat",
       {{vector, {f64, {3}}}, axis(0)},
       "the operands must have equal ranks and element types; given (f32[3], f64[3])",
       {{vector, vector}, axis(0)}},
      {"iota",
       {{}, {{"shape", Dims{2}}, {"axis", int64_t{1}}}},
       "axis 1 is out of range",
       {{}, {{"shape", Dims{2, 2}}, {"axis", int64_t{1}}}}},
  });
}

TEST_CASE("reductions and contractions refuse axes and extents that do not fit", "[builder]") {
  const auto axes = [](Dims d) { return ir::NamedAttributes{{"axes", d}}; };
  check({
      {"sum", {{matrix}, axes({1, 0})}, "the axes [1,0] must be ascending and lie in rank 2; given (f32[2,3])", {{matrix}, axes({0, 1})}},
      {"sum", {{matrix}, axes({2})}, "the axes [2] must be ascending and lie in rank 2; given (f32[2,3])", {{matrix}, axes({})}},
      {"sum", {{matrix}, axes({-1})}, "the axes [-1] must be ascending and lie in rank 2; given (f32[2,3])", {{matrix}, axes({1})}},
      {"max",
       {{{f32, {2, 0}}}, axes({1})},
       "cannot reduce an empty axis: it has no extreme; given (f32[2,0])",
       {{{f32, {2, 0}}}, axes({0})}},
      {"argmax", {{{f32, {2, 0}}}, axis(1)}, "cannot take argmax of an empty axis; given (f32[2,0])", {{{f32, {2, 0}}}, axis(0)}},
      {"softmax", {{matrix}, axis(2)}, "axis 2 is out of range; given (f32[2,3])", {{matrix}, axis(1)}},
      {"matmul",
       {{matrix, matrix}},
       "the inner extents must agree; given (f32[2,3], f32[2,3])",
       {{matrix, matrix}, {{"transpose_b", true}}}},
      {"matmul",
       {{matrix, vector}},
       "the operands must have equal ranks of at least 2; given (f32[2,3], f32[3])",
       {{matrix, {f32, {3, 1}}}}},
      {"matmul",
       {{{f32, {4, 2, 3}}, {f32, {1, 3, 2}}}},
       "the batch extents must agree; given (f32[4,2,3], f32[1,3,2])",
       {{{f32, {4, 2, 3}}, {f32, {4, 3, 2}}}}},
      {"matmul",
       {{matrix, {f32, {3, 2}}, vector}},
       "epilogue operands need an epilogue body; given (f32[2,3], f32[3,2], f32[3])",
       {{matrix, {f32, {3, 2}}}}},
  });
}

TEST_CASE("indices, keys, losses and updates refuse operands that do not fit", "[builder]") {
  const Type key{i64, {2}}, scalar{f64, {}}, step{i64, {}};
  const ir::NamedAttributes site{{"site", int64_t{1}}};
  const auto reduction = [](std::string name) { return ir::NamedAttributes{{"reduction", name}}; };
  check({
      {"gather", {{matrix, {i32, {2}}}}, "the index must be i64; given (f32[2,3], i32[2])", {{matrix, indices}}},
      {"gather", {{matrix, indices}, axis(2)}, "axis 2 is out of range; given (f32[2,3], i64[2])", {{matrix, indices}, axis(1)}},
      {"scatter_add",
       {{matrix, indices, vector}},
       "the updates must have x's type with the axis replaced by the index's shape; given (f32[2,3], i64[2], f32[3])",
       {{matrix, indices, matrix}}},
      {"one_hot", {{{u8, {2}}}, {{"classes", int64_t{4}}}}, "the index must be i64; given (u8[2])", {{indices}, {{"classes", int64_t{4}}}}},
      {"dropout",
       {{matrix, indices, {f32, {}}}, site},
       "operand 'rate' must be f64[]; given (f32[2,3], i64[2], f32[])",
       {{matrix, key, scalar}, site}},
      {"dropout",
       {{matrix, {i64, {3}}, scalar}, site},
       "operand 'key' must be i64[2]; given (f32[2,3], i64[3], f64[])",
       {{matrix, key, scalar}, site}},
      {"mse_loss", {{matrix, vector}}, "input and target must have one type and shape; given (f32[2,3], f32[3])", {{matrix, matrix}}},
      {"mse_loss",
       {{matrix, matrix}, reduction("avg")},
       "attribute 'reduction' must be one of \"mean\", \"sum\", \"none\", not \"avg\"",
       {{matrix, matrix}, reduction("sum")}},
      {"cross_entropy",
       {{matrix, {i64, {3}}}},
       "target must be i64[2], one class index a sample; given (f32[2,3], i64[3])",
       {{matrix, indices}}},
      {"gelu",
       {{vector}, {{"approximate", std::string("sigmoid")}}},
       "attribute 'approximate' must be one of \"none\", \"tanh\", not \"sigmoid\"",
       {{vector}, {{"approximate", std::string("tanh")}}}},
      {"sgd",
       {{vector, vector, step, scalar, scalar, scalar, scalar}, {{"momentum", true}}},
       "needs 1 state operands; given (f32[3], f32[3], i64[], f64[], f64[], f64[], f64[])",
       {{vector, vector, step, scalar, scalar, scalar, scalar, vector}, {{"momentum", true}}}},
      {"sgd",
       {{vector, matrix, step, scalar, scalar, scalar, scalar}},
       "the gradient must have the parameter's type; given (f32[3], f32[2,3], i64[], f64[], f64[], f64[], f64[])",
       {{vector, vector, step, scalar, scalar, scalar, scalar}}},
  });
}

TEST_CASE("attributes are completed, converted and checked", "[builder]") {
  ir::Graph graph;
  ir::Builder b(graph, nullptr, {{"model.cpp", 7, ""}});
  const ir::Value x = graph.add_input("x", vector);
  const ir::Op& pad = b.create("pad", {x}, {{"high", Dims{1}}, {"low", Dims{0}}, {"value", int64_t{2}}});
  CHECK(pad.real("value") == 2.0);
  CHECK(pad.dims("low") == Dims{0});
  CHECK(pad.result().type() == Type{f32, {4}});
  CHECK(b.create("pad", {x}, {{"low", Dims{0}}, {"high", Dims{0}}}).real("value") == 0);
  CHECK_THROWS_WITH(b("pad", {x}, {{"low", Dims{0}}}), "pad: attribute 'high' is missing, at model.cpp:7");
  CHECK_THROWS_WITH(b("pad", {x}, {{"low", true}, {"high", Dims{0}}}),
                    "pad: attribute 'low' must be a list of integers, not a bool, at model.cpp:7");
  CHECK_THROWS_WITH(b("pad", {x}, {{"low", Dims{0}}, {"high", Dims{0}}, {"valeu", 1.0}}),
                    contains_text("pad has no attribute 'valeu', at model.cpp:7; did you mean 'value'"));
  CHECK_THROWS_WITH(b("mulx", {x, x}), contains_text("unknown op 'mulx', at model.cpp:7; did you mean 'mul'"));
}

TEST_CASE("ops are inserted where the builder points", "[builder]") {
  ir::Graph graph;
  const ir::Value x = graph.add_input("x", vector);
  ir::Builder b(graph);
  ir::Op& exp = b.create("exp", {x});
  ir::Op& neg = b.create("neg", {exp.result()});
  b.set_insertion_point(&neg);
  b.set_locations({{"a.cpp", 1, ""}});
  const ir::Op& sin = b.create("sin", {exp.result()});
  CHECK(graph.op_list() == std::vector<ir::Op*>{&exp, const_cast<ir::Op*>(&sin), &neg});
  CHECK(sin.locations() == ir::Locations{{"a.cpp", 1, ""}});
  CHECK(exp.locations().empty());
  CHECK(exp.result().users().size() == 2);
}

TEST_CASE("helpers add no op when there is nothing to do", "[builder]") {
  ir::Graph graph;
  const ir::Value x = graph.add_input("x", matrix);
  ir::Builder b(graph);
  CHECK(b.broadcast(x, {2, 3}) == x);
  CHECK(b.reshape(x, {2, 3}) == x);
  CHECK(b.cast(x, f32) == x);
  CHECK(b.sum(x, {}) == x);
  CHECK(b.sum_to(x, {2, 3}) == x);
  CHECK(graph.ops().empty());
  CHECK(b.broadcast(x, {4, 2, 3}).shape() == Shape{4, 2, 3});
  CHECK(b.reshape(x, {3, 2}).shape() == Shape{3, 2});
  CHECK(b.cast(x, bf16).dtype() == bf16);
  CHECK(graph.ops().size() == 3);
}

TEST_CASE("sum_to undoes a broadcast", "[builder]") {
  ir::Graph graph;
  const ir::Value x = graph.add_input("x", {f32, {4, 2, 3}});
  ir::Builder b(graph);
  for (const Shape& shape : {Shape{}, Shape{3}, Shape{1}, Shape{2, 1}, Shape{1, 3}, Shape{4, 1, 1}, Shape{1, 1, 1}})
    CHECK(b.sum_to(x, shape).shape() == shape);
}

TEST_CASE("expressions read like the maths", "[builder]") {
  ir::Graph graph("f");
  ir::Builder b(graph);
  const ir::Expr x{b, graph.add_input("x", {f32, {2}})}, y{b, graph.add_input("y", {f32, {2}})};
  const ir::Expr yes = 2.0 * x, no = -(x - 1.0) / y, condition = x < y;
  graph.add_output({"z", select(condition, yes, no), {}, {}});
  CHECK(ir::print(graph, {.names = ir::Names::numbers}) == R"(func @f {
  input %x: f32[2]
  input %y: f32[2]
  %0 = constant() {value = f32[2] 2.0} : f32[2]
  %1 = mul(%0, %x) : f32[2]
  %2 = constant() {value = f32[2] 1.0} : f32[2]
  %3 = sub(%x, %2) : f32[2]
  %4 = neg(%3) : f32[2]
  %5 = div(%4, %y) : f32[2]
  %6 = lt(%x, %y) : bool[2]
  %7 = select(%6, %1, %5) : f32[2]
  output z = %7
}
)");
}

TEST_CASE("uses follow every edit", "[builder]") {
  const auto users = [](ir::Value v) {
    std::vector<ir::Op*> all;
    for (ir::Op* op : v.users()) all.push_back(op);
    return all;
  };
  ir::Graph graph;
  ir::Builder b(graph);
  const ir::Value x = graph.add_input("x", vector), y = graph.add_input("y", vector);
  ir::Op& add = b.create("add", {x, x});
  graph.add_output({"out", x, {}, {}});
  CHECK(users(x) == std::vector<ir::Op*>{&add, &add});
  x.replace_all_uses_with(y);
  CHECK(x.users().empty());
  CHECK(users(y) == std::vector<ir::Op*>{&add, &add});
  CHECK(graph.is_output(y));
  CHECK_FALSE(graph.is_output(x));
  add.set_operand(1, x);
  CHECK(users(y) == std::vector<ir::Op*>{&add});
  CHECK(add.is_unused());
  ir::Op& neg = b.create("neg", {add.result()});
  CHECK_FALSE(add.is_unused());
  CHECK_THROWS_AS(graph.erase(add), InternalError);
  graph.erase(neg);
  graph.erase(add);
  CHECK(x.users().empty());
  CHECK(graph.ops().empty());
}
