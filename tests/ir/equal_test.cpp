// Structural equality sees every difference that matters, and only those.

#include "weft/ir/equal.h"

#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/tests/catch.h"

using namespace weft;
using ir::Compare;

namespace {

const std::string base = R"(weft 1
module target = "cpu" stage = "fuse" arena = 64
train {loss = "y", inputs = ["w"], optimizer = "sgd", momentum = true, keep = ["w.grad"]}
func @f {
  input %x: f32[2,2] at "a.cpp":1
  input %w: f32[2,2] parameter
  %0 = add(%x, %w) : f32[2,2] @0 at "a.cpp":2 "fc"
  %1 = sub(%0, %x) : f32[2,2] at "a.cpp":3
  %2 = pad(%1) {low = [0,0], high = [0,0], value = 0.0} : f32[2,2]
  %3 = pad(%2) {low = [0,0], high = [0,0], value = nan} : f32[2,2]
  %4 = fused(%3) : f32[2,2] {
    input %z: f32[2,2]
    %0 = exp(%z) : f32[2,2] at "a.cpp":6
    output %0
  }
  %5 = constant() {value = f32[2] [0.0,1.0]} : f32[2]
  output y = %4 aliases %w at "a.cpp":9
  output c = %5
}
)";

/// `base` with one piece of text replaced; the piece must be there.
ir::Module with(const std::string& from, const std::string& to) {
  std::string text = base;
  const size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return ir::parse(text.replace(at, from.size(), to));
}

}  // namespace

TEST_CASE("equal texts give equal modules, and so do clones", "[equal]") {
  const ir::Module a = ir::parse(base);
  CHECK(ir::equal(a, ir::parse(base)));
  CHECK(ir::equal(a, a.clone()));
  CHECK(ir::equal(a.graph(), a.clone().graph()));
}

TEST_CASE("any difference in the computation makes modules unequal", "[equal]") {
  const std::vector<std::pair<std::string, std::string>> edits{
      {"target = \"cpu\"", "target = \"gpu\""},
      {"stage = \"fuse\"", "stage = \"plan\""},
      {"arena = 64", "arena = 65"},
      {" arena = 64", ""},
      {"loss = \"y\"", "loss = \"c\""},
      {"inputs = [\"w\"]", "inputs = []"},
      {"optimizer = \"sgd\"", "optimizer = \"adam\""},
      {"momentum = true", "momentum = false"},
      {"momentum = true", "nesterov = true"},
      {", momentum = true", ""},
      {", keep = [\"w.grad\"]", ""},
      {"parameter", "state"},
      {"%x: f32[2,2]", "%x: f32[2,2] @64"},
      {"%1 = sub(%0, %x)", "%1 = sub(%x, %0)"},
      {"%1 = sub(", "%1 = mul("},
      {"@0", "@64"},
      {"value = 0.0", "value = -0.0"},
      {"value = nan", "value = inf"},
      {"exp(%z)", "neg(%z)"},
      {"[0.0,1.0]", "[-0.0,1.0]"},
      {"output y = %4", "output y = %3"},
      {"output c = %5", "output d = %5"},
      {" aliases %w", ""},
      {" aliases %w", " aliases %x"},
      {"  output c = %5\n", ""},
      {"  output c = %5\n", "  output c = %5\n  output e = %5\n"},
      {"  input %w", "  input %v: f32[]\n  input %w"},
  };
  const ir::Module a = ir::parse(base);
  for (const auto& [from, to] : edits) {
    INFO(from << " -> " << to);
    const ir::Module b = with(from, to);
    CHECK_FALSE(ir::equal(a, b));
    CHECK_FALSE(ir::equal(b, a));
    CHECK_FALSE(ir::equal(a, b, Compare::ignore_locations));
  }
}

TEST_CASE("differences in lines can be ignored", "[equal]") {
  const std::vector<std::pair<std::string, std::string>> edits{
      {"at \"a.cpp\":1", "at \"a.cpp\":2"},
      {" at \"a.cpp\":1", ""},
      {"\"fc\"", "\"fc1\""},
      {"\"a.cpp\":3", "\"a.cpp\":3, \"a.cpp\":4"},
      {"\"a.cpp\":6", "\"b.cpp\":6"},
      {"\"a.cpp\":9", "\"a.cpp\":8"},
      {"@f", "@g"},
  };
  const ir::Module a = ir::parse(base);
  for (const auto& [from, to] : edits) {
    INFO(from << " -> " << to);
    const ir::Module b = with(from, to);
    CHECK_FALSE(ir::equal(a, b));
    CHECK(ir::equal(a, b, Compare::ignore_locations));
  }
}

TEST_CASE("the same computation on other operands is the same computation", "[equal]") {
  const ir::Module module = ir::parse(R"(weft 1
func @f {
  input %x: f32[2]
  input %y: f32[2]
  %0 = add(%x, %y) : f32[2] at "a.cpp":1
  %1 = add(%y, %x) : f32[2]
  %2 = sub(%x, %y) : f32[2]
  %3 = softmax(%x) {axis = 0} : f32[2]
  %4 = pad(%x) {low = [0], high = [1]} : f32[3]
  %5 = pad(%x) {low = [1], high = [0]} : f32[3]
  %6 = fused(%x) : f32[2] {
    input %z: f32[2]
    %0 = exp(%z) : f32[2] at "a.cpp":1
    output %0
  }
  %7 = fused(%y) : f32[2] {
    input %z: f32[2]
    %0 = exp(%z) : f32[2]
    output %0
  }
  %8 = fused(%y) : f32[2] {
    input %z: f32[2]
    %0 = neg(%z) : f32[2]
    output %0
  }
  output %0
}
)");
  const std::vector<ir::Op*> ops = module.graph().op_list();
  const auto same = [&](size_t a, size_t b) {
    const bool result = ir::same_computation(*ops[a], *ops[b]);
    if (result) CHECK(ir::computation_hash(*ops[a]) == ir::computation_hash(*ops[b]));
    return result;
  };
  CHECK(same(0, 1));
  CHECK_FALSE(same(0, 2));
  CHECK_FALSE(same(2, 3));
  CHECK_FALSE(same(4, 5));
  CHECK(same(6, 7));
  CHECK_FALSE(same(6, 8));
}

TEST_CASE("attributes compare bit for bit", "[equal]") {
  const auto real = [](double x) { return ir::Attribute(x); };
  CHECK(ir::equal(real(std::numeric_limits<double>::quiet_NaN()), real(std::numeric_limits<double>::quiet_NaN())));
  CHECK_FALSE(ir::equal(real(0.0), real(-0.0)));
  CHECK_FALSE(ir::equal(real(1.0), ir::Attribute(int64_t{1})));
  const ir::Dense splat = ir::Dense::splat({f32, {4}}, 2);
  CHECK(ir::equal(splat, ir::Dense({f32, {2, 2}}, std::vector<std::byte>(16)).reshaped({4})) == false);
  CHECK(ir::equal(splat, ir::Dense::splat({f32, {2, 2}}, 2).reshaped({4})));
  CHECK(ir::hash_of(splat) == ir::hash_of(ir::Dense::splat({f32, {2, 2}}, 2).reshaped({4})));
}
