// A planned or lowered text may say anything. What does not hold is refused with its line, before anything is lowered; beside
// each lie stands what would have been true.

#include "weft/backends/cpu/cpu.h"
#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/runtime/array.h"
#include "weft/support/error.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// What the refusal says, from parsing to a run on zeros; "" when it runs.
std::string refusal(const std::string& text, int threads = 1) {
  try {
    ir::Module module = ir::parse(text, "t");
    passes::run(module, passes::remaining_passes(module), cpu::target());
    const std::unique_ptr<Program> program = cpu::compile(module, {.threads = threads});
    std::vector<Array> arrays;
    for (const Port& port : program->inputs()) arrays.emplace_back(port.dtype, port.shape);
    std::vector<std::byte*> pointers;
    for (Array& a : arrays) pointers.push_back(a.data());
    program->run(pointers);
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

std::string planned(const std::string& statements, const std::string& arena = "65536") {
  return "weft 1\nmodule target = \"cpu\" stage = \"plan\" arena = " + arena + "\nfunc @f {\n" + statements + "\n}\n";
}

void check_refused(const std::string& text, const std::string& why) {
  INFO(text);
  const std::string said = refusal(text);
  CHECK_THAT(said, contains_text(why));
  CHECK_THAT(said, contains_text("t:"));
  CHECK_THAT(said, !contains_text("internal error"));
  CHECK_THAT(said, !contains_text("unknown line"));
}

void check_runs(const std::string& text) {
  INFO(text);
  CHECK(refusal(text) == "");
}

/// A nest over f32[16] as a statement.
std::string nest(const std::string& result, const std::string& operand, const std::string& place, const std::string& op = "exp(%a)") {
  return result + " = fused(" + operand + ") : f32[16]" + place + " {\n input %a: f32[16]\n %0 = " + op + " : f32[16]\n output %0\n}\n";
}

const std::string x16 = "input %x: f32[16]\n", y16 = "input %y: f32[16] parameter\n";

}  // namespace

TEST_CASE("places that a text makes up are refused") {
  const auto at = [](const std::string& place) { return planned(x16 + nest("%0", "%x", place) + "output o = %0", "128"); };
  check_runs(at(" @0"));
  check_runs(at(" @64"));
  for (const char* place : {"", " @128", " @-64", " @9223372036854775744", " @4611686018427387904", " @-9223372036854775808"})
    check_refused(at(place), "a result of fused has no room");
  check_refused(at(" @32"), "is not aligned");
  check_refused(at(" @1"), "is not aligned");
  const auto two = [](const std::string& second) {
    return planned(x16 + nest("%0", "%x", " @0") + nest("%1", "%x", second) + "output o = %0\noutput p = %1", "128");
  };
  check_runs(two(" @64"));
  check_refused(two(" @0"), "are live together and share bytes");
  for (const char* negative : {"-64", "-1", "-9223372036854775808"}) {
    check_refused(planned(x16 + nest("%0", "%x", " @0"), negative), "a number of bytes is not negative");
    check_refused(planned("%0 = constant() {value = f32[2] 1.0} : f32[2]\noutput o = %0", negative),
                  "t:2:46: a number of bytes is not negative");
  }
  check_runs(planned(x16 + nest("%0", "%x", " @0") + "output o = %0", "4611686018427387904"));  // only what is needed is taken
  check_refused(planned(x16 + nest("%0", "%x", " @9223372036854775744") + "output o = %0", "9223372036854775807"), "has no room");
}

TEST_CASE("a plan without an arena is told so") {
  for (const char* target : {"cpu", "generic"}) {
    const std::string said =
        refusal("weft 1\nmodule target = \"" + std::string(target) + "\" stage = \"plan\"\nfunc @f {\n" + x16 + "output o = %x\n}\n");
    CHECK_THAT(said, contains_text(target == std::string("cpu") ? "does not say how large its arena is"
                                                                : "needs one that has been planned for 'cpu'"));
  }
}

TEST_CASE("what a text keeps in an input's place is what the order allows") {
  const auto text = [](const std::string& middle) { return planned(x16 + y16 + middle); };
  check_runs(text(nest("%0", "%y", " @0") + nest("%1", "%x", "") + "output y = %1 aliases %y\noutput o = %0"));
  check_refused(text(nest("%1", "%x", "") + nest("%0", "%y", " @0") + "output y = %1 aliases %y\noutput o = %0"),
                "reads 'y' after it was replaced");
  check_refused(text(nest("%1", "%x", "") + "output y = %1 aliases %y\noutput o = %y"), "is the old value of 'y'");
  check_refused(text("output y = %x aliases %y"), "'y' is not written in place");
  // Written where it is still to be read, from the other end.
  const std::string shifted =
      "%0 = fused(%y) : f32[16] {\n input %a: f32[16]\n %0 = slice(%a) {start = [1], end = [16]} : f32[15]\n"
      " %1 = pad(%0) {low = [0], high = [1]} : f32[16]\n output %1\n}\noutput y = %0 aliases %y";
  check_refused(text(shifted), "cannot write 'y' over the value that it reads");
}

TEST_CASE("a library call that the target does not claim is refused") {
  const auto matmul = [](const std::string& t) {
    return planned("input %a: " + t + "[4,8]\ninput %b: " + t + "[8,4]\n%0 = matmul(%a, %b) : " + t + "[4,4] @0\noutput o = %0");
  };
  check_runs(matmul("f32"));
  for (const char* t : {"f64", "i32", "i64", "u8"}) check_refused(matmul(t), "the target 'cpu' does not run it");

  const auto convolution = [](const std::string& t, const std::string& batch, const std::string& attributes) {
    return planned("input %x: " + t + "[" + batch + ",4,8,8]\ninput %w: " + t + "[4,4,3,3]\n%0 = convolution(%x, %w) {" + attributes +
                   "} : " + t + "[" + batch + ",4,6,6] @0\noutput o = %0");
  };
  check_runs(convolution("f32", "2", "slices = 2"));
  check_refused(convolution("f64", "2", "slices = 1"), "the target 'cpu' does not run it");
  check_refused(convolution("f32", "0", "slices = 1"), "the target 'cpu' does not run it");
  for (const char* slices : {"0", "-1", "3", "9223372036854775807"})
    check_refused(convolution("f32", "2", std::string("slices = ") + slices), "slices must be 1 to 2");

  const std::string gradient = "input %g: f32[2,4,6,6]\ninput %w: f32[4,4,3,3]\n%0 = convolution_data(%g, %w) {extents = [8,8], slices = ";
  check_runs(planned(gradient + "2} : f32[2,4,8,8] @0\noutput o = %0"));
  check_refused(planned(gradient + "3} : f32[2,4,8,8] @0\noutput o = %0"), "slices must be 1 to 2");
  const std::string weight = "input %x: f32[2,4,8,8]\ninput %g: f32[2,4,6,6]\n%0 = convolution_weight(%x, %g) {extents = [3,3], parts = ";
  check_refused(planned(weight + "3} : f32[3,4,4,3,3] @0\noutput o = %0"), "parts must be positive and not more than the batch");
  check_refused(planned(weight + "0} : f32[4,4,3,3] @0\noutput o = %0"), "parts must be positive");
}

TEST_CASE("slices of a product are a number of parts") {
  const auto text = [](const std::string& slices) {
    return planned("input %a: f32[64,8]\ninput %b: f32[8,64]\n%0 = matmul(%a, %b) {slices = " + slices +
                   "} : f32[64,64] @0\noutput o = %0");
  };
  for (const char* good : {"1", "2", "7", "65536"}) check_runs(text(good));
  for (const char* bad : {"0", "-1", "65537", "9223372036854775807"}) check_refused(text(bad), "slices must be 1 to 65536");
}

TEST_CASE("layouts that no memory has are refused") {
  const auto text = [](const std::string& x, const std::string& layout) {
    return planned("input %x: f32[" + x + "]\ninput %w: f32[4,4,3,3]\n%0 = convolution(%x, %w) {" + layout +
                   "} : f32[2,4,6,6] @0\noutput o = %0");
  };
  check_runs(text("2,8,8,4", "x_layout = \"acdb\""));
  check_refused(text("2,2,8,8,2", "x_layout = \"aBcd2b\""), "the target 'cpu' does not run it");  // a format of nobody
  check_refused(text("2,4,8,8", "y_layout = \"aBcd4096b4096b4096b4096b4096b2048b\""), "larger than 2^20 together");
  check_refused(text("2,4,8,8", "y_layout = \"aBcd8b\""), "cannot lie as aBcd8b");
  check_refused(text("2,4,8,8", "y_layout = \"aBcd99999999999999999999b\""), "a block is larger than 4096");
  check_refused(text("2,4,8,8", "x_layout = \"acdb\", w_layout = \"cdef\""), "is no layout");
}

TEST_CASE("an epilogue that the library cannot apply is refused") {
  const auto text = [](const std::string& operands, const std::string& body) {
    return planned("input %a: f32[4,8]\ninput %b: f32[8,4]\ninput %c: f32[4]\ninput %d: f32[4,4]\n%0 = matmul(%a, %b" + operands +
                   ") : f32[4,4] @0 {\n input %p: f32[4,4]\n" + body + "}\noutput o = %0");
  };
  const std::string bias = " input %c: f32[4]\n %0 = broadcast(%c) {shape = [4,4]} : f32[4,4]\n %1 = add(%p, %0) : f32[4,4]\n";
  const std::string addend = " input %d: f32[4,4]\n %1 = add(%p, %d) : f32[4,4]\n";
  check_runs(text(", %c", bias + " output %1\n"));
  check_runs(text(", %d", addend + " output %1\n"));
  check_runs(text("", " output %p\n"));
  for (const std::string& wrong :
       {text("", " %1 = exp(%p) : f32[4,4]\n output %1\n"), text("", " %1 = add(%p, %p) : f32[4,4]\n output %1\n"),
        text(", %d", " input %d: f32[4,4]\n output %d\n"), text(", %d", " input %d: f32[4,4]\n output %p\n"),
        text(", %d", addend + " output %p\n"), text(", %d", addend + " output %d\n"),
        text(", %d", addend + " %2 = add(%1, %d) : f32[4,4]\n output %2\n"),
        text(", %d", " input %d: f32[4,4]\n %1 = add(%d, %d) : f32[4,4]\n output %1\n"),
        text(", %d, %c", addend + " input %c: f32[4]\n output %1\n"),
        text(", %d, %c",
             " input %d: f32[4,4]\n input %c: f32[4]\n %0 = broadcast(%c) {shape = [4,4]} : f32[4,4]\n"
             " %1 = add(%p, %0) : f32[4,4]\n output %1\n"),
        text("", " %1 = transpose(%p) {permutation = [1,0]} : f32[4,4]\n output %1\n")})
    check_refused(wrong, "does not run this epilogue");
  // A column is no bias.
  check_refused(
      planned(
          "input %a: f32[1,8]\ninput %b: f32[8,4]\ninput %c: f32[1]\n%0 = matmul(%a, %b, %c) : f32[1,4] @0 {\n input %p: f32[1,4]\n"
          " input %c: f32[1]\n %0 = broadcast(%c) {shape = [1,4]} : f32[1,4]\n %1 = add(%p, %0) : f32[1,4]\n output %1\n}\noutput o = %0"),
      "does not run this epilogue");
}

TEST_CASE("only regions and products take bodies") {
  const std::string body = " {\n input %a: f32[16]\n output %a\n}\noutput o = %0";
  for (const char* op : {"exp(%x)", "reshape(%x) {shape = [16]}", "softmax(%x) {axis = 0}", "iota() {shape = [16], axis = 0}"})
    check_refused("weft 1\nfunc @f {\n" + x16 + "%0 = " + op + " : f32[16]" + body + "\n}\n", "takes no body");
  check_refused(planned("input %x: f32[4,2]\ninput %i: i64[3]\n%0 = gather(%x, %i) : f32[3,2] @0 {\n}\noutput o = %0"), "takes no body");
}

TEST_CASE("a fused op is one nest of ops that nests have") {
  const auto text = [](const std::string& body) {
    return planned("input %x: f32[4,4]\n%0 = fused(%x) : f32[4,4] @0 {\n input %a: f32[4,4]\n" + body + "}\noutput o = %0");
  };
  check_runs(text(" %0 = exp(%a) : f32[4,4]\n output %0\n"));
  check_runs(text(" output %a\n"));
  for (const char* body :
       {" %0 = matmul(%a, %a) : f32[4,4]\n output %0\n", " %0 = softmax(%a) {axis = 1} : f32[4,4]\n output %0\n",
        " %0 = fused(%a) : f32[4,4] {\n  input %a: f32[4,4]\n  output %a\n }\n output %0\n",
        " %0 = constant() {value = f32[4,4] hex\"0000803f\"} : f32[4,4]\n %1 = max(%a) {axes = [0]} : f32[4]\n"
        " %2 = sum(%a) {axes = [1]} : f32[4]\n %3 = mul(%1, %2) : f32[4]\n %4 = broadcast(%3) {shape = [4,4]} : f32[4,4]\n"
        " %5 = add(%0, %4) : f32[4,4]\n output %5\n"})
    check_refused(text(body), "the body is no loop nest");
  check_refused(text(" %0 = exp(%a) : f32[4,4]\n output %0 aliases %a\n"), "a body's output replaces no input");
  check_refused(
      planned("input %x: f32[4,4]\n%0, %1 = fused(%x) : f32[4,4] @0, f32[7] @64 {\n input %a: f32[4,4]\n %0 = exp(%a) : f32[4,4]\n"
              " %1 = iota() {shape = [7], axis = 0} : i64[7]\n %2 = cast(%1) {dtype = f32} : f32[7]\n output %0\n output %2\n}\n"
              "output o = %0\noutput p = %1"),
      "the body is no loop nest");
}

TEST_CASE("a kernel is nests, whose results are its own") {
  const auto text = [](const std::string& results, const std::string& serial, const std::string& body) {
    return planned(x16 + results + " = kernel(%x) {serial = " + serial + "} : f32[16] @0" + (results.size() > 2 ? ", f32[16] @64" : "") +
                   " {\ninput %a: f32[16]\n" + body + "}\noutput o = %0");
  };
  const std::string first = nest("%0", "%a", ""), second = nest("%1", "%0", "", "neg(%a)"), beside = nest("%1", "%a", "", "neg(%a)");
  const std::string both = "output %0\noutput %1\n";
  check_runs(text("%0, %1", "true", first + second + both));
  check_runs(text("%0, %1", "false", first + beside + both));
  check_refused(text("%0, %1", "false", first + second + both), "so the kernel must be serial");
  check_refused(text("%0", "true", first + second + "output %1\n"), "has no place");
  check_refused(text("%0, %1", "true", first + second + "output %1\noutput %1\n"), "no two the same one");
  check_refused(text("%0, %1", "true", first + "output %0\noutput %a\n"), "must be a result of one of its nests");
  check_refused(text("%0", "false", "%0 = exp(%a) : f32[16]\noutput %0\n"), "runs loop nests ('fused' ops) and nothing else");
  check_refused(text("%0", "true", "%0 = kernel(%a) : f32[16] {\ninput %a: f32[16]\n" + first + "output %0\n}\noutput %0\n"),
                "and nothing else");
  check_refused(text("%0", "false",
                     "%0 = fused(%a) : f32[16] {\ninput %a: f32[16]\n%0 = softmax(%a) {axis = 0} : f32[16]\noutput %0\n}\noutput %0\n"),
                "the body is no loop nest");
  check_refused(text("%0", "false", "output %a\n"), "must be a result of one of its nests");
}

TEST_CASE("a kernel whose nests run together writes over nothing that another one reads") {
  const auto text = [](const std::string& serial, const std::string& order) {
    const std::string reads = "%r = fused(%b) : f32[] {\ninput %b: f32[16]\n%0 = sum(%b) {axes = [0]} : f32[]\noutput %0\n}\n";
    const std::string writes = nest("%w", "%b", "", "neg(%a)");
    return planned(y16 + "%0, %1 = kernel(%y) {serial = " + serial + "} : f32[] @0, f32[16] {\ninput %b: f32[16]\n" +
                   (order == "read" ? reads + writes : writes + reads) +
                   "output %r\noutput %w\n}\noutput o = %0\noutput y = %1 aliases %y");
  };
  check_runs(text("true", "read"));
  check_refused(text("false", "read"), "cannot write 'y' over the value that it reads");
  check_refused(text("true", "write"), "cannot write 'y' over the value that it reads");
}

TEST_CASE("the memory that a library works in is nobody's") {
  const std::string product =
      "input %a: f32[4,8]\ninput %b: f32[8,4]\n%0, %1 = matmul(%a, %b) {scratch = 32768} : f32[4,4] @0, u8[32768] @64\n";
  check_runs(planned(product + "output o = %0"));
  check_refused(planned(product + "output o = %0\noutput p = %1"), "nothing may read the memory that matmul works in");
  check_refused(planned(product + "%2 = reshape(%1) {shape = [2,16384]} : u8[2,16384]\noutput o = %0\noutput p = %2"),
                "nothing may read the memory that matmul works in");
  check_refused(
      planned(
          "input %i: i64[64]\ninput %r: f32[64,2]\n%0, %1 = coalesce(%i, %r) {scratch = 64} : f32[64,2] @0, u8[64] @512\noutput o = %0"),
      "needs 512 bytes of scratch here, but its plan has 64");
  check_refused(planned("input %a: f32[4,8]\ninput %b: f32[8,4]\n%0 = matmul(%a, %b) {scratch = -1} : f32[4,4] @0\noutput o = %0"),
                "scratch must not be negative");
  const std::string empty = "input %a: f32[4,0]\ninput %b: f32[0,4]\n";
  check_runs(planned(empty + "%0 = matmul(%a, %b) : f32[4,4] @0\noutput o = %0"));
  check_refused(planned(empty + "%0, %1 = matmul(%a, %b) {scratch = 64} : f32[4,4] @0, u8[64] @64\noutput o = %0"),
                "it needs no memory to work in");
}

TEST_CASE("what is not lowered is refused in a planned text") {
  for (const char* op :
       {"exp(%x) : f32[4,6]", "max_pool(%x) {extents = [2], stride = [2]} : f32[4,3]", "transpose(%x) {permutation = [1,0]} : f32[6,4]",
        "sum(%x) {axes = [1]} : f32[4]", "softmax(%x) {axis = 1} : f32[4,6]", "iota() {shape = [4,6], axis = 1} : i64[4,6]"})
    check_refused(planned("input %x: f32[4,6]\n%0 = " + std::string(op) + " @0\noutput o = %0"), "it is not lowered");
}

TEST_CASE("a chain of ops inside a nest has a length") {
  const auto chain = [](int length, const std::string& op) {
    std::string text;
    for (int i = 0; i < length; ++i)
      text += "%" + std::to_string(i) + " = " + op + "(" + (i ? "%" + std::to_string(i - 1) : "%a") + ") : f32[16]\n";
    return text + "output %" + std::to_string(length - 1) + "\n";
  };
  const auto nested = [&](int length) {
    return planned(x16 + "%0 = fused(%x) : f32[16] @0 {\ninput %a: f32[16]\n" + chain(length, "neg") + "}\noutput o = %0");
  };
  check_runs(nested(900));
  check_refused(nested(100000), "a result is more than 1000 ops from what it reads");
}
