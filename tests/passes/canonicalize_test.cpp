// Every equation of passes/rewrites.h, one by one: where it applies, where it must not, and that it keeps every bit.

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "weft/backends/reference/reference.h"
#include "weft/passes/rewrites.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;
using reference::Tensor;

namespace {

/// A row of a table with what it does: `before` becomes `after`, and `stays` looks alike but stays.
struct Case {
  std::string_view op, equation;
  std::string before, after, stays;
};

/// The statements for a graph of one op on f32[4] inputs x and y.
std::string f32_graph(const std::string& statements) { return "input %x: f32[4]\n input %y: f32[4]\n" + statements; }
std::string constant(const std::string& name, const std::string& value, const std::string& type = "f32[4]") {
  return name + " = constant() {value = " + type + " " + value + "} : " + type + "\n";
}
/// "%r = op(...) : type", and its result as the output.
std::string result(const std::string& call, const std::string& type = "f32[4]") {
  return "%r = " + call + " : " + type + "\n output y = %r";
}
std::string output_x() { return "output y = %x"; }

std::string movement_graph(const std::string& shape, const std::string& statements) { return "input %x: f32" + shape + "\n" + statements; }

std::vector<Case> arithmetic_cases() {
  const auto g = f32_graph;
  const std::string c = constant("%c", "2.0"), one = constant("%c", "1.0"), zero = constant("%c", "0.0");
  const std::string minus_zero = constant("%c", "-0.0"), neg = "%n = neg(%y) : f32[4]\n";
  const std::string bools = "input %c: bool[4]\n", no = "%n = not(%c) : bool[4]\n";
  return {
      {"add", "c + x = x + c", g(c + result("add(%c, %x)")), g(c + result("add(%x, %c)")), g(c + result("sub(%c, %x)"))},
      {"mul", "c * x = x * c", g(c + result("mul(%c, %x)")), g(c + result("mul(%x, %c)")),
       g(constant("%c", "[1.0,2.0,3.0,4.0]") + result("mul(%c, %x)"))},
      {"mul", "x * 1 = x", g(one + result("mul(%x, %c)")), g(output_x()), g(zero + result("mul(%x, %c)"))},
      {"mul", "x * -1 = -x", g(constant("%c", "-1.0") + result("mul(%x, %c)")), g(result("neg(%x)")),
       "input %x: u8[4]\n" + constant("%c", "255", "u8[4]") + result("mul(%x, %c)", "u8[4]")},
      {"add", "x + -0.0 = x (integers: x + 0)", g(minus_zero + result("add(%x, %c)")), g(output_x()), g(zero + result("add(%x, %c)"))},
      {"add", "x + -y = x - y", g(neg + result("add(%x, %n)")), g(result("sub(%x, %y)")), g(neg + result("mul(%x, %n)"))},
      {"sub", "x - 0 = x", g(zero + result("sub(%x, %c)")), g(output_x()), g(minus_zero + result("sub(%x, %c)"))},
      {"sub", "x - -y = x + y", g(neg + result("sub(%x, %n)")), g(result("add(%x, %y)")), g(neg + result("sub(%n, %x)"))},
      {"div", "x / 1 = x", g(one + result("div(%x, %c)")), g(output_x()), g(one + result("div(%c, %x)"))},
      {"div", "x / 2^k = x * 2^-k", g(constant("%c", "-8.0") + result("div(%x, %c)")), g(constant("%c", "-0.125") + result("mul(%x, %c)")),
       g(constant("%c", "3.0") + result("div(%x, %c)"))},
      {"pow", "x ^ 1 = x", g(one + result("pow(%x, %c)")), g(output_x()), g(zero + result("pow(%x, %c)"))},
      {"pow", "x ^ 2 = square(x)", g(c + result("pow(%x, %c)")), g(result("square(%x)")), g(c + result("pow(%c, %x)"))},
      {"square", "square(x) = x * x", g(result("square(%x)")), g(result("mul(%x, %x)")), g(result("sqrt(%x)"))},
      {"neg", "--x = x", g("%n = neg(%x) : f32[4]\n" + result("neg(%n)")), g(output_x()), g("%n = abs(%x) : f32[4]\n" + result("neg(%n)"))},
      {"not", "not not x = x", bools + no + result("not(%n)", "bool[4]"), bools + "output y = %c", bools + result("not(%c)", "bool[4]")},
      {"gt", "x > y = y < x", g(result("gt(%x, %y)", "bool[4]")), g(result("lt(%y, %x)", "bool[4]")), g(result("lt(%x, %y)", "bool[4]"))},
      {"ge", "x >= y = y <= x", g(result("ge(%x, %y)", "bool[4]")), g(result("le(%y, %x)", "bool[4]")), g(result("le(%x, %y)", "bool[4]"))},
      {"select", "select(constant, x, y) = x or y", g(constant("%c", "true", "bool[4]") + result("select(%c, %x, %y)")), g(output_x()),
       g(constant("%c", "[true,true,false,true]", "bool[4]") + result("select(%c, %x, %y)"))},
      {"select", "select(c, x, x) = x", g(bools + result("select(%c, %x, %x)")), g(bools + output_x()),
       g(bools + result("select(%c, %x, %y)"))},
      {"select", "select(not c, x, y) = select(c, y, x)", g(bools + no + result("select(%n, %x, %y)")),
       g(bools + result("select(%c, %y, %x)")), g(bools + "%n = and(%c, %c) : bool[4]\n" + result("select(%n, %x, %y)"))},
      {"cast", "cast to the same type = x", g(result("cast(%x) {dtype = f32}")), g(output_x()),
       g(result("cast(%x) {dtype = f64}", "f64[4]"))},
      {"cast", "cast to a type that keeps all numbers and back = x",
       g("%w = cast(%x) {dtype = f64} : f64[4]\n" + result("cast(%w) {dtype = f32}")), g(output_x()),
       g("%w = cast(%x) {dtype = bf16} : bf16[4]\n" + result("cast(%w) {dtype = f32}"))},
  };
}

std::vector<Case> movement_cases() {
  const auto g = movement_graph;
  const std::string splat = constant("%c", "3.0", "f32[1,2]"), mixed = constant("%c", "[3.0,4.0]", "f32[1,2]");
  const std::string ones = "%b = reshape(%x) {shape = [1,2]} : f32[1,2]\n";
  std::vector<Case> cases{
      {"broadcast", "broadcast to the same shape = x", g("[3,2]", result("broadcast(%x) {shape = [3,2]}", "f32[3,2]")),
       g("[3,2]", output_x()), g("[2]", result("broadcast(%x) {shape = [3,2]}", "f32[3,2]"))},
      {"broadcast", "broadcast(broadcast(x)) = broadcast(x)",
       g("[1,2]", "%b = broadcast(%x) {shape = [3,2]} : f32[3,2]\n" + result("broadcast(%b) {shape = [5,3,2]}", "f32[5,3,2]")),
       g("[1,2]", result("broadcast(%x) {shape = [5,3,2]}", "f32[5,3,2]")),
       g("[1,2]", "%b = transpose(%x) {permutation = [1,0]} : f32[2,1]\n" + result("broadcast(%b) {shape = [2,3]}", "f32[2,3]"))},
      {"broadcast", "broadcast(reshape that adds leading ones) = broadcast(x)",
       g("[2]", ones + result("broadcast(%b) {shape = [3,2]}", "f32[3,2]")), g("[2]", result("broadcast(%x) {shape = [3,2]}", "f32[3,2]")),
       g("[2]", "%b = reshape(%x) {shape = [2,1]} : f32[2,1]\n" + result("broadcast(%b) {shape = [2,3]}", "f32[2,3]"))},
      {"broadcast", "broadcast(splat) = splat", splat + result("broadcast(%c) {shape = [3,2]}", "f32[3,2]"),
       constant("%c", "3.0", "f32[3,2]") + "output y = %c", mixed + result("broadcast(%c) {shape = [3,2]}", "f32[3,2]")},
      {"reshape", "reshape to the same shape = x", g("[3,2]", result("reshape(%x) {shape = [3,2]}", "f32[3,2]")), g("[3,2]", output_x()),
       g("[3,2]", result("reshape(%x) {shape = [2,3]}", "f32[2,3]"))},
      {"reshape", "reshape(reshape(x)) = reshape(x)",
       g("[3,2]", "%b = reshape(%x) {shape = [6]} : f32[6]\n" + result("reshape(%b) {shape = [2,3]}", "f32[2,3]")),
       g("[3,2]", result("reshape(%x) {shape = [2,3]}", "f32[2,3]")),
       g("[3,2]", "%b = transpose(%x) {permutation = [1,0]} : f32[2,3]\n" + result("reshape(%b) {shape = [6]}", "f32[6]"))},
      {"reshape", "reshape(splat) = splat", splat + result("reshape(%c) {shape = [2]}", "f32[2]"),
       constant("%c", "3.0", "f32[2]") + "output y = %c", mixed + result("reshape(%c) {shape = [2]}", "f32[2]")},
      {"transpose", "transpose by the identity = x", g("[3,2]", result("transpose(%x) {permutation = [0,1]}", "f32[3,2]")),
       g("[3,2]", output_x()), g("[2,2]", result("transpose(%x) {permutation = [1,0]}", "f32[2,2]"))},
      {"transpose", "transpose(transpose(x)) = transpose(x)",
       g("[3,2,4]",
         "%b = transpose(%x) {permutation = [2,0,1]} : f32[4,3,2]\n" + result("transpose(%b) {permutation = [0,2,1]}", "f32[4,2,3]")),
       g("[3,2,4]", result("transpose(%x) {permutation = [2,1,0]}", "f32[4,2,3]")),
       g("[3,2,4]", "%b = reshape(%x) {shape = [4,3,2]} : f32[4,3,2]\n" + result("transpose(%b) {permutation = [0,2,1]}", "f32[4,2,3]"))},
      {"transpose", "transpose of axes of extent 1 = reshape", g("[3,1,2]", result("transpose(%x) {permutation = [1,0,2]}", "f32[1,3,2]")),
       g("[3,1,2]", result("reshape(%x) {shape = [1,3,2]}", "f32[1,3,2]")),
       g("[3,1,2]", result("transpose(%x) {permutation = [2,1,0]}", "f32[2,1,3]"))},
      {"transpose", "transpose(splat) = splat",
       constant("%c", "3.0", "f32[3,2]") + result("transpose(%c) {permutation = [1,0]}", "f32[2,3]"),
       constant("%c", "3.0", "f32[2,3]") + "output y = %c",
       constant("%c", "[3.0,4.0,5.0,6.0]", "f32[2,2]") + result("transpose(%c) {permutation = [1,0]}", "f32[2,2]")},
      {"slice", "slice of everything = x", g("[3,2]", result("slice(%x) {start = [0,0], end = [3,2]}", "f32[3,2]")), g("[3,2]", output_x()),
       g("[3,2]", result("slice(%x) {start = [0,0], end = [3,2], step = [2,1]}", "f32[2,2]"))},
      {"slice", "slice(splat) = splat", splat + result("slice(%c) {start = [0,1], end = [1,2]}", "f32[1,1]"),
       constant("%c", "3.0", "f32[1,1]") + "output y = %c", mixed + result("slice(%c) {start = [0,1], end = [1,2]}", "f32[1,1]")},
      {"pad", "pad by nothing = x", g("[3]", result("pad(%x) {low = [0], high = [0], value = 7.0}", "f32[3]")), g("[3]", output_x()),
       g("[3]", result("pad(%x) {low = [0], high = [1]}", "f32[4]"))},
      {"concat", "concat of one = x", g("[3]", result("concat(%x) {axis = 0}", "f32[3]")), g("[3]", output_x()),
       g("[3]", result("concat(%x, %x) {axis = 0}", "f32[6]"))},
  };
  cases.push_back(
      {"sum", "sum over axes of extent 1 = reshape + 0.0 (integers: reshape)", g("[1,2,1]", result("sum(%x) {axes = [0,2]}", "f32[2]")),
       g("[1,2,1]", "%b = reshape(%x) {shape = [2]} : f32[2]\n" + constant("%c", "0.0", "f32[2]") + result("add(%b, %c)", "f32[2]")),
       g("[1,2,1]", result("sum(%x) {axes = [1]}", "f32[1,1]"))});
  for (const char* op : {"max", "min"}) {
    const std::string name = op;
    cases.push_back({op, "", g("[1,2,1]", result(name + "(%x) {axes = [0,2]}", "f32[2]")),
                     g("[1,2,1]", result("reshape(%x) {shape = [2]}", "f32[2]")),
                     g("[1,2,1]", result(name + "(%x) {axes = [1]}", "f32[1,1]"))});
  }
  cases[cases.size() - 2].equation = "max over axes of extent 1 = reshape";
  cases[cases.size() - 1].equation = "min over axes of extent 1 = reshape";
  return cases;
}

std::vector<Case> contraction_cases() {
  const std::string inputs = "input %x: f32[3,2]\n input %y: f32[3,4]\n";
  const std::string transposed = "%t = transpose(%x) {permutation = [1,0]} : f32[2,3]\n";
  const std::string product = "%m = matmul(%x, %y) {transpose_a = true} : f32[2,4]\n";
  const std::string back = result("transpose(%m) {permutation = [1,0]}", "f32[4,2]");
  return {
      {"matmul", "matmul(x^T, y) = matmul(x, y) {transpose_a}", inputs + transposed + result("matmul(%t, %y)", "f32[2,4]"),
       inputs + result("matmul(%x, %y) {transpose_a = true}", "f32[2,4]"),
       "input %x: f32[3,2,3]\n %t = transpose(%x) {permutation = [2,1,0]} : f32[3,2,3]\n" +
           result("matmul(%t, %x) {transpose_b = true}", "f32[3,2,2]")},
      {"transpose", "matmul(x, y)^T = matmul(y, x), both transposed", inputs + product + back,
       inputs + result("matmul(%y, %x) {transpose_a = true}", "f32[4,2]"), inputs + product + back + "\n output m = %m"},
  };
}

std::vector<Case> all_cases() {
  std::vector<Case> all = arithmetic_cases();
  for (const auto& more : {movement_cases(), contraction_cases()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::vector<passes::Rewrite> all_rows() {
  std::vector<passes::Rewrite> all = passes::arithmetic_rewrites();
  for (const auto* more : {&passes::movement_rewrites(), &passes::contraction_rewrites()})
    all.insert(all.end(), more->begin(), more->end());
  return all;
}

/// The text with every f32 of another type.
std::string of_type(std::string text, const std::string& type) {
  for (size_t at = text.find("f32"); at != std::string::npos; at = text.find("f32", at + type.size())) text.replace(at, 3, type);
  return text;
}

/// Numbers at which careless algebra changes a bit, or turns finite into infinite or nonzero into zero.
constexpr size_t special_count = 17;
Tensor special_values(const ir::Type& type, size_t start) {
  constexpr double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  const double reals[] = {-0.0,     1.5,        nan,
                          inf,      0.0,        -inf,
                          1e-45f,   -3.0,       3.4028234663852886e+38,
                          0.1f,     -1.0,       1e30f,
                          1e-30f,   -1e38f,     1.1754943508222875e-38,
                          9.2e-41f, 16777217.0f};
  static_assert(std::size(reals) == special_count);
  Tensor t(type);
  for (size_t i = 0; i < t.real.size(); ++i) {
    t.real[i] = reals[(start + i) % std::size(reals)];
    if (type.dtype == bf16) t.real[i] = from_bf16(to_bf16(static_cast<float>(t.real[i])));
  }
  for (size_t i = 0; i < t.integer.size(); ++i)
    t.integer[i] = type.dtype == boolean ? static_cast<int64_t>((start + i) % 2) : static_cast<int64_t>(start * 37 + i * 91) % 256;
  return t;
}

uint64_t bits(double x) { return std::isnan(x) ? 0x7ff8000000000000 : std::bit_cast<uint64_t>(x); }

void check_same_bits(const Tensor& a, const Tensor& b) {
  REQUIRE(a.type == b.type);
  CHECK(a.integer == b.integer);
  for (size_t i = 0; i < a.real.size(); ++i) {
    INFO("element " << i << ": " << a.real[i] << " and " << b.real[i]);
    CHECK(bits(a.real[i]) == bits(b.real[i]));
  }
}

}  // namespace

TEST_CASE("canonicalize: every equation has a case, and every case an equation", "[passes][canonicalize]") {
  std::vector<std::string> rows, cases;
  for (const passes::Rewrite& row : all_rows()) rows.push_back(std::string(row.op) + ": " + std::string(row.equation));
  for (const Case& c : all_cases()) cases.push_back(std::string(c.op) + ": " + std::string(c.equation));
  std::sort(rows.begin(), rows.end());
  std::sort(cases.begin(), cases.end());
  CHECK(rows == cases);
}

TEST_CASE("canonicalize: every equation applies where it should", "[passes][canonicalize]") {
  for (const Case& c : all_cases()) {
    INFO(c.equation);
    check_becomes("canonicalize,dce", c.before, c.after);
  }
}

TEST_CASE("canonicalize: every equation leaves its look-alike", "[passes][canonicalize]") {
  for (const Case& c : all_cases()) {
    INFO(c.equation);
    const ir::Module m = module_from(c.stays);
    for (const auto& op : m.graph().ops())
      for (const passes::Rewrite& row : all_rows()) {
        if (row.op != c.op || row.equation != c.equation || !op->is(row.op)) continue;
        ir::Builder b(op->graph(), op);
        CHECK_FALSE(row.apply(b, *op));
      }
  }
}

TEST_CASE("canonicalize: every equation keeps every bit in every floating type, nan, inf and -0 included", "[passes][canonicalize]") {
  for (const Case& c : all_cases())
    for (const std::string type : {"f32", "bf16", "f64"}) {
      if (c.op == "cast" && type != "f32") continue;  // of certain types
      INFO(c.equation << " " << type);
      const ir::Module before = module_from(of_type(c.before, type)), after = module_from(of_type(c.after, type));
      for (size_t start = 0; start < special_count; ++start) {
        std::vector<Tensor> inputs;
        for (const ir::Input& input : before.graph().inputs())
          inputs.push_back(special_values(input.node->type, start + 3 * inputs.size()));
        // A sum starts from +0 (support/reduction_order.h), so the sum of -0 alone would be +0.
        if (c.op == "sum") std::replace(inputs[0].real.begin(), inputs[0].real.end(), -0.0, 0.0);
        check_same_bits(reference::evaluate(after.graph(), inputs)[0], reference::evaluate(before.graph(), inputs)[0]);
      }
    }
}
