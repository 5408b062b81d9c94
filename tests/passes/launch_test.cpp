// launch on the generic target, where a nest that touches at most 64 KiB is not worth a launch of its own.

#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

/// A step of Adam for parameters of these shapes; the gradients are inputs.
std::string adam(const std::vector<std::string>& shapes) {
  std::string inputs = "input %t: i64[] state\n",
              ops =
                  "%one = constant() {value = i64[] 1} : i64[]\n"
                  "%step = add(%t, %one) : i64[]\n",
              outputs = "output t = %step aliases %t\n";
  for (const char* hyper : {"lr", "beta1", "beta2", "eps", "decay"}) inputs += std::string("input %") + hyper + ": f64[] hyper\n";
  for (size_t i = 0; i < shapes.size(); ++i) {
    const std::string n = std::to_string(i), type = "f32" + shapes[i];
    for (const char* name : {"w", "m", "v", "g"})
      inputs += std::string("input %") + name + n + ": " + type + (name[0] == 'g' ? "" : " state") + "\n";
    ops += "%a" + n + ", %b" + n + ", %c" + n + " = adam(%w" + n + ", %g" + n + ", %step, %lr, %beta1, %beta2, %eps, %decay, %m" + n +
           ", %v" + n + ") : " + type + ", " + type + ", " + type + "\n";
    outputs += "output w" + n + " = %a" + n + " aliases %w" + n + "\n output m" + n + " = %b" + n + " aliases %m" + n + "\n output v" + n +
               " = %c" + n + " aliases %v" + n + "\n";
  }
  return inputs + ops + outputs;
}

}  // namespace

TEST_CASE("launch: the updates of all large parameters are one launch", "[passes][launch]") {
  const ir::Module m = compiled(adam({"[512,784]", "[512,512]", "[10,5120]"}), "launch");
  // The step counter is small and stands alone.
  CHECK(count_ops(m, "kernel") == 1);
  CHECK(count_ops(m, "fused") == 1);
  for (const auto& op : m.graph().ops())
    if (op->is("kernel")) {
      CHECK_FALSE(op->flag("serial"));
      CHECK(op->body().ops().size() == 3);
    }
}

TEST_CASE("launch: the updates of small parameters are one serial launch", "[passes][launch]") {
  const ir::Module m = compiled(adam({"[16,16]", "[16]", "[4,16]"}), "launch");
  REQUIRE(count_kernels(m) == 1);
  CHECK(m.graph().ops().front()->flag("serial"));
}

TEST_CASE("launch: small updates go along with large ones", "[passes][launch]") {
  const ir::Module m = compiled(adam({"[512,784]", "[512]", "[512,512]", "[10]"}), "launch");
  REQUIRE(count_ops(m, "kernel") == 1);
  const ir::Op& kernel = *m.graph().find_output("w0")->value.op();
  CHECK_FALSE(kernel.flag("serial"));
  CHECK(kernel.body().ops().size() == 4);
}

TEST_CASE("launch: large nests that wait for each other stay apart", "[passes][launch]") {
  CHECK(count_kernels(compiled(R"(
    input %x: f32[512,512]
    %0 = sum(%x) {axes = [1], keep_dims = true} : f32[512,1]
    %1 = broadcast(%0) {shape = [512,512]} : f32[512,512]
    %2 = mul(%x, %1) : f32[512,512]
    %3 = sum(%2) {axes = [0], keep_dims = true} : f32[1,512]
    %4 = broadcast(%3) {shape = [512,512]} : f32[512,512]
    %5 = mul(%x, %4) : f32[512,512]
    output a = %2
    output b = %5)",
                               "launch")) == 2);
}

TEST_CASE("launch: a library call between two small nests keeps them apart", "[passes][launch]") {
  CHECK(count_kernels(compiled(R"(
    input %x: f32[8,8]
    %0 = exp(%x) : f32[8,8]
    %1 = matmul(%0, %0) : f32[8,8]
    %2 = exp(%1) : f32[8,8]
    output y = %2)",
                               "launch")) == 2);
}

TEST_CASE("launch: branches that wait for nothing of each other share their launches, stage by stage", "[passes][launch]") {
  std::string text = "input %x0: f32[8,8]\n input %x1: f32[8,8]\n input %x2: f32[8,8]\n", outputs;
  for (const char* branch : {"0", "1", "2"}) {
    std::string last = std::string("%x") + branch;
    for (int i = 0; i < 4; ++i) {
      const std::string n = branch + std::string("_") + std::to_string(i);
      text += "%e" + n + " = exp(" + last + ") : f32[8,8]\n %p" + n + " = matmul(%e" + n + ", %e" + n + ") : f32[8,8]\n";
      last = "%p" + n;
    }
    text += std::string("%s") + branch + " = sin(%x" + branch + ") : f32[8,8]\n";  // in any stage
    outputs += "output y" + std::string(branch) + " = " + last + "\n output s" + branch + " = %s" + branch + "\n";
  }
  const ir::Module m = compiled(text + outputs, "launch");
  CHECK(count_kernels(m) == 4);
  CHECK(count_ops(m, "matmul") == 12);
}

TEST_CASE("launch: an update does not join a reader of the old value", "[passes][launch]") {
  CHECK(count_kernels(compiled(R"(
    input %w: f32[256,256] parameter
    input %g: f32[256,256]
    %0 = transpose(%w) {permutation = [1,0]} : f32[256,256]
    %1 = mul(%0, %g) : f32[256,256]
    %2 = sub(%w, %g) : f32[256,256]
    output y = %1
    output w = %2 aliases %w)",
                               "launch")) == 2);
}

TEST_CASE("launch: the launch keeps the lines of its nests", "[passes][launch]") {
  const ir::Module m = compiled(
      "input %x: f32[8,4]\n %0 = sum(%x) {axes = [1]} : f32[8] at \"net.cpp\":1\n"
      "%1 = sum(%0) {axes = [0]} : f32[] at \"net.cpp\":2\n output y = %1",
      "launch");
  CHECK(to_string(m.graph().ops().front()->locations()) == "net.cpp:1, net.cpp:2");
}
