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

std::vector<std::string> remarks(const std::string& text) {
  ir::Module m = compiled(text, "epilogue");
  passes::Remarks all;
  passes::fuse(m, passes::generic_target(), &all);
  std::vector<std::string> texts;
  for (const passes::Remark& remark : all.all()) texts.push_back(to_string(remark));
  return texts;
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

TEST_CASE("fuse: a remark says why there is a boundary, what it costs and where it would not be", "[passes][fuse]") {
  const auto all = remarks(R"(
    input %x: f32[64,32]
    %0 = sum(%x) {axes = [1]} : f32[64]
    %1 = exp(%0) : f32[64]
    %2 = sum(%1) {axes = [0]} : f32[]
    output y = %2)");
  REQUIRE(all.size() == 1);
  CHECK(all[0] ==
        "not fused: exp f32[64] (test:6) -> sum f32[] (test:7): a result f32[] does not fit the loops [64,32]; "
        "costs 512 bytes, unless it has all of these axes, or those that the reductions leave");
  CHECK(remarks("input %x: f32[64]\n %0 = exp(%x) : f32[64]\n %1 = neg(%0) : f32[64]\n output y = %1").empty());
}

TEST_CASE("fuse: remarks cover readers of one value, and calls, with their lines, the dearest first", "[passes][fuse]") {
  const auto all = remarks(R"(
    input %x: f32[64,32]
    input %w: f32[32,8]
    %0 = matmul(%x, %w) : f32[64,8] at "net.cpp":3
    %1 = exp(%0) : f32[64,8] at "net.cpp":4
    %2 = sum(%x) {axes = [0]} : f32[32] at "net.cpp":5
    %3 = sum(%x) {axes = [1]} : f32[64] at "net.cpp":6
    output a = %1
    output b = %2
    output c = %3)");
  REQUIRE(all.size() == 2);
  CHECK_THAT(all[0],
             contains_text("not fused: sum f32[32] (net.cpp:5) beside sum f32[64] (net.cpp:6): ") &&
                 contains_text("a result f32[64] does not fit the loops [64,32]; costs 8192 bytes, unless it has all of these axes"));
  CHECK(all[1] ==
        "not fused: matmul f32[64,8] (net.cpp:3) -> exp f32[64,8] (net.cpp:4): matmul is a call of the target's own; costs 4096 bytes, "
        "unless the target's call takes exp along");
}

TEST_CASE("fuse: a remark on a call says why that takes nothing along", "[passes][fuse]") {
  const std::string head = "input %x: f32[64,32]\n input %w: f32[32,8]\n input %v: f32[64,8]\n %0 = matmul(%x, %w) : f32[64,8]\n ";
  const std::pair<const char*, const char*> cases[] = {
      {"%1 = sum(%0) {axes = [0]} : f32[8]\n output y = %1", ", which takes only elementwise ops along, and sum is none; costs 4096 bytes"},
      {"%1 = cast(%0) {dtype = f64} : f64[64,8]\n output y = %1", " that gives f32[64,8], and cast gives another type; costs 4096 bytes"},
      {"%1 = exp(%0) : f32[64,8]\n output y = %1\n output z = %0",
       ", and its result is read elsewhere too; costs 2048 bytes, unless exp alone"},
      {"%1 = mul(%0, %v) : f32[64,8]\n output y = %1", ", and mul reads another value as large; costs 4096 bytes"},
      {"%1 = reshape(%0) {shape = [512]} : f32[512]\n %2 = exp(%1) : f32[512]\n output y = %2",
       ", and reshape lies behind it; costs 4096"}};
  for (const auto& [rest, why] : cases) {
    const auto all = remarks(head + rest);
    INFO(rest);
    REQUIRE(all.size() == 1);
    CHECK_THAT(all[0], contains_text(std::string(": matmul is a call of the target's own") + why));
  }
}

TEST_CASE("fuse: what must run between two is named, not the view before it", "[passes][fuse]") {
  const auto all = remarks(R"(
    input %x: f32[8,8]
    input %w: f32[16,16]
    %0 = exp(%x) : f32[8,8]
    %1 = reshape(%0) {shape = [4,16]} : f32[4,16]
    %2 = matmul(%1, %w) : f32[4,16]
    %3 = reshape(%2) {shape = [8,8]} : f32[8,8]
    %4 = add(%0, %3) : f32[8,8]
    output y = %4)");
  const auto between =
      std::find_if(all.begin(), all.end(), [](const std::string& r) { return r.find("between them") != std::string::npos; });
  REQUIRE(between != all.end());
  CHECK_THAT(*between, contains_text("another op must run between them: matmul f32[4,16] (test:8)"));
}

TEST_CASE("fuse: two that look the same in a remark have their names", "[passes][fuse]") {
  const auto all = remarks(R"(
    input %x: f32[8,8]
    %0 = sum(%x) {axes = [0]} : f32[8] at "net.cpp":5
    %1 = sum(%x) {axes = [1]} : f32[8] at "net.cpp":5
    output a = %0
    output b = %1)");
  REQUIRE(all.size() == 1);
  CHECK_THAT(all[0], contains_text("not fused: %a = sum f32[8] (net.cpp:5) beside %b = sum f32[8] (net.cpp:5): "));
}

TEST_CASE("fuse: nothing would remove the boundary between two calls, though there be a view between them", "[passes][fuse]") {
  const auto all = remarks(R"(
    input %x: f32[6,4]
    input %w: f32[4,4]
    input %v: f32[3,5]
    %0 = matmul(%x, %w) : f32[6,4]
    %1 = reshape(%0) {shape = [8,3]} : f32[8,3]
    %2 = matmul(%1, %v) : f32[8,5]
    output y = %2)");
  REQUIRE(all.size() == 1);
  CHECK(all[0] == "not fused: matmul f32[6,4] (test:7) -> matmul f32[8,5] (test:9): matmul is a call of the target's own; costs 192 bytes");
}

TEST_CASE("fuse: two kernels have one boundary, however many values cross it", "[passes][fuse]") {
  const auto all = remarks(R"(
    input %x: f32[64,32]
    input %w: f32[32,32]
    %0 = exp(%x) : f32[64,32]
    %1 = sin(%x) : f32[64,32]
    %2 = matmul(%0, %w) : f32[64,32]
    %3 = add(%0, %1) : f32[64,32]
    %4 = add(%2, %3) : f32[64,32]
    %5 = matmul(%0, %1) {transpose_b = true} : f32[64,64]
    output a = %4
    output b = %5
    output c = %1)");
  const auto to_product =
      std::count_if(all.begin(), all.end(), [](const std::string& r) { return r.find("-> matmul f32[64,64]") != std::string::npos; });
  CHECK(to_product == 1);
  const auto both =
      std::find_if(all.begin(), all.end(), [](const std::string& r) { return r.find("-> matmul f32[64,64]") != std::string::npos; });
  CHECK_THAT(*both, contains_text("; costs 16384 bytes"));  // both are read by others, too
}

TEST_CASE("fuse: what two kernels beside each other read counts once, however often they read it", "[passes][fuse]") {
  const auto all = remarks(R"(
    input %x: f32[64,32]
    %0 = sum(%x) {axes = [1]} : f32[64]
    %1 = sum(%x) {axes = [0]} : f32[32]
    %2 = max(%x) {axes = [1]} : f32[64]
    %3 = add(%0, %2) : f32[64]
    output a = %1
    output b = %3)");
  REQUIRE(all.size() == 1);
  CHECK_THAT(all[0], contains_text(" beside ") && contains_text("; costs 8192 bytes"));
}

TEST_CASE("fuse: where the reason of a remark is gone, there is no boundary", "[passes][fuse]") {
  struct Case {
    std::string why, program, apart, together;  // what stands in the place of $
  };
  std::string chain;
  for (int i = 1; i < 260; ++i) chain += fmt::format("%v{} = sin(%v{}) : f32[8]\n", i, i - 1);
  const std::vector<Case> cases = {
      {"a result f32[4] does not fit the loops [8,4]; costs 128 bytes, unless it has all of these axes",
       "input %x: f32[8,4]\n %s = sum(%x) {axes = [0,1]} : f32[]\n %e = exp(%x) : f32[8,4]\n $ output a = %s\n output b = %t",
       "%t = sum(%e) {axes = [0]} : f32[4]\n", "%t = sum(%e) {axes = [0,1]} : f32[]\n"},
      {"another op must run between them: matmul f32[8,8] (test:6); costs 256 bytes, unless matmul reads neither",
       "input %x: f32[8,8]\n input %w: f32[8,8]\n %e = exp(%x) : f32[8,8]\n $ %y = add(%e, %m) : f32[8,8]\n output y = %y",
       "%m = matmul(%e, %w) : f32[8,8]\n", "%m = matmul(%x, %w) : f32[8,8]\n"},
      {"the nest would have too many ops; costs 64 bytes, unless both have fewer than 200 in all",
       "input %x: f32[8]\n %v0 = sin(%x) : f32[8]\n" + chain.substr(0, chain.find("%v100 =")) + "$",
       chain.substr(chain.find("%v100 =")) + "output y = %v259", "output y = %v99"},
      {"exp would be computed twice, at two places; costs 512 bytes, unless all that reads it reads the same elements",
       "input %x: f32[8,8]\n %e = exp(%x) : f32[8,8]\n $ %y = add(%e, %t) : f32[8,8]\n output y = %y",
       "%t = transpose(%e) {permutation = [1,0]} : f32[8,8]\n", "%t = neg(%e) : f32[8,8]\n"},
      {"philox is too dear to be computed again for every outer iteration; costs 64 bytes, unless it is computed behind what repeats",
       "input %i: i64[8]\n input %z: i32[64,8]\n $ %y = add(%b, %z) : i32[64,8]\n output y = %y",
       "%p = philox(%i, %i, %i) {site = 1} : i32[8]\n %b = broadcast(%p) {shape = [64,8]} : i32[64,8]\n",
       "%e = broadcast(%i) {shape = [64,8]} : i64[64,8]\n %b = philox(%e, %e, %e) {site = 1} : i32[64,8]\n"},
      {"reshape is no loop over its elements; costs 192 bytes, unless it keeps or splits whole axes",
       "input %x: f32[6,4]\n %e = exp(%x) : f32[6,4]\n $ output y = %y",
       "%r = reshape(%e) {shape = [8,3]} : f32[8,3]\n %y = sum(%r) {axes = [1]} : f32[8]\n",
       "%r = reshape(%e) {shape = [6,2,2]} : f32[6,2,2]\n %y = sum(%r) {axes = [2]} : f32[6,2]\n"},
      {"sum is read at another place than it is computed",
       "input %x: f32[8,8]\n %s = sum(%x) {axes = [1], keep_dims = true} : f32[8,1]\n $ %y = sub(%x, %b) : f32[8,8]\n output y = %y",
       "%t = transpose(%s) {permutation = [1,0]} : f32[1,8]\n %b = broadcast(%t) {shape = [8,8]} : f32[8,8]\n",
       "%b = broadcast(%s) {shape = [8,8]} : f32[8,8]\n"},
      {"the old value is read at other elements than the one replaced",
       "input %a: f32[8,8] state\n $ %n = neg(%t) : f32[8,8]\n %e = exp(%a) : f32[8,8]\n output y = %n\n output a = %e aliases %a",
       "%t = transpose(%a) {permutation = [1,0]} : f32[8,8]\n", "%t = sin(%a) : f32[8,8]\n"},
  };
  for (const Case& c : cases) {
    const auto with = [&](const std::string& part) {
      std::string text = c.program;
      return remarks(text.replace(text.find('$'), 1, part));
    };
    const std::vector<std::string> apart = with(c.apart);
    INFO(c.why << "\n" << fmt::format("{}", fmt::join(apart, "\n")));
    CHECK(std::any_of(apart.begin(), apart.end(), [&](const std::string& r) { return r.find(c.why) != std::string::npos; }));
    const std::vector<std::string> together = with(c.together);
    INFO(fmt::format("{}", fmt::join(together, "\n")));
    CHECK(std::none_of(together.begin(), together.end(), [&](const std::string& r) {
      return r.find("is a call of the target's own") == std::string::npos;  // that has nothing to do with it
    }));
  }
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
