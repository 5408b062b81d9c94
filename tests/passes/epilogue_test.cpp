// epilogue on the generic target, which takes one bias and one ReLU behind a product.

#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

const std::string inputs = "input %x: f32[2,3]\n input %w: f32[3,4]\n input %b: f32[4]\n";
const std::string product = "%p = matmul(%x, %w) : f32[2,4]\n";
const std::string bias = "%c = broadcast(%b) {shape = [2,4]} : f32[2,4]\n %s = add(%p, %c) : f32[2,4]\n";

}  // namespace

TEST_CASE("epilogue: bias and ReLU go behind the product", "[passes][epilogue]") {
  check_becomes("epilogue,dce", inputs + product + bias + "%r = relu(%s) : f32[2,4]\n output y = %r", inputs + R"(
    %y = matmul(%x, %w, %b) : f32[2,4] {
      input %product: f32[2,4]
      input %extra1: f32[4]
      %c = broadcast(%extra1) {shape = [2,4]} : f32[2,4]
      %s = add(%product, %c) : f32[2,4]
      %r = relu(%s) : f32[2,4]
      output %r
    }
    output y = %y)");
}

TEST_CASE("epilogue: the bias may stand on the left", "[passes][epilogue]") {
  const ir::Module m = run_passes("epilogue,dce", inputs + product + R"(
    %c = broadcast(%b) {shape = [2,4]} : f32[2,4]
    %s = add(%c, %p) : f32[2,4]
    output y = %s)");
  CHECK(m.graph().ops().size() == 1);
}

TEST_CASE("epilogue: a ReLU alone goes behind the product", "[passes][epilogue]") {
  check_becomes("epilogue", inputs + product + "%r = relu(%p) : f32[2,4]\n output y = %r", inputs + R"(
    %y = matmul(%x, %w) : f32[2,4] {
      input %product: f32[2,4]
      %r = relu(%product) : f32[2,4]
      output %r
    }
    output y = %y)");
}

TEST_CASE("epilogue: the product's attributes stay", "[passes][epilogue]") {
  const ir::Module m = run_passes("epilogue",
                                  "input %x: f32[3,2]\n input %w: f32[4,3]\n"
                                  "%p = matmul(%x, %w) {transpose_a = true, transpose_b = true} : f32[2,4]\n"
                                  "%r = relu(%p) : f32[2,4]\n output y = %r");
  const ir::Op& op = *m.graph().ops().front();
  CHECK(op.flag("transpose_a"));
  CHECK(op.flag("transpose_b"));
}

TEST_CASE("epilogue: the call keeps the lines of all that it took", "[passes][epilogue]") {
  const ir::Module m = run_passes("epilogue", inputs +
                                                  "%p = matmul(%x, %w) : f32[2,4] at \"net.cpp\":5\n"
                                                  "%r = relu(%p) : f32[2,4] at \"net.cpp\":6\n output y = %r");
  CHECK(to_string(m.graph().ops().front()->locations()) == "net.cpp:5, net.cpp:6");
}

TEST_CASE("epilogue: stops where the target does", "[passes][epilogue]") {
  check_becomes("epilogue", inputs + product + "%r = relu(%p) : f32[2,4]\n %e = exp(%r) : f32[2,4]\n output y = %e", inputs + R"(
    %r = matmul(%x, %w) : f32[2,4] {
      input %product: f32[2,4]
      %r = relu(%product) : f32[2,4]
      output %r
    }
    %e = exp(%r) : f32[2,4]
    output y = %e)");
  check_stays("epilogue", inputs + product + "%e = exp(%p) : f32[2,4]\n output y = %e");
}

TEST_CASE("epilogue: a product with a second reader stays alone", "[passes][epilogue]") {
  check_stays("epilogue", inputs + product + "%r = relu(%p) : f32[2,4]\n %e = exp(%p) : f32[2,4]\n output y = %r\n output z = %e");
  check_stays("epilogue", inputs + product + "%r = add(%p, %p) : f32[2,4]\n output y = %r");
}

TEST_CASE("epilogue: a product that is an output itself stays alone", "[passes][epilogue]") {
  check_stays("epilogue", inputs + product + "%r = relu(%p) : f32[2,4]\n output y = %r\n output p = %p");
}

TEST_CASE("epilogue: an op of another element type stays outside", "[passes][epilogue]") {
  check_stays("epilogue", inputs + product + "%r = cast(%p) {dtype = f64} : f64[2,4]\n output y = %r");
}

TEST_CASE("epilogue: a product that is added to what it replaces is accumulated in place", "[passes][epilogue]") {
  const std::string text = R"(
    input %x: f32[2,3]
    input %w: f32[3,4]
    input %s: f32[2,4] state
    %p = matmul(%x, %w) : f32[2,4]
    %n = add(%s, %p) : f32[2,4]
    output s = %n aliases %s)";
  check_becomes("epilogue", text, R"(
    input %x: f32[2,3]
    input %w: f32[3,4]
    input %s: f32[2,4] state
    %n = matmul(%x, %w, %s) : f32[2,4] {
      input %product: f32[2,4]
      input %extra1: f32[2,4]
      %s = add(%extra1, %product) : f32[2,4]
      output %s
    }
    output s = %n aliases %s)");
  CHECK(compiled(text, "plan").arena_bytes == 0);
}

TEST_CASE("epilogue: a value as large as the product that is not replaced stays outside", "[passes][epilogue]") {
  check_stays("epilogue", inputs + "input %s: f32[2,4]\n" + product + "%n = add(%s, %p) : f32[2,4]\n output y = %n");
}

TEST_CASE("epilogue: a product that reads what it would replace stays outside", "[passes][epilogue]") {
  check_stays("epilogue", R"(
    input %x: f32[4,4]
    input %s: f32[4,4] state
    %p = matmul(%x, %s) : f32[4,4]
    %n = add(%s, %p) : f32[4,4]
    output s = %n aliases %s)");
}

TEST_CASE("epilogue: an update that reads no old value may be taken", "[passes][epilogue]") {
  const ir::Module m =
      run_passes("epilogue", inputs + "input %s: f32[2,4] state\n" + product + "%r = relu(%p) : f32[2,4]\n output s = %r aliases %s");
  CHECK(m.graph().ops().size() == 1);
}
