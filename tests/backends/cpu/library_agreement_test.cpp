// Convolutions and products that a library may run, against the reference, whatever implementation it takes.

#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

std::string function(const std::string& lines) { return "weft 1\nfunc @f {\n" + lines + "}\n"; }

}  // namespace

TEST_CASE("a convolution to few channels, which may be computed the other way round, agrees with the reference") {
  for (const std::string channels : {"8", "16", "48"}) {
    const std::string w = "[" + channels + ",8,3,3]", y = "[2," + channels + ",34,33]";
    const std::string text = function("  input %x: f32[2,8,34,34]\n  input %w: f32" + w +
                                      "\n  %0 = convolution(%x, %w) {low = [1,0], high = [1,1]} : f32" + y + "\n  output y = %0\n");
    const auto inputs = test::sample_inputs(text);
    const auto got = test::run_cpu(text, inputs, {{.threads = 2, .share_all = true}, {}});
    CHECK(test::relative_difference(got.values[0], test::run_reference(text, inputs).values[0]) < 2e-6);
    CHECK(test::same_bits(got, test::run_cpu(text, inputs, {{.threads = 1}, {}})));
  }
}

TEST_CASE("library: convolutions of few channels and of extents of 1 agree with the reference, in all three passes", "[library]") {
  struct Case {
    const char *x, *w, *y, *geometry, *kernel, *extents;
  };
  for (const Case& c : {Case{"[3,1,12,12]", "[16,1,3,3]", "[3,16,12,12]", "low = [1,1], high = [1,1]", "[3,3]", "[12,12]"},
                        {"[3,1,12]", "[32,1,5]", "[3,32,4]", "stride = [2]", "[5]", "[12]"},
                        {"[2,1,5,6,7]", "[16,1,1,3,2]", "[2,16,5,4,6]", "stride = [1,1,1]", "[1,3,2]", "[5,6,7]"},
                        {"[2,3,14,14]", "[1,3,7,7]", "[2,1,14,14]", "low = [3,3], high = [3,3]", "[7,7]", "[14,14]"},
                        {"[2,16,1,1]", "[16,16,1,1]", "[2,16,1,1]", "groups = 1", "[1,1]", "[1,1]"},
                        {"[1,1,1,9]", "[1,1,1,3]", "[1,1,1,9]", "low = [0,1], high = [0,1]", "[1,3]", "[1,9]"},
                        {"[2,16,6,6]", "[16,1,3,3]", "[2,16,6,6]", "groups = 16, low = [1,1], high = [1,1]", "[3,3]", "[6,6]"},
                        {"[1,1,28,1]", "[1,1,7,5]", "[1,1,10,13]", "stride = [3,1], low = [3,8], high = [3,8]", "[7,5]", "[28,1]"}}) {
    const std::string x = std::string("f32") + c.x, w = std::string("f32") + c.w, y = std::string("f32") + c.y, geometry = c.geometry;
    const std::string text = function("  input %x: " + x + "\n  input %w: " + w + "\n  input %g: " + y + "\n  %0 = convolution(%x, %w) {" +
                                      geometry + "} : " + y + "\n  %1 = convolution_data(%g, %w) {extents = " + c.extents + ", " +
                                      geometry + "} : " + x + "\n  %2 = convolution_weight(%x, %g) {extents = " + c.kernel + ", " +
                                      geometry + "} : " + w + "\n  output y = %0\n  output x_gradient = %1\n  output w_gradient = %2\n");
    INFO(text);
    const auto inputs = test::sample_inputs(text);
    const auto got = test::run_cpu(text, inputs), want = test::run_reference(text, inputs);
    for (size_t i = 0; i < want.values.size(); ++i) CHECK(test::relative_difference(got.values[i], want.values[i]) < 4e-6);
  }
}

TEST_CASE("library: a weight gradient that is in parts already agrees with the reference, however the library wants weights to lie",
          "[library]") {
  for (const char* channels : {"4", "16", "32"})
    for (const char* parts : {"2", "3"}) {
      const std::string c = channels, x = "f32[3," + c + ",8,8]";
      const std::string text =
          function("  input %x: " + x + "\n  input %g: " + x +
                   "\n  %0 = convolution_weight(%x, %g) {extents = [3,3], low = [1,1], high = [1,1], parts = " + parts + "} : f32[" +
                   parts + "," + c + "," + c + ",3,3]\n  output w_gradient = %0\n");
      INFO(text);
      const auto inputs = test::sample_inputs(text);
      CHECK(test::relative_difference(test::run_cpu(text, inputs).values[0], test::run_reference(text, inputs).values[0]) < 4e-6);
    }
}

TEST_CASE("library: a weight with its channels last, grouped and depthwise, agrees with the reference", "[library]") {
  struct Case {
    const char *w, *groups;
  };
  for (const Case& c : {Case{"[3,3,4,4]", "1"}, {"[3,3,2,4]", "2"}, {"[3,3,1,4]", "4"}}) {
    const std::string w = std::string("f32") + c.w,
                      layouts = std::string("groups = ") + c.groups + R"(, x_layout = "acdb", w_layout = "cdba", y_layout = "acdb"})";
    const std::string text =
        function("  input %x: f32[2,6,7,4]\n  input %w: " + w + "\n  input %g: f32[2,4,5,4]\n  %0 = convolution(%x, %w) {" + layouts +
                 " : f32[2,4,5,4]\n  %1 = convolution_data(%g, %w) {extents = [6,7], " + layouts +
                 " : f32[2,6,7,4]\n  %2 = convolution_weight(%x, %g) {extents = [3,3], " + layouts + " : " + w +
                 "\n  output y = %0\n  output x_gradient = %1\n  output w_gradient = %2\n");
    INFO(text);
    const auto inputs = test::sample_inputs(text);
    const auto got = test::run_cpu(text, inputs), want = test::run_reference(text, inputs);
    for (size_t i = 0; i < want.values.size(); ++i) CHECK(test::relative_difference(got.values[i], want.values[i]) < 4e-6);
  }
}

TEST_CASE("library: products and convolutions of bf16 agree with the reference where no library runs them", "[library]") {
  const std::string text = function(R"(
  input %a: bf16[9,33]
  input %b: bf16[17,33]
  input %x: bf16[2,3,8,8]
  input %w: bf16[5,3,3,3]
  %0 = matmul(%a, %b) {transpose_b = true} : bf16[9,17]
  %1 = convolution(%x, %w) {low = [1,1], high = [1,1]} : bf16[2,5,8,8]
  output p = %0
  output y = %1
)");
  const auto inputs = test::sample_inputs(text);
  const auto got = test::run_cpu(text, inputs), want = test::run_reference(text, inputs);
  for (size_t i = 0; i < want.values.size(); ++i) CHECK(test::relative_difference(got.values[i], want.values[i]) < 0x1p-8);
}

TEST_CASE("library: of taps that lie far apart, whichever meets the operand agrees with the reference, in all three passes", "[library]") {
  for (const char* geometry :
       {"low = [0], high = [1000000000]", "low = [500000000], high = [500000000]", "low = [1000000000], high = [0]"}) {
    const std::string far = std::string("dilation = [500000000], ") + geometry;
    const std::string text =
        function("  input %x: f32[2,3,6]\n  input %w: f32[4,3,3]\n  input %g: f32[2,4,6]\n  %0 = convolution(%x, %w) {" + far +
                 "} : f32[2,4,6]\n  %1 = convolution_data(%g, %w) {extents = [6], " + far +
                 "} : f32[2,3,6]\n  %2 = convolution_weight(%x, %g) {extents = [3], " + far +
                 "} : f32[4,3,3]\n  output y = %0\n  output x_gradient = %1\n  output w_gradient = %2\n");
    INFO(text);
    const auto inputs = test::sample_inputs(text);
    const auto got = test::run_cpu(text, inputs), want = test::run_reference(text, inputs);
    for (size_t i = 0; i < want.values.size(); ++i) CHECK(test::relative_difference(got.values[i], want.values[i]) < 4e-6);
  }
}
