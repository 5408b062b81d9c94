// Convolutions between transforms of tiles, beside sums in double.

#include <limits>

#include "weft/backends/cpu/exec/isa.h"
#include "weft/ir/op_def.h"
#include "weft/ir/parser.h"
#include "weft/passes/pass.h"
#include "weft/support/convolution.h"
#include "weft/tests/backends/cpu/run.h"
#include "weft/tests/catch.h"

using namespace weft;

namespace {

/// A convolution with a kernel of 3 x 3.
struct Case {
  int64_t samples, inputs, outputs;
  Dims extents, low, high;

  Shape x() const { return {samples, inputs, extents[0], extents[1]}; }
  Shape w() const { return {outputs, inputs, 3, 3}; }
  Shape y() const { return {samples, outputs, extents[0] + low[0] + high[0] - 2, extents[1] + low[1] + high[1] - 2}; }
};

/// How it is cut and how its images lie.
struct Planned {
  std::string x_layout, y_layout;
  int64_t slices = 1;
};

std::string type_of(const Shape& shape) { return "f32" + to_string(shape); }

/// All three passes, by Winograd's transforms if they are planned so.
std::string text_of(const Case& c, const Planned* planned = nullptr) {
  const std::string padding = fmt::format("low = {}, high = {}", to_string(Shape(c.low)), to_string(Shape(c.high)));
  Shape x = c.x(), y = c.y(), w_gradient = c.w();
  std::string image, weight;
  if (planned) {
    x = Layout::parse(planned->x_layout, 4).physical(x), y = Layout::parse(planned->y_layout, 4).physical(y);
    const std::string layouts =
        fmt::format(", x_layout = \"{}\", y_layout = \"{}\", algorithm = \"winograd\"", planned->x_layout, planned->y_layout);
    image = fmt::format("{}, slices = {}", layouts, planned->slices), weight = fmt::format("{}, parts = {}", layouts, planned->slices);
    Dims parts = w_gradient.dims();
    if (planned->slices > 1) parts.insert(parts.begin(), planned->slices);
    w_gradient = Shape(parts);
  }
  return fmt::format(R"(weft 1
func @f {{
  input %x: {0}
  input %w: {1}
  input %g: {2}
  %0 = convolution(%x, %w) {{{3}{4}}} : {2}
  %1 = convolution_data(%g, %w) {{extents = {5}, {3}{4}}} : {0}
  %2 = convolution_weight(%x, %g) {{extents = [3,3], {3}{6}}} : {7}
  output y = %0
  output x_gradient = %1
  output w_gradient = %2
}}
)",
                     type_of(x), type_of(c.w()), type_of(y), padding, image, to_string(Shape(c.extents)), weight, type_of(w_gradient));
}

void check_as_reference(const std::string& text) {
  INFO(text);
  const auto inputs = test::sample_inputs(text);
  const test::Outputs got = test::run_cpu(text, inputs, {{.threads = 2, .share_all = true}, {}}), want = test::run_reference(text, inputs);
  for (size_t i = 0; i < want.values.size(); ++i) {
    INFO(want.names[i]);
    CHECK(test::relative_difference(got.values[i], want.values[i]) < 3e-6);
  }
  CHECK(test::same_bits(got, test::run_cpu(text, inputs, {{.threads = 1}, {}})));
}

/// The planned text's convolutions that the passes give to Winograd's transforms.
int by_winograd(const std::string& text, const cpu::Options& options = {}) {
  ir::Module module = ir::parse(text);
  passes::run(module, passes::pipeline("compile"), cpu::target(options));
  int count = 0;
  for (const ir::Op* op : module.graph().ops())
    if (op->def().attribute_index("algorithm") >= 0 && op->attribute<std::string>("algorithm") == "winograd") {
      ++count;
      CHECK(cpu::target(options).implementation(*op).name == "weft:winograd");
    }
  return count;
}

}  // namespace

TEST_CASE("cpu: tiles at all edges, whatever the padding, agree with the sums", "[cpu][winograd]") {
  const Planned planned{"acdb", "acdb"};
  for (const Case& c : {Case{2, 16, 16, {8, 8}, {1, 1}, {1, 1}},
                        {1, 16, 32, {1, 1}, {1, 1}, {1, 1}},
                        {2, 32, 16, {3, 3}, {0, 0}, {0, 0}},
                        {3, 16, 16, {5, 7}, {1, 0}, {0, 1}},
                        {1, 48, 16, {6, 9}, {2, 2}, {2, 2}},
                        {1, 16, 16, {4, 17}, {3, 4}, {1, 5}},
                        {2, 16, 48, {10, 2}, {0, 1}, {0, 2}}})
    check_as_reference(text_of(c, &planned));
}

TEST_CASE("cpu: tiles of images that lie in blocks or with channels last, in slices, agree with the sums", "[cpu][winograd]") {
  const Case many_tiles{3, 32, 32, {9, 6}, {1, 1}, {1, 1}}, many_channels{2, 32, 64, {4, 4}, {1, 1}, {1, 1}};
  for (const Case& c : {many_tiles, many_channels})
    for (const char* x : {"acdb", "aBcd8b", "aBcd16b"})
      for (const char* y : {"acdb", "aBcd8b", "aBcd16b"})
        for (int64_t slices = 1; slices <= c.samples; ++slices) {
          const Planned planned{x, y, slices};
          check_as_reference(text_of(c, &planned));
        }
}

TEST_CASE("cpu: slices of images change no bit", "[cpu][winograd]") {
  const Planned whole{"acdb", "acdb", 1}, cut{"acdb", "acdb", 2};
  for (const Case& c : {Case{2, 16, 16, {12, 12}, {1, 1}, {1, 1}}, {2, 32, 64, {4, 4}, {1, 1}, {1, 1}}}) {
    const std::string one = text_of(c, &whole), two = text_of(c, &cut);
    const auto inputs = test::sample_inputs(one);
    const test::Outputs a = test::run_cpu(one, inputs), b = test::run_cpu(two, inputs);
    CHECK(test::same_bits({{"", ""}, {a.values[0], a.values[1]}}, {{"", ""}, {b.values[0], b.values[1]}}));
  }
}

TEST_CASE("cpu: kernels that do not stay in the cache are transformed block by block", "[cpu][winograd]") {
  const Planned planned{"aBcd16b", "acdb"};
  check_as_reference(text_of({1, 160, 208, {6, 6}, {1, 1}, {1, 1}}, &planned));
  // So many tiles that weights are summed over two blocks of them.
  check_as_reference(text_of({13, 160, 176, {16, 15}, {1, 1}, {1, 1}}, &planned));
}

TEST_CASE("cpu: large convolutions of 3 x 3 take it, in all three passes, unless sums are asked for", "[cpu][winograd]") {
  const std::string text = text_of({4, 64, 64, {16, 16}, {1, 1}, {1, 1}});
  // Without products of our own there is nothing for them.
  CHECK(by_winograd(text) == (cpu::library_isa() == "sse4" ? 0 : 3));
  CHECK(by_winograd(text, {.strict = true}) == 0);
  CHECK(by_winograd(text, {.autocast = bf16, .strict = true}) == 0);
  check_as_reference(text);
  // Too few channels, or tiles that are mostly empty.
  CHECK(by_winograd(text_of({4, 2, 4, {16, 16}, {1, 1}, {1, 1}})) == 0);
  CHECK(by_winograd(text_of({4, 64, 64, {1, 1}, {1, 1}, {1, 1}})) == 0);
}

TEST_CASE("cpu: what no tile computes is refused or summed", "[cpu][winograd]") {
  const Planned planned{"acdb", "acdb"}, plain{"", "acdb"}, odd{"aBcd2b", "acdb"};
  const Case c{2, 16, 16, {8, 8}, {1, 1}, {1, 1}};
  for (const std::string& text : {text_of({2, 8, 16, {8, 8}, {1, 1}, {1, 1}}, &planned), text_of(c, &plain), text_of(c, &odd)}) {
    INFO(text);
    CHECK_FALSE(cpu::target().claims(*ir::parse(text).graph().ops().front()));
  }
  std::string unknown = text_of(c, &planned);
  unknown.replace(unknown.find("winograd"), 8, "wizardry");
  CHECK_THROWS_WITH(ir::parse(unknown), Catch::Contains("attribute 'algorithm' must be one of"));
}
