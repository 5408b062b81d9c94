// Malformed text is refused with its line and column; beside each stands the text that was meant.

#include "weft/ir/parser.h"

#include "weft/support/error.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

struct Refused {
  std::string bad, message, good;
};

/// The message of the failure, or "" if the text parses.
std::string message_of(const std::string& text) {
  try {
    ir::parse(text, "t");
  } catch (const Error& e) {
    return e.what();
  }
  return "";
}

std::string function(const std::string& statements) { return "weft 1\nfunc @f {\n" + statements + "\n}\n"; }

void check(const Refused& r) {
  INFO(r.bad);
  CHECK(message_of(r.bad) == "t:" + r.message);
  INFO(r.good);
  CHECK(message_of(r.good) == "");
}

}  // namespace

TEST_CASE("malformed headers are refused", "[parser]") {
  const std::string rest = "\nfunc @f {\n}\n";
  const std::vector<Refused> table{
      {"", "1:1: expected 'weft' but found the end of the text", "weft 1" + rest},
      {"weave 1" + rest, "1:1: expected 'weft' but found 'weave'", "weft 1" + rest},
      {"weft" + rest, "1:1: expected 'weft 1', with the form's version, but found 'weft', then 'func'", "weft 1" + rest},
      {"weft 2" + rest, "1:6: this text is of version 2 of the form, and version 1 alone is known (docs/text_format.md)", "weft 1" + rest},
      {"weft 0" + rest, "1:6: this text is of version 0 of the form, and version 1 alone is known (docs/text_format.md)", "weft 1" + rest},
      {"weft 1\nmodule target = cpu" + rest, "2:17: expected a string but found 'cpu'", "weft 1\nmodule target = \"cpu\"" + rest},
      {"weft 1\nmodule goal = \"x\"" + rest, "2:8: unknown header entry 'goal'; known are target, stage, arena",
       "weft 1\nmodule stage = \"x\"" + rest},
      {"weft 1\nmodule arena = 1.5" + rest, "2:16: '1.5' is not an integer", "weft 1\nmodule arena = 15" + rest},
      {"weft 1\nmodule stage = \"a\" stage = \"b\"" + rest, "2:20: 'stage' is given twice",
       "weft 1\nmodule stage = \"a\" target = \"b\"" + rest},
      {"weft 1\nmodule target \"a\"" + rest, "2:15: expected '=' but found 'a'", "weft 1\nmodule target = \"a\"" + rest},
      {"weft 1\ntrain {loss = \"l\", loss = \"m\"}" + rest, "2:20: 'loss' is given twice",
       "weft 1\ntrain {loss = \"l\", optimizer = \"m\"}" + rest},
      {"weft 1\ntrain {inputs = \"w\"}" + rest, "2:17: expected '[' but found 'w'", "weft 1\ntrain {inputs = [\"w\"]}" + rest},
      {"weft 1\ntrain {inputs = [w]}" + rest, "2:18: expected a string but found 'w'", "weft 1\ntrain {inputs = [\"w\"]}" + rest},
      {"weft 1\ntrain {loss = \"l\",}" + rest, "2:19: expected an entry of the train block but found '}'",
       "weft 1\ntrain {loss = \"l\"}" + rest},
      {"weft 1\ntrain {counters = 1, optimizer = \"m\"}" + rest, "2:19: expected a list of integers",
       "weft 1\ntrain {counters = [1], optimizer = \"m\"}" + rest},
      {"weft 1\ntrain {clip_norm = 1.0, optimizer = \"m\"}" + rest, "2:20: expected true or false",
       "weft 1\ntrain {clip_norm = true, optimizer = \"m\"}" + rest},
      {"weft 1\ntrain {loss = \"l\", optimizer = \"m\"}\ngroup a {inputs = []}" + rest,
       "3:7: expected the group's name, a string but found 'a'",
       "weft 1\ntrain {loss = \"l\", optimizer = \"m\"}\ngroup \"a\" {inputs = []}" + rest},
      {"weft 1\nfunc f {\n}\n", "2:6: expected '@' but found 'f'", "weft 1\nfunc @f {\n}\n"},
      {"weft 1\nfunc @7 {\n}\n", "2:7: expected a name but found '7'", "weft 1\nfunc @\"7\" {\n}\n"},
      {"weft 1\nfunc @f {\n", "3:1: expected 'input', 'output', '}' or an op's result (%name) but found the end of the text",
       "weft 1\nfunc @f {\n}\n"},
      {"weft 1\nfunc @f {\n}\n}", "4:1: expected the end of the text but found '}'", "weft 1\nfunc @f {\n}\n"},
      {"weft 1\nmodule target = \"cpu" + rest, "2:17: the string is not closed", "weft 1\nmodule target = \"cpu\"" + rest},
      {"weft 1\nmodule target = \"cpu\\", "2:17: the string is not closed", "weft 1\nmodule target = \"cpu\\\\\"" + rest},
  };
  for (const Refused& r : table) check(r);
}

TEST_CASE("malformed statements are refused", "[parser]") {
  const std::string x = "input %x: f32[2]\n";
  const std::vector<Refused> table{
      // inputs and types
      {"input x: f32[2]", "3:7: expected an input (%name) but found 'x'", x},
      {"input % : f32[2]", "3:7: a value needs a name after '%'", x},
      {"input %\"x: f32[2]", "3:7: the string is not closed", x},
      {"input %x f32[2]", "3:10: expected ':' but found 'f32'", x},
      {"input %x: [2]", "3:11: expected a type but found '['", x},
      {"input %x: f12[2]", "3:11: unknown element type 'f12'", "input %x: bf16[2]"},
      {"input %x: f32", "4:1: expected '[' but found '}'", "input %x: f32[]"},
      {"input %x: f32[2", "4:1: expected ']' but found '}'", x},
      {"input %x: f32[2,]", "3:17: expected an integer but found ']'", x},
      {"input %x: f32[-1]", "3:14: negative extent -1 in shape [-1]", "input %x: f32[0]"},
      {"input %x: f32[4611686018427387904,2]", "3:14: shape [4611686018427387904,2] has more than 2^62 elements",
       "input %x: f32[4611686018427,0]"},
      {"input %x: f32[9223372036854775808]", "3:15: '9223372036854775808' is out of range", x},
      {"input %x: f32[2.0]", "3:15: '2.0' is not an integer", x},
      {"input %x: f32[2] @", "4:1: expected an integer but found '}'", "input %x: f32[2] @0"},
      {"input %x: f32[2] key", "3:18: a key is an i64[2], seed and step, not f32[2]", "input %x: i64[2] key"},
      {x + "%\"\" = exp(%x) : f32[2]", "4:1: a result's name is not empty", x + "%\" \" = exp(%x) : f32[2]"},
      {"input %x: f32[2] weights", "3:18: expected 'input', 'output', '}' or an op's result (%name) but found 'weights'",
       "input %x: f32[2] parameter"},
      {x + "input %x: f32[3]", "4:7: %x is defined twice", x + "input %y: f32[3]"},
      // ops
      {x + "%0 = exp %x : f32[2]", "4:10: expected '(' but found '%x'", x + "%0 = exp(%x) : f32[2]"},
      {x + "%0 exp(%x) : f32[2]", "4:4: expected '=' but found 'exp'", x + "%0 = exp(%x) : f32[2]"},
      {x + "%0 = (%x) : f32[2]", "4:6: expected an op but found '('", x + "%0 = exp(%x) : f32[2]"},
      {x + "%0 = expo(%x) : f32[2]", "4:6: unknown op 'expo'; did you mean 'exp', 'exp2', 'expm1'?", x + "%0 = exp(%x) : f32[2]"},
      {x + "%0 = nothing_like_it(%x) : f32[2]", "4:6: unknown op 'nothing_like_it'", x + "%0 = exp(%x) : f32[2]"},
      {x + "%0 = exp(x) : f32[2]", "4:10: expected a value (%name) but found 'x'", x + "%0 = exp(%x) : f32[2]"},
      {x + "%0 = exp(%y) : f32[2]", "4:10: %y is not defined before this use", x + "%0 = exp(%x) : f32[2]"},
      {x + "%0 = exp(%0) : f32[2]", "4:10: %0 is not defined before this use", x + "%0 = exp(%x) : f32[2]"},
      {x + "%0 = exp(%x,) : f32[2]", "4:13: expected a value (%name) but found ')'", x + "%0 = exp(%x) : f32[2]"},
      {x + "%0 = exp(%x)", "5:1: expected ':' but found '}'", x + "%0 = exp(%x) : f32[2]"},
      {x + "%0 = exp(%x) : f32[3]", "4:6: exp gives f32[2], not f32[3]", x + "%0 = exp(%x) : f32[2]"},
      {x + "%0, %1 = exp(%x) : f32[2]", "4:10: exp has 1 results, but 2 names and 1 types are given", x + "%0 = exp(%x) : f32[2]"},
      {x + "%0 = exp(%x) : f32[2], f32[2]", "4:6: exp has 1 results, but 1 names and 2 types are given", x + "%0 = exp(%x) : f32[2]"},
      {x + "%x = exp(%x) : f32[2]", "4:1: %x is defined twice", x + "%0 = exp(%x) : f32[2]"},
      {x + "%0 = exp(%x) : f32[2]\n%0 = exp(%x) : f32[2]", "5:1: %0 is defined twice", x + "%0 = exp(%x) : f32[2]\n%1 = exp(%x) : f32[2]"},
      {x + "%0 = exp(%x, %x) : f32[2]", "4:6: exp: takes 1 operand, not 2; given (f32[2], f32[2])", x + "%0 = add(%x, %x) : f32[2]"},
      {x + "%0 = and(%x, %x) : f32[2] at \"m.cpp\":9 \"fc\"",
       "4:6: and: operand 'a' must have integer or bool elements; given (f32[2], f32[2]), at m.cpp:9 (fc)",
       x + "%0 = eq(%x, %x) : bool[2]\n%1 = and(%0, %0) : bool[2] at \"m.cpp\":9 \"fc\""},
      // attributes
      {x + "%0 = softmax(%x) : f32[2]", "4:6: softmax: attribute 'axis' is missing", x + "%0 = softmax(%x) {axis = 0} : f32[2]"},
      {x + "%0 = softmax(%x) {axes = 0, axis = 0} : f32[2]", "4:6: softmax has no attribute 'axes'; did you mean 'axis'?",
       x + "%0 = softmax(%x) {axis = 0} : f32[2]"},
      {x + "%0 = softmax(%x) {axis = 0, axis = 1} : f32[2]", "4:29: 'axis' is given twice", x + "%0 = softmax(%x) {axis = 0} : f32[2]"},
      {x + "%0 = softmax(%x) {axis = [0]} : f32[2]", "4:6: softmax: attribute 'axis' must be an integer, not a list of integers",
       x + "%0 = softmax(%x) {axis = 0} : f32[2]"},
      {x + "%0 = softmax(%x) {} : f32[2]", "4:19: expected an attribute but found '}'", x + "%0 = softmax(%x) {axis = 0} : f32[2]"},
      {x + "%0 = softmax(%x) {axis 0} : f32[2]", "4:24: expected '=' but found '0'", x + "%0 = softmax(%x) {axis = 0} : f32[2]"},
      {x + "%0 = softmax(%x) {axis = zero} : f32[2]", "4:26: 'zero' is no attribute value", x + "%0 = softmax(%x) {axis = 0} : f32[2]"},
      {x + "%0 = pad(%x) {low = [0], high = [0], value = 1.0.0} : f32[2]", "4:46: '1.0.0' is not a number",
       x + "%0 = pad(%x) {low = [0], high = [0], value = 1} : f32[2]"},
      {x + "%0 = pad(%x) {low = [0], high = [0], value = 1e999} : f32[2]", "4:46: '1e999' is out of range",
       x + "%0 = pad(%x) {low = [0], high = [0], value = 1e99} : f32[2]"},
      {x + "%0 = pad(%x) {low = [0], high = [0], value = -i} : f32[2]", "4:46: '-i' is not an integer",
       x + "%0 = pad(%x) {low = [0], high = [0], value = -inf} : f32[2]"},
      // constants
      {"%0 = constant() {value = f32[2] [1.0]} : f32[2]", "3:37: expected ',' but found ']'",
       "%0 = constant() {value = f32[2] [1.0,2.0]} : f32[2]"},
      {"%0 = constant() {value = f32[1] [1.0,2.0]} : f32[1]", "3:33: expected exactly 1 elements",
       "%0 = constant() {value = f32[1] [1.0]} : f32[1]"},
      {"%0 = constant() {value = f32[2] hex\"00\"} : f32[2]", "3:36: 2 hex digits for a f32[2], which needs 8 an element",
       "%0 = constant() {value = f32[2] hex\"00000000\"} : f32[2]"},
      {"%0 = constant() {value = u8[2] hex\"0g00\"} : u8[2]", "3:35: not a hex digit in the constant",
       "%0 = constant() {value = u8[2] hex\"0f00\"} : u8[2]"},
      {"%0 = constant() {value = f32[4611686018427387904] hex\"\"} : f32[4611686018427387904]",
       "3:54: 0 hex digits for a f32[4611686018427387904], which needs 8 an element",
       "%0 = constant() {value = f32[281474976710656] 0.5} : f32[281474976710656]"},
      {"%0 = constant() {value = f32[281474976710657] 0.5} : f32[281474976710657]",
       "3:6: constant: the result f32[281474976710657] takes more than 2^50 bytes",
       "%0 = constant() {value = f32[281474976710656] 0.5} : f32[281474976710656]"},
      {"%0 = constant() {value = f64[2305843009213693952] hex\"0000000000000000\"} : f64[2305843009213693952]",
       "3:6: constant: the result f64[2305843009213693952] takes more than 2^50 bytes",
       "%0 = constant() {value = f64[1024] hex\"0000000000000000\"} : f64[1024]"},
      {"%0 = iota() {shape = [0,4611686018427387904], axis = 0} : i64[0,4611686018427387904]",
       "3:6: iota: the result i64[0,4611686018427387904] takes more than 2^50 bytes", "%0 = iota() {shape = [0,4], axis = 0} : i64[0,4]"},
      {"input %x: f64[140737488355329]", "3:7: the input 'x' is f64[140737488355329], which takes more than 2^50 bytes",
       "input %x: f64[140737488355328]"},
      {"%0 = constant() {value = bool[2] hex\"0002\"} : bool[2]", "3:37: an element of a bool is 00 or 01",
       "%0 = constant() {value = bool[2] hex\"0001\"} : bool[2]"},
      {"%0 = constant() {value = bool[] 1} : bool[]", "3:33: expected true or false but found '1'",
       "%0 = constant() {value = bool[] true} : bool[]"},
      {"%0 = constant() {value = i64[] 1.5} : i64[]", "3:32: '1.5' is not an integer", "%0 = constant() {value = i64[] 15} : i64[]"},
      {"%0 = constant() {value = f32[-1] 0.0} : f32[]", "3:29: negative extent -1 in shape [-1]",
       "%0 = constant() {value = f32[1] 0.0} : f32[1]"},
      {"%0 = constant() {value = u8[1] [256]} : u8[1]", "3:33: '256' is out of range", "%0 = constant() {value = u8[1] [255]} : u8[1]"},
      {"%0 = constant() {value = i32[] -2147483649} : i32[]", "3:32: '-2147483649' is out of range",
       "%0 = constant() {value = i32[] -2147483648} : i32[]"},
      {"%0 = constant() {value = f32[] 1e39} : f32[]", "3:32: '1e39' is out of range", "%0 = constant() {value = f32[] 1e38} : f32[]"},
      {"%0 = constant() {value = f32[] x} : f32[]", "3:32: 'x' is not a number", "%0 = constant() {value = f32[] nan} : f32[]"},
      // outputs and locations
      {x + "output y %x", "4:10: expected '=' but found '%x'", x + "output y = %x"},
      {x + "output y = x", "4:12: expected a value (%name) but found 'x'", x + "output y = %x"},
      {x + "%0 = exp(%x) : f32[2]\noutput y = %0 aliases %0", "5:23: only an input can be aliased",
       x + "%0 = exp(%x) : f32[2]\noutput y = %0 aliases %x"},
      {x + "output \"\" = %x", "4:8: an output's name is not empty; one without a name: output %value", x + "output %x"},
      {x + "output \"a\\qb\" = %x", "4:10: in a string a backslash stands before another, a quote, n, or x and two hex digits alone",
       x + "output \"a\\x1bb\\\\\" = %x"},
      {x + "output y = %x at \"a.cpp\":-3", "4:26: a line's number is not negative, but this is -3", x + "output y = %x at \"a.cpp\":0"},
      {x + "output y = %x at \"a.cpp\":3 in update, update", "4:39: 'update' is given twice",
       x + "output y = %x at \"a.cpp\":3 in update, forward"},
      {x + "output y = %x at a.cpp:3", "4:18: expected a file name but found 'a.cpp'", x + "output y = %x at \"a.cpp\":3"},
      {x + "output y = %x at \"a.cpp\"", "5:1: expected ':' but found '}'", x + "output y = %x at \"a.cpp\":3"},
      {x + "output y = %x at \"a.cpp\":99999999999", "4:26: '99999999999' is out of range", x + "output y = %x at \"a.cpp\":999999999"},
      {x + "output y = %x\noutput y = %x", "5:8: there are two outputs named 'y'", x + "output y = %x\noutput z = %x"},
      {x + "input %s: f32[3]\noutput y = %x aliases %s at \"a.cpp\":5",
       "5:23: the output is f32[2], but replaces the input 's', which is f32[3]",
       x + "input %s: f32[2]\noutput y = %x aliases %s at \"a.cpp\":5"},
      {x + "output y = %x aliases %x\noutput z = %x aliases %x", "5:23: the input 'x' is updated twice",
       x + "output y = %x aliases %x\noutput z = %x"},
      // bodies
      {x + "%0 = fused(%x) : f32[2]", "4:6: fused: needs one body; given (f32[2])",
       x + "%0 = fused(%x) : f32[2] {\ninput %y: f32[2]\noutput %y\n}"},
      {x + "%0 = fused(%x) : f32[2] {\noutput %x\n}", "5:8: %x is not defined before this use",
       x + "%0 = fused(%x) : f32[2] {\ninput %x: f32[2]\noutput %x\n}"},
      {x + "%0 = fused(%x) : f32[2] {\ninput %y: f32[3]\noutput %y\n}",
       "4:6: fused: body input 0 must have operand 0's type; given (f32[2])",
       x + "%0 = fused(%x) : f32[2] {\ninput %y: f32[2]\noutput %y\n}"},
      {x + "?", "4:1: expected 'input', 'output', '}' or an op's result (%name) but found '?'", x},
  };
  for (const Refused& r : table) check({function(r.bad), r.message, function(r.good)});
}

TEST_CASE("positions count lines, and columns from 1", "[parser]") {
  CHECK(message_of("weft 1 func @f {\r\n\t# only a comment\n\n   input x") == "t:4:10: expected an input (%name) but found 'x'");
}

TEST_CASE("a missing file is named", "[parser]") {
  CHECK_THROWS_WITH(ir::parse_file("no/such/file.weft"), "no/such/file.weft: cannot open the file: No such file or directory");
}

TEST_CASE("bodies in bodies have a depth", "[parser]") {
  const auto nested = [](int depth) {
    std::string text, end;
    for (int i = 0; i < depth; ++i) {
      text += "%0 = fused(%x) : f32[2] {\ninput %x: f32[2]\n";
      end += "output %0\n}\n";
    }
    return "weft 1\nfunc @f {\ninput %x: f32[2]\n" + text + "%0 = exp(%x) : f32[2]\n" + end + "output y = %0\n}\n";
  };
  CHECK(message_of(nested(16)) == "");
  CHECK(message_of(nested(17)) == "t:37:1: bodies in bodies, more than 16 deep");
  CHECK_THAT(message_of(nested(100000)), contains_text("more than 16 deep"));
}

TEST_CASE("what is read knows its line in the text", "[parser]") {
  const ir::Module m = ir::parse(
      "weft 1\n# one\n\nfunc @f {\n  input %x: f32[2]\n  %0 = exp(\n%x) : f32[2]\n  %1 = neg(%0) : f32[2] at \"a.cpp\":3\n"
      "  output y = %1\n}\n",
      "f.weft");
  CHECK(to_string(m.graph().inputs()[0].locations) == "f.weft:5");
  CHECK(to_string(m.graph().ops().front()->locations()) == "f.weft:6");
  CHECK(to_string(m.graph().ops().back()->locations()) == "a.cpp:3");
  CHECK(written_at(m.graph().ops().back()->locations()) == "f.weft:8 (a.cpp:3)");
  CHECK(to_string(m.graph().outputs()[0].locations) == "f.weft:9");
}
