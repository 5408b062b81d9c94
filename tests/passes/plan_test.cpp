// plan: values that live together share no bytes, and the arena is hardly larger than it has to be.

#include "weft/passes/plan.h"

#include "weft/passes/analysis/liveness.h"
#include "weft/passes/analysis/placement.h"
#include "weft/passes/pass.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/random_graph.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

/// Where the result of each op is: "@offset", an input's name, "constant" or "view of ...".
std::string places(const ir::Module& m) {
  std::string text;
  for (const auto& [value, place] : [&] {
         const passes::Placement all = passes::placement_of(m.graph());
         std::vector<std::pair<ir::Value, passes::Place>> ordered;
         for (const auto& op : m.graph().ops())
           for (ir::Value v : op->results()) ordered.emplace_back(v, all.at(v));
         return ordered;
       }()) {
    text += text.empty() ? "" : " ";
    if (place.kind == passes::Place::Kind::arena) text += "@" + std::to_string(place.position);
    if (place.kind == passes::Place::Kind::input) text += m.graph().input(static_cast<int>(place.position)).name();
    if (place.kind == passes::Place::Kind::constant) text += "constant";
  }
  return text;
}

/// A `fused` op around one elementwise op of f32[1000].
std::string nest(const std::string& result, const std::string& op, const std::string& operand) {
  return result + " = fused(" + operand + ") : f32[1000] {\n input %a: f32[1000]\n %0 = " + op + "(%a) : f32[1000]\n output %0\n}\n";
}

std::string planned(const std::string& text) { return places(run_passes("plan", text)); }

void check_rejected(const std::string& text, const std::string& why) {
  INFO(text);
  REQUIRE_THROWS_WITH(passes::verify_plan(module_from(text), passes::generic_target()), contains_text(why));
}

}  // namespace

TEST_CASE("plan: values that live one after the other share bytes", "[passes][plan]") {
  const std::string text =
      "input %x: f32[1000,4]\n input %w: f32[4,4]\n"
      "%0 = matmul(%x, %w) : f32[1000,4]\n %1 = matmul(%0, %w) : f32[1000,4]\n"
      "%2 = matmul(%1, %w) : f32[1000,4]\n output y = %2";
  // Rounded up to 64: 16000 bytes are 250 lines.
  CHECK(planned(text) == "@0 @16000 @0");
  CHECK(run_passes("plan", text).arena_bytes == 32000);
}

TEST_CASE("plan: a nest may write over the operand that dies in it", "[passes][plan]") {
  CHECK(planned("input %x: f32[1000]\n" + nest("%0", "exp", "%x") + nest("%1", "neg", "%0") + nest("%2", "sin", "%1") + "output y = %2") ==
        "@0 @0 @0");
}

TEST_CASE("plan: a nest may write over an operand that it reads through a view of its own type", "[passes][plan]") {
  CHECK(planned("input %x: f32[10,100]\n %w = matmul(%x, %x) {transpose_b = true} : f32[10,10]\n"
                "%0 = matmul(%w, %x) : f32[10,100]\n %1 = reshape(%0) {shape = [1000]} : f32[1000]\n" +
                nest("%2", "exp", "%1") + "output y = %2") == "@4032 @0 @0 @0");
}

TEST_CASE("plan: an operand that lives on is not written over", "[passes][plan]") {
  CHECK(planned("input %x: f32[1000]\n" + nest("%0", "exp", "%x") + nest("%1", "neg", "%0") + nest("%2", "sin", "%0") +
                "output a = %1\n output b = %2") == "@0 @4032 @0");
  CHECK(planned("input %x: f32[1000]\n" + nest("%0", "exp", "%x") + nest("%1", "neg", "%0") + "output a = %0\n output b = %1") ==
        "@0 @4032");
}

TEST_CASE("plan: an operand read at other elements is not written over", "[passes][plan]") {
  CHECK(planned(R"(
    input %x: f32[16,16]
    %0 = fused(%x) : f32[16,16] {
      input %a: f32[16,16]
      %0 = exp(%a) : f32[16,16]
      output %0
    }
    %1 = fused(%0) : f32[16,16] {
      input %a: f32[16,16]
      %0 = transpose(%a) {permutation = [1,0]} : f32[16,16]
      output %0
    }
    output y = %1)") == "@0 @1024");
}

TEST_CASE("plan: a library call writes over none of its operands", "[passes][plan]") {
  CHECK(planned("input %x: f32[16,16]\n %0 = matmul(%x, %x) : f32[16,16]\n %1 = matmul(%0, %x) : f32[16,16]\n output y = %1") ==
        "@0 @1024");
}

TEST_CASE("plan: outputs stay to the end", "[passes][plan]") {
  CHECK(planned("input %x: f32[16,16]\n %0 = matmul(%x, %x) : f32[16,16]\n %1 = matmul(%x, %x) {transpose_a = true} : f32[16,16]\n"
                "%2 = matmul(%1, %x) : f32[16,16]\n output a = %0\n output b = %2") == "@0 @1024 @2048");
}

TEST_CASE("plan: an update lives in its input, a view in its operand, a constant nowhere", "[passes][plan]") {
  CHECK(planned("input %w: f32[1000] parameter\n" + nest("%0", "exp", "%w") + R"(
    %1 = reshape(%0) {shape = [10,100]} : f32[10,100]
    %2 = constant() {value = f32[4] 1.0} : f32[4]
    %3 = matmul(%1, %1) {transpose_a = true} : f32[100,100]
    output w = %0 aliases %w
    output v = %1
    output c = %2
    output p = %3)") == "w w constant @0");
}

TEST_CASE("plan: a value lives as long as its views", "[passes][plan]") {
  CHECK(planned(R"(
    input %x: f32[16,16]
    %0 = matmul(%x, %x) : f32[16,16]
    %1 = reshape(%0) {shape = [4,64]} : f32[4,64]
    %2 = matmul(%x, %x) {transpose_a = true} : f32[16,16]
    %3 = matmul(%1, %1) {transpose_b = true} : f32[4,4]
    output a = %2
    output b = %3)") == "@0 @0 @1024 @2048");
}

TEST_CASE("plan: every buffer starts at a line", "[passes][plan]") {
  CHECK(planned("input %x: f32[3,3]\n %0 = matmul(%x, %x) : f32[3,3]\n %1 = matmul(%x, %x) {transpose_a = true} : f32[3,3]\n"
                "output a = %0\n output b = %1") == "@0 @64");
}

TEST_CASE("plan: a graph without intermediate values needs no arena", "[passes][plan]") {
  CHECK(run_passes("plan", "input %x: f32[4]\n output y = %x").arena_bytes == 0);
}

TEST_CASE("plan: planning twice changes nothing", "[passes][plan]") {
  ir::Module m = run_passes("plan", "input %x: f32[1000]\n" + nest("%0", "exp", "%x") + nest("%1", "neg", "%0") + "output y = %1");
  const std::string first = text_of(m);
  run_passes("plan", m);
  CHECK(text_of(m) == first);
}

TEST_CASE("plan: random graphs are planned rightly and within 15 % of the least", "[passes][plan]") {
  double worst = 0;
  for (uint32_t seed = 0; seed < 300; ++seed) {
    INFO("seed " << seed);
    ir::Module m = random_module(seed, f32, 160);
    passes::run(m, passes::pipeline("compile"), passes::generic_target());
    passes::verify_plan(m, passes::generic_target());
    const int64_t least = passes::largest_live_set(m.graph(), passes::generic_target());
    REQUIRE(m.arena_bytes);
    CHECK(*m.arena_bytes >= least);
    CHECK(static_cast<double>(*m.arena_bytes) <= 1.15 * static_cast<double>(least));
    if (least > 0) worst = std::max(worst, static_cast<double>(*m.arena_bytes) / static_cast<double>(least));
  }
  INFO("worst " << worst);
  CHECK(worst > 1);  // else the graphs are too easy
}

TEST_CASE("verify_plan: two values that live together must not share bytes", "[passes][plan]") {
  const auto text = [](const std::string& second) {
    return "module stage = \"plan\" arena = 8192\n input %x: f32[16,16]\n %0 = matmul(%x, %x) : f32[16,16] @0 at \"net.cpp\":1\n"
           "%1 = matmul(%x, %x) {transpose_a = true} : f32[16,16] @" +
           second + " at \"net.cpp\":2\n output a = %0\n output b = %1";
  };
  check_rejected(text("0"),
                 "the results of matmul (at test:6 (net.cpp:2)) and matmul (at test:5 (net.cpp:1)) are live together and share bytes");
  check_rejected(text("960"), "share bytes");
  passes::verify_plan(module_from(text("1024")), passes::generic_target());
}

TEST_CASE("verify_plan: a nest may write over an operand only where it reads no other element", "[passes][plan]") {
  const auto text = [](const std::string& op) {
    return "module stage = \"plan\" arena = 4096\n input %x: f32[16,16]\n %0 = matmul(%x, %x) : f32[16,16] @0\n"
           "%1 = fused(%0) : f32[16,16] @0 {\n input %a: f32[16,16]\n %0 = " +
           op + " : f32[16,16]\n output %0\n}\n output y = %1";
  };
  check_rejected(text("transpose(%a) {permutation = [1,0]}"), "share bytes");
  passes::verify_plan(module_from(text("exp(%a)")), passes::generic_target());
}

TEST_CASE("verify_plan: every value has room in the arena", "[passes][plan]") {
  const auto text = [](const std::string& place) {
    return "module stage = \"plan\" arena = 1024\n input %x: f32[16,16]\n %0 = matmul(%x, %x) : f32[16,16]" + place + "\n output y = %0";
  };
  check_rejected(text(""), "a result of matmul has no room");
  check_rejected(text(" @64"), "a result of matmul has no room");
  check_rejected(text(" @-64"), "a result of matmul has no room");
  check_rejected("input %x: f32[4,4]\n %0 = matmul(%x, %x) : f32[4,4] @0\n output y = %0", "a result of matmul has no room");
  passes::verify_plan(module_from(text(" @0")), passes::generic_target());
}

TEST_CASE("verify_plan: buffers are aligned", "[passes][plan]") {
  check_rejected("module stage = \"plan\" arena = 1024\n input %x: f32[4,4]\n %0 = matmul(%x, %x) : f32[4,4] @32\n output y = %0",
                 "a result of matmul is not aligned");
}

TEST_CASE("verify_plan: a reader of an old value must not come after its writer", "[passes][plan]") {
  check_rejected("module stage = \"plan\" arena = 8192\n input %w: f32[1000] parameter\n" + nest("%0", "exp", "%w") +
                     "%1 = fused(%w) : f32[1000] @0 {\n input %a: f32[1000]\n %0 = neg(%a) : f32[1000]\n output %0\n}\n"
                     "output w = %0 aliases %w\n output y = %1",
                 "fused reads 'w' after it was replaced");
}

TEST_CASE("verify_plan: an update reads no other element of the old value, through no view", "[passes][plan]") {
  check_rejected(R"(module stage = "plan" arena = 0
    input %w: f32[2,1,2] state
    %0 = reshape(%w) {shape = [2,2,1]} : f32[2,2,1]
    %1 = fused(%0) : f32[2,1,2] {
      input %a: f32[2,2,1]
      %0 = transpose(%a) {permutation = [1,2,0]} : f32[2,1,2]
      output %0
    }
    output w = %1 aliases %w)",
                 "fused cannot write 'w' over the value that it reads");
}

TEST_CASE("verify_plan: an update is written in place", "[passes][plan]") {
  const std::string head = "module stage = \"plan\" arena = 8192\n input %w: f32[16,16] parameter\n input %x: f32[16,16]\n";
  check_rejected(head + "output w = %x aliases %w", "'w' is not written in place");
  check_rejected(head + "%0 = matmul(%x, %x) : f32[16,16] @0\n %1 = reshape(%0) {shape = [16,16]} : f32[16,16]\n output w = %1 aliases %w",
                 "'w' is not written in place");
  check_rejected(head + "%0 = matmul(%w, %x) : f32[16,16]\n output w = %0 aliases %w",
                 "matmul cannot write 'w' over the value that it reads");
  check_rejected(head + "%0 = constant() {value = f32[16,16] 1.0} : f32[16,16]\n output w = %0 aliases %w", "'w' is not written in place");
}

TEST_CASE("verify_plan: one value cannot replace two inputs", "[passes][plan]") {
  check_rejected(
      "module stage = \"plan\" arena = 64\n input %a: f32[4,4] state\n input %b: f32[4,4] state\n input %x: f32[4,4]\n"
      "%0 = matmul(%x, %x) : f32[4,4]\n output a = %0 aliases %a\n output b = %0 aliases %b",
      "'b' is not written in place");
}

TEST_CASE("verify_plan: an old value that is an output must not be replaced", "[passes][plan]") {
  check_rejected(
      "module stage = \"plan\" arena = 64\n input %a: f32[4,4] state\n input %x: f32[4,4]\n"
      "%0 = matmul(%x, %x) : f32[4,4]\n output a = %0 aliases %a\n output old = %a",
      "the output 'old' is the old value of 'a'");
}
