// What is stored and what is computed again. On the generic target.

#include "weft/passes/recompute.h"

#include "weft/ir/op_def.h"
#include "weft/passes/pass.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

/// Results of nests, of a megabyte each in what follows.
int stored(const ir::Module& m) {
  int count = 0;
  for (const auto& op : m.graph().ops())
    if (op->is("fused"))
      for (ir::Value v : op->results()) count += v.type().bytes() >= 1 << 20;
  return count;
}

/// Before and after the pass; what it leaves is a program still.
std::pair<int, int> stored(const std::string& text) {
  ir::Module m = compiled(text, "fuse");
  const int before = stored(m);
  passes::run(m, {"recompute"}, passes::generic_target());
  INFO(text_of(m));
  const int after = stored(m);
  passes::run(m, {"launch", "partition", "schedule", "plan"}, passes::generic_target());
  return {before, after};
}

/// A product in front of the statements, which make %r of %p; and another between them and their gradient.
std::string with_gradient(const std::string& statements) {
  return "train {loss = \"loss\", inputs = [\"w\"], optimizer = \"sgd\"}\n"
         "input %x: f32[512,512]\n input %w: f32[512,512] parameter\n %p = matmul(%x, %w) : f32[512,512]\n" +
         statements +
         "%q = matmul(%r, %w) : f32[512,512]\n %m = mul(%q, %q) : f32[512,512]\n %l = sum(%m) {axes = [0,1]} : f32[]\n output loss = %l\n";
}

}  // namespace

const char* const gelu = R"(
    %half = constant() {value = f32[512,512] 0.5} : f32[512,512]
    %one = constant() {value = f32[512,512] 1.0} : f32[512,512]
    %c = constant() {value = f32[512,512] 0.044715} : f32[512,512]
    %s = constant() {value = f32[512,512] 0.7978846} : f32[512,512]
    %0 = mul(%p, %p) : f32[512,512]
    %1 = mul(%0, %p) : f32[512,512]
    %2 = mul(%1, %c) : f32[512,512]
    %3 = add(%p, %2) : f32[512,512]
    %4 = mul(%3, %s) : f32[512,512]
    %5 = tanh(%4) : f32[512,512]
    %6 = add(%5, %one) : f32[512,512]
    %7 = mul(%p, %half) : f32[512,512]
    %r = mul(%7, %6) : f32[512,512]
)";

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size())) text.replace(at, from.size(), to);
  return text;
}

TEST_CASE("recompute: of a GELU written out only its operand is kept", "[passes][recompute]") {
  const auto [before, after] = stored(with_gradient(gelu));
  CHECK(before > 6);
  CHECK(after == 4);  // what the next product reads, the gradients of both products, and the new weight
}

TEST_CASE("recompute: a view is computed where it is read, and nobody stores what it shows", "[passes][recompute]") {
  const std::string of_view = replaced(replaced(replaced(gelu, "%p", "%v"), "%r", "%u"), "[512,512]", "[4,128,512]");
  const auto [before, after] = stored(with_gradient("%v = reshape(%p) {shape = [4,128,512]} : f32[4,128,512]\n" + of_view +
                                                    "%r = reshape(%u) {shape = [512,512]} : f32[512,512]\n"));
  CHECK(before > 6);
  CHECK(after == 4);
}

TEST_CASE("recompute: a bool costs less than what it is made of, and a product is made once", "[passes][recompute]") {
  const auto [before, after] = stored(with_gradient(R"(
    %zero = constant() {value = f32[512,512] 0.0} : f32[512,512]
    %b = le(%p, %zero) : bool[512,512]
    %r = select(%b, %zero, %p) : f32[512,512]
)"));
  CHECK(before == after);
}

TEST_CASE("recompute: what takes longer to compute than to read is stored", "[passes][recompute]") {
  const auto readers_of = [](const std::string& value) {
    return "%n = neg(" + value + ") : f32[512,512]\n %q = matmul(%n, %x) : f32[512,512]\n %r = mul(%q, " + value +
           ") : f32[512,512]\n %s = matmul(%r, %x) : f32[512,512]\n %t = mul(%s, " + value + ") : f32[512,512]\n output t = %t\n";
  };
  const std::string product = "input %x: f32[512,512]\n %p = matmul(%x, %x) : f32[512,512]\n %a = abs(%p) : f32[512,512]\n",
                    functions = "%b = sin(%a) : f32[512,512]\n %c = exp(%b) : f32[512,512]\n %d = cos(%c) : f32[512,512]\n";
  for (const auto& [text, changes] :
       {std::pair(product + readers_of("%a"), true), std::pair(product + functions + readers_of("%d"), false)}) {
    ir::Module m = compiled(text, "fuse");
    CHECK(passes::run(m, {"recompute"}, passes::generic_target())[0].changed == changes);
  }
}

TEST_CASE("recompute: small values stay where they are", "[passes][recompute]") {
  const std::string text = R"(
    input %x: f32[64,64]
    input %w: f32[64,64]
    %0 = matmul(%x, %w) : f32[64,64]
    %1 = neg(%0) : f32[64,64]
    %2 = abs(%0) : f32[64,64]
    %3 = matmul(%1, %w) : f32[64,64]
    %4 = mul(%3, %2) : f32[64,64]
    %5 = matmul(%4, %w) : f32[64,64]
    %6 = mul(%5, %2) : f32[64,64]
    output y = %6)";
  ir::Module m = compiled(text, "fuse");
  const std::string before = text_of(m);
  CHECK(!passes::run(m, {"recompute"}, passes::generic_target())[0].changed);
  CHECK(passes::recompute(m, 0));
}

TEST_CASE("recompute: what has been replaced is not read again", "[passes][recompute]") {
  // %b's new value is made by a nest that must run before the second reader of exp(%b)'s product.
  const std::string text = R"(
    input %x: f32[512,512]
    input %b: f32[512,512] state
    %0 = exp(%x) : f32[512,512]
    %1 = add(%0, %b) : f32[512,512]
    %2 = matmul(%1, %x) : f32[512,512]
    %3 = abs(%1) : f32[512,512]
    %n = mul(%b, %2) : f32[512,512]
    %4 = matmul(%n, %x) : f32[512,512]
    %5 = mul(%4, %3) : f32[512,512]
    output y = %5
    output b = %n aliases %b)";
  ir::Module m = compiled(text, "fuse");
  passes::recompute(m, 0);
  INFO(text_of(m));
  const ir::Op& last = *m.graph().outputs()[0].value.op();
  for (ir::Value v : last.operands()) CHECK(v != m.graph().input(1));
  CHECK_NOTHROW(passes::run(m, {"launch", "partition", "schedule", "plan"}, passes::generic_target()));
}
