#include "weft/backends/reference/reference.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

/// `op` on constants, given as "f32[] 1.0, f32[] 2.0", becomes the constant.
void check_folds(const std::string& op, const std::vector<std::string>& operands, const std::string& attributes,
                 const std::string& result) {
  INFO(op << " " << result);
  const auto type_of = [](const std::string& constant) { return constant.substr(0, constant.find(' ')); };
  std::string text, names;
  for (size_t i = 0; i < operands.size(); ++i) {
    text += "%" + std::to_string(i) + " = constant() {value = " + operands[i] + "} : " + type_of(operands[i]) + "\n";
    names += (i ? ", %" : "%") + std::to_string(i);
  }
  text += "%r = " + op + "(" + names + ") " + attributes + " : " + type_of(result) + "\n output y = %r";
  check_becomes("fold,dce", text, "%0 = constant() {value = " + result + "} : " + type_of(result) + "\n output y = %0");
  // The reference computes the same from the ops themselves.
  const auto direct = reference::evaluate(module_from(text).graph(), {});
  const auto folded = reference::evaluate(run_passes("fold", text).graph(), {});
  CHECK(direct[0].integer == folded[0].integer);
}

}  // namespace

TEST_CASE("fold: floating arithmetic, rounded to the type", "[passes][fold]") {
  check_folds("add", {"f32[] 1.5", "f32[] 2.25"}, "", "f32[] 3.75");
  check_folds("div", {"f32[3] 1.0", "f32[3] 3.0"}, "", "f32[3] 0.33333334");
  check_folds("div", {"f64[] 1.0", "f64[] 3.0"}, "", "f64[] 0.3333333333333333");
  check_folds("mul", {"f32[] 16777217.0", "f32[] 1.0"}, "", "f32[] 1.6777216e+07");
  check_folds("sqrt", {"f32[] 2.0"}, "", "f32[] 1.4142135");
  check_folds("neg", {"f64[] 0.0"}, "", "f64[] -0.0");
  check_folds("sub", {"f32[] inf", "f32[] inf"}, "", "f32[] nan");
  check_folds("div", {"f32[] 1.0", "f32[] -0.0"}, "", "f32[] -inf");
}

TEST_CASE("fold: comparisons and select", "[passes][fold]") {
  check_folds("lt", {"f32[] 1.0", "f32[] 2.0"}, "", "bool[] true");
  check_folds("le", {"f32[] nan", "f32[] 2.0"}, "", "bool[] false");
  check_folds("ne", {"f32[] nan", "f32[] nan"}, "", "bool[] true");
  check_folds("eq", {"f64[] 0.0", "f64[] -0.0"}, "", "bool[] true");
  check_folds("maximum", {"f32[] nan", "f32[] 2.0"}, "", "f32[] nan");
  check_folds("select", {"bool[2] true", "f32[2] 1.0", "f32[2] 2.0"}, "", "f32[2] 1.0");
}

TEST_CASE("fold: integers wrap in their type", "[passes][fold]") {
  check_folds("add", {"i64[] 9223372036854775807", "i64[] 1"}, "", "i64[] -9223372036854775808");
  check_folds("mul", {"i32[] 123456789", "i32[] 987654321"}, "", "i32[] -67153019");
  check_folds("add", {"u8[] 200", "u8[] 100"}, "", "u8[] 44");
  check_folds("add", {"i64[] 9007199254740993", "i64[] 2"}, "", "i64[] 9007199254740995");
  check_folds("not", {"bool[] true"}, "", "bool[] false");
  check_folds("xor", {"i32[] 12", "i32[] 10"}, "", "i32[] 6");
}

TEST_CASE("fold: conversions", "[passes][fold]") {
  check_folds("cast", {"f32[] -1.75"}, "{dtype = i64}", "i64[] -1");
  check_folds("cast", {"f32[] nan"}, "{dtype = bool}", "bool[] true");
  check_folds("cast", {"i64[] 7"}, "{dtype = f32}", "f32[] 7.0");
  check_folds("cast", {"i64[] 4611686018427387905"}, "{dtype = i32}", "i32[] 1");
  check_folds("cast", {"i64[] -256"}, "{dtype = bool}", "bool[] true");
  check_folds("cast", {"f64[] 0.1"}, "{dtype = f32}", "f32[] 0.1");
}
