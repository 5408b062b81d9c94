// Kernel counts are the specification of fusion. On the generic target.

#include "weft/passes/fuse.h"

#include "weft/ir/op_def.h"
#include "weft/passes/pass.h"
#include "weft/passes/recompute.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

/// Loop nests after the pass fuse, which also shows that nothing but library calls, views and constants is left.
int nests(const std::string& text) {
  const ir::Module m = compiled(text, "fuse");
  INFO(text_of(m));
  for (const auto& op : m.graph().ops()) {
    using ir::Kind;
    const Kind kind = op->def().kind;
    CHECK((kind == Kind::nest || kind == Kind::heavy || kind == Kind::view || kind == Kind::constant));
  }
  return count_ops(m, "fused");
}

/// The same of a loss and its gradients, without an update.
int gradient_nests(const std::string& text) {
  ir::Module m = module_from(text);
  passes::run(m, passes::pipeline("compile"), passes::generic_target(), {.disabled = {"training_step"}, .stop_after = "fuse"});
  return count_ops(m, "fused");
}

std::string train(const std::string& inputs, const std::string& statements) {
  return "train {loss = \"loss\", inputs = [" + inputs + "], optimizer = \"sgd\"}\n" + statements;
}

}  // namespace

TEST_CASE("fuse: an op alone becomes a nest too", "[passes][fuse]") {
  CHECK(nests("input %x: f32[8]\n %0 = exp(%x) : f32[8]\n output y = %0") == 1);
  CHECK(nests("input %x: f32[8]\n %0 = sum(%x) {axes = [0]} : f32[]\n output y = %0") == 1);
  CHECK(nests("input %x: f32[8,2]\n %0 = transpose(%x) {permutation = [1,0]} : f32[2,8]\n output y = %0") == 1);
  CHECK(nests("input %x: f32[0,2]\n %0 = exp(%x) : f32[0,2]\n output y = %0") == 1);
}

TEST_CASE("fuse: a view of a product is its readers' own, who then stand beside each other only", "[passes][fuse]") {
  // As in a layer norm's gradient: sums of columns beside sums of rows that others wait for.
  const std::string text = R"(
    input %x: f32[32,16]
    input %y: f32[16,16]
    input %w: f32[16]
    %p = matmul(%x, %y) : f32[32,16]
    %v = reshape(%p) {shape = [4,8,16]} : f32[4,8,16]
    %a = sum(%v) {axes = [0,1]} : f32[16]
    %b = broadcast(%w) {shape = [4,8,16]} : f32[4,8,16]
    %c = mul(%v, %b) : f32[4,8,16]
    %d = sum(%c) {axes = [2], keep_dims = true} : f32[4,8,1]
    %e = broadcast(%d) {shape = [4,8,16]} : f32[4,8,16]
    %f = sub(%c, %e) : f32[4,8,16]
    output a = %a
    output f = %f)";
  CHECK(nests(text) == 2);
  size_t stored = 0;
  const ir::Module m = compiled(text, "fuse");
  for (const auto& op : m.graph().ops())
    if (op->is("fused")) stored += op->results().size();
  CHECK(stored == 2);  // the outputs
}

TEST_CASE("fuse: fusing again gives the same nests", "[passes][fuse]") {
  const ir::Module m = compiled(R"(
    input %x: f32[64,10]
    %0 = softmax(%x) {axis = 1} : f32[64,10]
    %1 = sum(%0) {axes = [0]} : f32[10]
    output a = %0
    output b = %1)",
                                "fuse");
  ir::Module again = m.clone();
  passes::fuse(again, passes::generic_target());
  CHECK(text_of(again) == text_of(m));
}

TEST_CASE("fuse: equal ops that are one inside of a nest stay two results that are written in place", "[passes][fuse]") {
  const std::string text = R"(
    input %a: f32[1] state
    input %b: f32[1] state
    input %x: f32[1]
    %0 = neg(%x) : f32[1]
    %1 = neg(%x) : f32[1]
    output a = %0 aliases %a
    output b = %1 aliases %b)";
  CHECK(text_of(run_passes("updates,fuse", text)).find("output %0\n    output %0") != std::string::npos);
  run_passes("updates,fuse,fuse,plan", text);
  ir::Module again = run_passes("updates,fuse", text);
  passes::recompute(again, 0);
  run_passes("plan", again);
}

TEST_CASE("fuse: a diamond is one nest", "[passes][fuse]") {
  CHECK(nests(R"(
    input %x: f32[64]
    %0 = exp(%x) : f32[64]
    %1 = neg(%0) : f32[64]
    %2 = sin(%0) : f32[64]
    %3 = mul(%1, %2) : f32[64]
    output y = %3)") == 1);
}

TEST_CASE("fuse: a value that others read as well is a second result", "[passes][fuse]") {
  const ir::Module m = compiled(R"(
    input %x: f32[64]
    %0 = exp(%x) : f32[64]
    %1 = neg(%0) : f32[64]
    output a = %0
    output b = %1)",
                                "fuse");
  REQUIRE(count_ops(m, "fused") == 1);
  CHECK(m.graph().ops().front()->result_count() == 2);
}

TEST_CASE("fuse: readers of one value share its nest", "[passes][fuse]") {
  CHECK(nests(R"(
    input %x: f32[64]
    %0 = exp(%x) : f32[64]
    %1 = sin(%x) : f32[64]
    output a = %0
    output b = %1)") == 1);
}

TEST_CASE("fuse: softmax is one nest", "[passes][fuse]") {
  CHECK(nests("input %x: f32[64,10]\n %0 = softmax(%x) {axis = 1} : f32[64,10]\n output y = %0") == 1);
  CHECK(nests("input %x: f32[64,10]\n %0 = log_softmax(%x) {axis = 1} : f32[64,10]\n output y = %0") == 1);
}

TEST_CASE("fuse: cross entropy with its gradient is two nests: the samples, and their mean", "[passes][fuse]") {
  const std::string text = train("\"x\"", R"(
    input %x: f32[64,10] parameter
    input %y: i64[64]
    %0 = cross_entropy(%x, %y) : f32[]
    output loss = %0)");
  CHECK(gradient_nests(text) == 2);
  CHECK(nests(text) == 3);  // the update joins the gradient; the third nest counts the steps
}

TEST_CASE("fuse: softmax, log and their gradient are two nests: the rows, and the loss", "[passes][fuse]") {
  CHECK(gradient_nests(train("\"x\"", R"(
    input %x: f32[64,10] parameter
    input %t: f32[64,10]
    %0 = softmax(%x) {axis = 1} : f32[64,10]
    %1 = log(%0) : f32[64,10]
    %2 = mul(%1, %t) : f32[64,10]
    %3 = mean(%2) {axes = [0,1]} : f32[]
    output loss = %3)")) == 2);
}

TEST_CASE("fuse: layer normalization is one nest, with loss and gradients four", "[passes][fuse]") {
  const std::string norm = R"(
    input %x: f32[64,256] parameter
    input %g: f32[256] parameter
    input %b: f32[256] parameter
    %m = mean(%x) {axes = [1], keep_dims = true} : f32[64,1]
    %mb = broadcast(%m) {shape = [64,256]} : f32[64,256]
    %d = sub(%x, %mb) : f32[64,256]
    %q = square(%d) : f32[64,256]
    %v = mean(%q) {axes = [1], keep_dims = true} : f32[64,1]
    %e = constant() {value = f32[64,1] 1e-05} : f32[64,1]
    %ve = add(%v, %e) : f32[64,1]
    %r = rsqrt(%ve) : f32[64,1]
    %rb = broadcast(%r) {shape = [64,256]} : f32[64,256]
    %n = mul(%d, %rb) : f32[64,256]
    %gb = broadcast(%g) {shape = [64,256]} : f32[64,256]
    %s = mul(%n, %gb) : f32[64,256]
    %bb = broadcast(%b) {shape = [64,256]} : f32[64,256]
    %y = add(%s, %bb) : f32[64,256]
)";
  CHECK(nests(norm + "output y = %y") == 1);
  // Rows forward, the loss, rows backward, columns for gain and bias.
  CHECK(gradient_nests(train("\"x\", \"g\", \"b\"", norm + R"(
    input %t: f32[64,256]
    %l = mse_loss(%y, %t) : f32[]
    output loss = %l)")) == 4);
}

TEST_CASE("fuse: the gradients of ReLU and bias are one nest", "[passes][fuse]") {
  CHECK(nests(R"(
    input %y: f32[64,512]
    input %g: f32[64,512]
    %z = constant() {value = f32[64,512] 0.0} : f32[64,512]
    %c = le(%y, %z) : bool[64,512]
    %d = select(%c, %z, %g) : f32[64,512]
    %b = sum(%d) {axes = [0]} : f32[512]
    output dx = %d
    output db = %b)") == 1);
}

TEST_CASE("fuse: broadcasts, constants and single elements are repeated where they are read", "[passes][fuse]") {
  const ir::Module m = compiled(R"(
    input %b: f32[64]
    input %lr: f64[] hyper
    input %x: f32[32,64]
    input %p: f32[64,16]
    %f = cast(%lr) {dtype = f32} : f32[]
    %fx = broadcast(%f) {shape = [32,64]} : f32[32,64]
    %fp = broadcast(%f) {shape = [64,16]} : f32[64,16]
    %0 = mul(%x, %fx) : f32[32,64]
    %1 = mul(%p, %fp) : f32[64,16]
    output a = %0
    output b = %1)",
                                "fuse");
  CHECK(count_ops(m, "fused") == 2);
  for (const auto& op : m.graph().ops()) CHECK(op->operand(0).is_input());
}

TEST_CASE("fuse: a cheap value that is an output is also stored", "[passes][fuse]") {
  CHECK(nests("input %b: f32[64]\n input %x: f32[32,64]\n %c = broadcast(%b) {shape = [32,64]} : f32[32,64]\n"
              "%0 = mul(%x, %c) : f32[32,64]\n output y = %0\n output c = %c") == 1);
}

TEST_CASE("fuse: a product parts what comes before it from what comes after", "[passes][fuse]") {
  CHECK(nests(R"(
    input %x: f32[64,64]
    %0 = exp(%x) : f32[64,64]
    %1 = matmul(%0, %x) : f32[64,64]
    %2 = mul(%0, %1) : f32[64,64]
    output y = %2)") == 2);
}

TEST_CASE("fuse: reductions along different axes stay apart", "[passes][fuse]") {
  CHECK(nests(R"(
    input %x: f32[64,32]
    %0 = sum(%x) {axes = [0]} : f32[32]
    %1 = sum(%x) {axes = [1]} : f32[64]
    output a = %0
    output b = %1)") == 2);
}

TEST_CASE("fuse: a sum of sums stays apart", "[passes][fuse]") {
  CHECK(nests(R"(
    input %x: f32[64,32]
    %0 = sum(%x) {axes = [1]} : f32[64]
    %1 = exp(%0) : f32[64]
    %2 = sum(%1) {axes = [0]} : f32[]
    output y = %2)") == 2);
}

TEST_CASE("fuse: unrelated ops stay apart", "[passes][fuse]") {
  CHECK(nests(R"(
    input %x: f32[64]
    input %y: f32[64]
    %0 = exp(%x) : f32[64]
    %1 = exp(%y) : f32[64]
    output a = %0
    output b = %1)") == 2);
}

TEST_CASE("fuse: the sum of everything gives way to sums that share loops with its operand", "[passes][fuse]") {
  const ir::Module m = compiled(R"(
    input %x: f32[64,32]
    %0 = exp(%x) : f32[64,32]
    %1 = sum(%0) {axes = [0,1]} : f32[]
    %2 = sum(%0) {axes = [1], keep_dims = true} : f32[64,1]
    %3 = broadcast(%2) {shape = [64,32]} : f32[64,32]
    %4 = div(%0, %3) : f32[64,32]
    output a = %1
    output b = %4)",
                                "fuse");
  REQUIRE(count_ops(m, "fused") == 2);
  CHECK(m.graph().ops().front()->body().ops().size() == 4);  // all but the sum of everything
}

TEST_CASE("fuse: a transpose may be read through, but work is not done at two places", "[passes][fuse]") {
  CHECK(nests(R"(
    input %x: f32[32,64]
    %0 = exp(%x) : f32[32,64]
    %1 = transpose(%0) {permutation = [1,0]} : f32[64,32]
    %2 = neg(%1) : f32[64,32]
    output y = %2)") == 1);
  CHECK(nests(R"(
    input %x: f32[64,64]
    %0 = exp(%x) : f32[64,64]
    %1 = transpose(%0) {permutation = [1,0]} : f32[64,64]
    %2 = add(%0, %1) : f32[64,64]
    output y = %2)") == 2);
}

TEST_CASE("fuse: an update does not join a nest that reads the old value elsewhere", "[passes][fuse]") {
  const std::string text = R"(
    input %w: f32[64,64] parameter
    input %g: f32[64,64]
    %0 = transpose(%w) {permutation = [1,0]} : f32[64,64]
    %1 = mul(%0, %g) : f32[64,64]
    %2 = sub(%w, %g) : f32[64,64]
    output y = %1
    output w = %2 aliases %w)";
  const ir::Module m = compiled(text, "fuse");
  REQUIRE(count_ops(m, "fused") == 2);
  // The reader runs first.
  CHECK(m.graph().find_output("y")->value.op() == m.graph().ops().front());
  CHECK(nests(text.substr(0, text.find(" aliases"))) == 1);
}

TEST_CASE("fuse: an update does not join a nest that reads other elements through a view", "[passes][fuse]") {
  // The view has a reader that is no nest, so it stays outside.
  const std::string text = R"(
    input %w: f32[8,8] parameter
    input %i: i64[3]
    %v = reshape(%w) {shape = [64]} : f32[64]
    %picked = gather(%v, %i) : f32[3]
    %s = slice(%v) {start = [1], end = [64]} : f32[63]
    %p = pad(%s) {low = [0], high = [1]} : f32[64]
    %q = reshape(%p) {shape = [8,8]} : f32[8,8]
    %n = exp(%q) : f32[8,8]
    output picked = %picked
    output w = %n)";
  CHECK(nests(text) == 1);
  CHECK(nests(text + " aliases %w") == 2);
}

TEST_CASE("fuse: an update joins a nest that reads the old value where it is replaced", "[passes][fuse]") {
  CHECK(nests(R"(
    input %w: f32[64] parameter
    input %g: f32[64]
    %0 = mul(%w, %g) : f32[64]
    %1 = sub(%w, %g) : f32[64]
    output y = %0
    output w = %1 aliases %w)") == 1);
}

TEST_CASE("fuse: two updates that read each other's old value stay apart", "[passes][fuse]") {
  CHECK(nests(R"(
    input %a: f32[64,64] state
    input %b: f32[64,64] state
    %0 = transpose(%a) {permutation = [1,0]} : f32[64,64]
    %1 = add(%b, %0) : f32[64,64]
    %2 = exp(%a) : f32[64,64]
    output a = %2 aliases %a
    output b = %1 aliases %b)") == 2);
}

TEST_CASE("fuse: the nest keeps the lines of all that is in it", "[passes][fuse]") {
  const ir::Module m = compiled(
      "input %x: f32[64]\n %0 = exp(%x) : f32[64] at \"net.cpp\":4\n"
      "%1 = neg(%0) : f32[64] at \"net.cpp\":5\n output y = %1",
      "fuse");
  CHECK(to_string(m.graph().ops().front()->locations()) == "net.cpp:4, net.cpp:5");
}

TEST_CASE("fuse: scalar arithmetic is not repeated without end", "[passes][fuse]") {
  // Each value is read twice, so copying for every reader would double the ops at every step.
  std::string text = "input %x: f32[]\n %v0 = exp(%x) : f32[]\n";
  const int depth = 40;
  for (int i = 0; i < depth; ++i) {
    const std::string v = "%v" + std::to_string(i), w = "%w" + std::to_string(i);
    text += w + " = mul(" + v + ", " + v + ") : f32[]\n %v" + std::to_string(i + 1) + " = add(" + v + ", " + w + ") : f32[]\n";
  }
  const ir::Module m = compiled(text + "output y = %v" + std::to_string(depth), "fuse");
  size_t ops = 0;
  for (const auto& op : m.graph().ops()) ops += op->bodies().empty() ? 1 : op->body().ops().size();
  CHECK(ops < 200);
}
