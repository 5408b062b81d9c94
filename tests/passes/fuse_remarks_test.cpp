// What fusion says about its boundaries: the one reason that decides, what it costs and what would remove it.

#include "weft/passes/fuse.h"
#include "weft/passes/pass.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

std::vector<std::string> remarks(const std::string& text) {
  ir::Module m = compiled(text, "epilogue");
  passes::Remarks all;
  passes::fuse(m, passes::generic_target(), &all);
  std::vector<std::string> texts;
  for (const passes::Remark& remark : all.all()) texts.push_back(to_string(remark));
  return texts;
}

}  // namespace

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
