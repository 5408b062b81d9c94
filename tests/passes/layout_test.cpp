#include "weft/passes/layout.h"
#include "weft/passes/analysis/relayout.h"

#include "weft/ir/layout.h"
#include "weft/tests/catch.h"
#include "weft/tests/passes/blocking.h"
#include "weft/tests/passes/rewrite.h"

using namespace weft;
using namespace weft::testing;

namespace {

/// Sums over the batch in two parts.
class BlockingInParts final : public Blocking {
 public:
  int64_t parts(const ir::Op&) const override { return 2; }
};

const BlockingInParts blocking;

/// Wants convolutions' channels last.
class ChannelsLast final : public passes::Target {
 public:
  std::string_view name() const override { return "channels last"; }
  bool claims(const ir::Op&) const override { return true; }
  bool accepts_epilogue(const ir::Op&, const ir::Graph&) const override { return false; }
  ir::NamedAttributes layouts(const ir::Op&) const override { return {{"x_layout", std::string("acb")}, {"y_layout", std::string("acb")}}; }
};

const ChannelsLast channels_last;

}  // namespace

TEST_CASE("layout: between convolutions nothing is reordered", "[passes][layout]") {
  check_becomes("layout", R"(
    input %x: f32[3,4,9]
    input %b: f32[6]
    input %w: f32[6,4,2]
    input %v: f32[4,6,2]
    %0 = convolution(%x, %w) : f32[3,6,8]
    %1 = reshape(%b) {shape = [6,1]} : f32[6,1]
    %2 = broadcast(%1) {shape = [3,6,8]} : f32[3,6,8]
    %3 = add(%0, %2) : f32[3,6,8]
    %4 = relu(%3) : f32[3,6,8]
    %5 = convolution(%4, %v) : f32[3,4,7]
    output y = %5)",
                R"(
    input %x: f32[3,4,9]
    input %b: f32[6]
    input %w: f32[6,4,2]
    input %v: f32[4,6,2]
    %0 = reshape(%x) {shape = [3,2,2,9]} : f32[3,2,2,9]
    %1 = transpose(%0) {permutation = [0,1,3,2]} : f32[3,2,9,2]
    %2 = reshape(%w) {shape = [3,2,2,2,2]} : f32[3,2,2,2,2]
    %3 = transpose(%2) {permutation = [0,2,4,3,1]} : f32[3,2,2,2,2]
    %4 = convolution(%1, %3) {x_layout = "aBc2b", w_layout = "ABc2b2a", y_layout = "aBc2b"} : f32[3,3,8,2]
    %5 = reshape(%b) {shape = [6,1]} : f32[6,1]
    %6 = reshape(%5) {shape = [1,3,2,1]} : f32[1,3,2,1]
    %7 = reshape(%6) {shape = [1,3,1,2]} : f32[1,3,1,2]
    %8 = broadcast(%7) {shape = [3,3,8,2]} : f32[3,3,8,2]
    %9 = add(%4, %8) : f32[3,3,8,2]
    %10 = relu(%9) : f32[3,3,8,2]
    %11 = reshape(%v) {shape = [2,2,3,2,2]} : f32[2,2,3,2,2]
    %12 = transpose(%11) {permutation = [0,2,4,3,1]} : f32[2,3,2,2,2]
    %13 = convolution(%10, %12) {x_layout = "aBc2b", w_layout = "ABc2b2a", y_layout = "aBc2b"} : f32[3,2,7,2]
    %14 = transpose(%13) {permutation = [0,1,3,2]} : f32[3,2,2,7]
    %15 = reshape(%14) {shape = [3,4,7]} : f32[3,4,7]
    output y = %15)",
                blocking);
}

TEST_CASE("layout: reductions, windows and reshapes follow where the axes lie", "[passes][layout]") {
  check_becomes("layout", R"(
    input %x: f32[2,4,8]
    input %w: f32[4,4,1]
    %0 = convolution(%x, %w) : f32[2,4,8]
    %1 = windows(%0) {axes = [2], extents = [2], stride = [2]} : f32[2,4,4,2]
    %2 = max(%1) {axes = [3]} : f32[2,4,4]
    %3 = reshape(%2) {shape = [2,4,2,2]} : f32[2,4,2,2]
    %4 = sum(%3) {axes = [0,2,3]} : f32[4]
    output y = %4)",
                R"(
    input %x: f32[2,4,8]
    input %w: f32[4,4,1]
    %0 = reshape(%x) {shape = [2,2,2,8]} : f32[2,2,2,8]
    %1 = transpose(%0) {permutation = [0,1,3,2]} : f32[2,2,8,2]
    %2 = reshape(%w) {shape = [2,2,2,2,1]} : f32[2,2,2,2,1]
    %3 = transpose(%2) {permutation = [0,2,4,3,1]} : f32[2,2,1,2,2]
    %4 = convolution(%1, %3) {x_layout = "aBc2b", w_layout = "ABc2b2a", y_layout = "aBc2b"} : f32[2,2,8,2]
    %5 = windows(%4) {axes = [2], extents = [2], stride = [2], dilation = [1], low = [0], high = [0]} : f32[2,2,4,2,2]
    %6 = max(%5) {axes = [3]} : f32[2,2,4,2]
    %7 = reshape(%6) {shape = [2,2,2,2,2]} : f32[2,2,2,2,2]
    %8 = sum(%7) {axes = [0,2,3]} : f32[2,2]
    %9 = reshape(%8) {shape = [4]} : f32[4]
    output y = %9)",
                blocking);
}

TEST_CASE("layout: a reduction goes over the places where its axes lie", "[passes][layout]") {
  check_becomes("layout", R"(
    input %x: f32[3,4,9]
    input %w: f32[6,4,2]
    %0 = convolution(%x, %w) : f32[3,6,8]
    %1 = sum(%0) {axes = [1]} : f32[3,8]
    %2 = max(%0) {axes = [2], keep_dims = true} : f32[3,6,1]
    output y = %1
    output z = %2)",
                R"(
    input %x: f32[3,4,9]
    input %w: f32[6,4,2]
    %0 = transpose(%x) {permutation = [0,2,1]} : f32[3,9,4]
    %1 = convolution(%0, %w) {x_layout = "acb", y_layout = "acb"} : f32[3,8,6]
    %2 = sum(%1) {axes = [2]} : f32[3,8]
    %3 = max(%1) {axes = [1], keep_dims = true} : f32[3,1,6]
    %4 = transpose(%3) {permutation = [0,2,1]} : f32[3,6,1]
    output y = %2
    output z = %4)",
                channels_last);
}

TEST_CASE("layout: what reads an input of the graph stays row-major", "[passes][layout]") {
  const ir::Module m = run_passes("layout", R"(
    input %x: f32[2,4,8]
    input %w: f32[4,4,1]
    input %s: f32[2,4,8] state
    %0 = convolution(%x, %w) : f32[2,4,8]
    %1 = add(%s, %0) : f32[2,4,8]
    output s = %1 aliases %s)",
                                  blocking);
  const std::string text = text_of(m);
  CHECK_THAT(text, contains_text("add(%s, "));
  CHECK_THAT(text, contains_text(": f32[2,4,8]\n  output s = "));
}

TEST_CASE("layout: asked again, it changes nothing", "[passes][layout]") {
  ir::Module m = run_passes("layout", R"(
    input %x: f32[2,4,8]
    input %w: f32[4,4,1]
    %0 = convolution(%x, %w) : f32[2,4,8]
    output y = %0)",
                            blocking);
  CHECK_FALSE(passes::layout(m, blocking));
}

TEST_CASE("layout: a reshape follows where its axes lie side by side", "[passes][layout]") {
  const auto relaid = [](Shape from, Shape to, const char* text) {
    const auto r = passes::reshaped(from, to, Layout::parse(text, from.rank()));
    return r ? r->layout.text() + " " + to_string(r->physical) : std::string("no");
  };
  CHECK(relaid({2, 8, 4, 6}, {2, 8, 24}, "aBcd8b") == "aBc8b [2,1,24,8]");
  CHECK(relaid({2, 8, 4, 6}, {2, 8, 2, 2, 6}, "acdb") == "acdeb [2,2,2,6,8]");
  CHECK(relaid({2, 8, 4, 6}, {16, 4, 6}, "aBcd8b") == "no");  // the channels are in blocks
  CHECK(relaid({2, 8, 4, 6}, {2, 8, 24}, "adcb") == "no");    // rows and columns lie the other way round
  CHECK(relaid({2, 8, 1, 1}, {2, 8}, "aBcd4b") == "aB4b [2,2,4]");
  CHECK(relaid({2, 8, 3}, {2, 8, 1, 3, 1}, "acb") == "adebc [2,3,1,8,1]");
}

TEST_CASE("parts: a sum inside a call is cut, and its parts are summed behind the transpose that reads them", "[passes][parts]") {
  check_becomes("parts", R"(
    input %x: f32[4,3,9]
    input %y: f32[4,2,8]
    %0 = convolution_weight(%x, %y) {extents = [2]} : f32[2,3,2]
    %1 = transpose(%0) {permutation = [2,0,1]} : f32[2,2,3]
    output w = %1)",
                R"(
    input %x: f32[4,3,9]
    input %y: f32[4,2,8]
    %0 = convolution_weight(%x, %y) {extents = [2], parts = 2} : f32[2,2,3,2]
    %1 = transpose(%0) {permutation = [0,3,1,2]} : f32[2,2,2,3]
    %2 = sum(%1) {axes = [0]} : f32[2,2,3]
    output w = %2)",
                blocking);
}
