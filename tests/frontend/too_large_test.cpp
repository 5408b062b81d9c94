// Sizes that no memory holds and no number counts are refused where they are written, before anything is made, and windows far larger than
// what they slide over are computed in the time of that.

#include <limits>

#include "weft/support/memory.h"
#include "weft/tests/frontend/support.h"

using namespace weft;
using testing::line;

namespace {

constexpr int64_t two_40 = int64_t{1} << 40, two_60 = int64_t{1} << 60, largest = std::numeric_limits<int64_t>::max();
constexpr int64_t window = int64_t{1} << 30;

struct Inputs {
  Graph g{"large"};
  Tensor v = g.input("v", f32, {5}), image = g.input("image", f32, {1, 2, 8, 8}), row = g.input("row", f32, {1, 2, 8});

  /// The call throws a weft::Error of this kind that says both, and the line where it stands.
  template <class F>
  static void refuses(F call, const std::string& what, const std::string& value, ErrorKind kind = ErrorKind::shape,
                      std::source_location at = std::source_location::current()) {
    try {
      call();
    } catch (const Error& e) {
      const std::string text = e.what();
      CHECK_THAT(text, contains_text(what) && contains_text(value) && contains_text(line(0, at)));
      CHECK(name_of(e.kind()) == name_of(kind));
      return;
    }
    FAIL("nothing was refused: " + what);
  }
};

}  // namespace

TEST_CASE_METHOD(Inputs, "too large: shapes in braces have the line where they are written") {
  refuses([&] { zeros({two_40, two_40}); }, "shape [1099511627776,1099511627776] has more than 2^62 elements", "");
  refuses([&] { random_normal({two_40, two_40}); }, "shape [1099511627776,1099511627776]", "");
  refuses([&] { Array(f32, {largest}); }, "shape [9223372036854775807] has more than 2^62 elements", "");
  refuses([&] { g.input("x", f32, {two_40, two_40}); }, "shape [1099511627776,1099511627776]", "");
  refuses([&] { Array::of({two_40, two_40}, std::vector<float>(3)); }, "shape [1099511627776,1099511627776]", "");
  refuses([&] { ones({-1}); }, "negative extent -1 in shape [-1]", "");
}

TEST_CASE_METHOD(Inputs, "too large: what is made of numbers") {
  refuses([&] { randperm(largest); }, "randperm: shape [9223372036854775807] has more than 2^62 elements", "");
  refuses([&] { multinomial(v, largest, true); }, "multinomial: shape [9223372036854775807] has more than", "f32[5]");
  refuses([&] { arange(0.0, 1e300); }, "arange: there are 1e+300 steps, more than 2^62", "");
  refuses([&] { arange(two_60); }, "[1152921504606846976] takes more than 2^50 bytes", "");
  refuses([&] { eye(two_40); }, "shape [1099511627776,1099511627776] has more than", "");
}

TEST_CASE_METHOD(Inputs, "too large: what is made of tensors") {
  const Tensor tall = g.input("tall", f32, {two_40, 1}), wide = g.input("wide", f32, {1, two_40});
  refuses([&] { tall + wide; }, "add: shape [1099511627776,1099511627776] has more than 2^62 elements", "f32[1099511627776,1]");
  refuses([&] { unflatten(v, 0, {largest, largest}); }, "unflatten: shape [9223372036854775807,9223372036854775807]", "f32[5]");
  const Tensor a = random_normal({1 << 16});
  refuses([&] { einsum("i,j,k,l->ijkl", {a, a, a, a}); }, "einsum: shape [65536,65536,65536,65536] has more than", "f32[65536]");
  refuses([&] { fold(g.input("f", f32, {1, 4, 4}), {largest, largest}, {2, 2}); }, "fold: shape [9223372036854775806,", "f32[1,4,4]");
}

TEST_CASE_METHOD(Inputs, "too large: images") {
  refuses([&] { interpolate(image, {.size = {two_40, two_40}}); }, "1099511627776 elements along an axis are too many", "f32[1,2,8,8]");
  refuses([&] { interpolate(image, {.size = {two_40, 1}, .mode = "bilinear"}); }, "1099511627776 elements along an axis", "f32[1,2,8,8]");
  refuses([&] { interpolate(row, {.size = {two_60}, .mode = "linear"}); }, "1152921504606846976 elements along an axis", "f32[1,2,8]");
  refuses([&] { interpolate(image, {.size = {window, 1}, .mode = "area"}); }, "1073741824 elements along an axis", "f32[1,2,8,8]");
  refuses([&] { adaptive_avg_pool1d(row, window + 1); }, "8 elements become 1073741825, which is too many", "f32[1,2,8]");
  refuses([&] { adaptive_max_pool2d(image, two_40 + 1); }, "shape [1,2,1099511627777,1099511627777] has more than", "f32[1,2,8,8]");
  refuses([&] { adaptive_avg_pool2d(image, largest); }, "shape [1,2,9223372036854775807,9223372036854775807]", "f32[1,2,8,8]");
  const Tensor places = cast(image, i64);
  refuses([&] { max_unpool2d(image, places, 2, {.stride = largest}); }, "9223372036854775807 is too large for", "i64[1,2,8,8]");
  refuses([&] { max_unpool2d(image, places, 2, {.stride = int64_t{1} << 29}); }, "shape [3758096386,3758096386] has more", "");
  refuses([&] { max_unpool2d(image, places, largest); }, "9223372036854775807 is too large for", "i64[1,2,8,8]");
  refuses([&] { max_pool2d(image, 3, {.stride = largest}); }, "9223372036854775807 is too large for a kernel", "f32[1,2,8,8]");
  refuses([&] { unfold(image, 3, {.dilation = two_40}); }, "1099511627776 is too large for a kernel", "f32[1,2,8,8]");
  const Tensor w = g.input("w", f32, {1, 2, 3, 3});
  refuses([&] { conv2d(image, w, {.padding = two_40}); }, "1099511627776 is too large for a stride", "f32[1,2,3,3]");
  refuses([&] { conv2d(image, w, {.padding = "same", .dilation = window}); }, "\"same\" pads by more than 2^30, but is 1073741824", "");
}

TEST_CASE_METHOD(Inputs, "too large: layers") {
  refuses([&] { nn::Linear(two_40, two_40); }, "nn::Linear: shape [1099511627776,1099511627776] has more than 2^62 elements", "");
  refuses([&] { nn::Embedding(largest, 2); }, "nn::Embedding: shape [9223372036854775807,2]", "");
  refuses([&] { nn::Conv2d(1, 1, two_40); }, "nn::Conv2d: shape [1,1,1099511627776,1099511627776]", "");
  refuses([&] { nn::LayerNorm({two_40, two_40}); }, "nn::LayerNorm: shape [1099511627776,1099511627776]", "");
  refuses([&] { nn::LSTM(1, largest); }, "nn::LSTM: hidden_size is too large: 9223372036854775807", "", ErrorKind::usage);
  refuses([&] { nn::GRUCell(1, largest / 2); }, "nn::GRUCell: hidden_size is too large: 4611686018427387903", "", ErrorKind::usage);
  refuses([&] { nn::LSTM(4, 4, {.num_layers = two_40}); }, "nn::LSTM: num_layers is too large: 1099511627776", "", ErrorKind::usage);
  const nn::TransformerEncoderLayer layer(8, 2, {.dim_feedforward = 8});
  refuses([&] { nn::TransformerEncoder(layer, largest); }, "nn::TransformerEncoder: num_layers is too large", "9223372036854775807",
          ErrorKind::usage);
}

TEST_CASE_METHOD(Inputs, "too large: a product with more rows than a library counts is planned all the same") {
  const Tensor y = matmul(g.input("tall", f32, {two_40, 3}), g.input("w", f32, {3, 4}));
  g.output("y", y);
  CHECK_THROWS_AS(compile(g, Target::cpu()), OutOfMemory);
}

TEST_CASE("windows far larger than what they slide over take no longer than that") {
  Graph g("windows");
  const Tensor image = g.input("image", f32, {1, 1, 4, 4}), row = g.input("row", f32, {1, 1, 5});
  const std::vector<float> pixels{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3}, five{1, 5, 2, 4, 3};
  g.output("max", max_pool2d(image, window, {.stride = window, .padding = window / 2}));
  g.output("each", max_pool1d(row, window, {.stride = 1, .padding = window / 2}));
  g.output("mean", avg_pool1d(row, window, {.stride = window, .padding = window / 2, .count_include_pad = false}));
  g.output("share", avg_pool1d(row, window, {.stride = window, .padding = window / 2}) * static_cast<double>(window));
  const auto [value, index] = max_pool1d_with_indices(row, window, {.stride = window, .padding = window / 2});
  g.output("value", value), g.output("index", index);
  const Tensor far = max_pool2d(image, 2, {.padding = 1, .dilation = 3});
  g.output("far", far);
  auto [d] = gradients<1>(sum(max_pool2d(image, window, {.stride = window, .padding = window / 2})), {image});
  g.output("d", d);
  Step step = compile(g, Target::cpu());
  const Results r = step({{"image", pixels}, {"row", five}});
  CHECK(r["max"].values<float>()[0] == 9);
  CHECK(r["each"].values<float>() == std::vector<float>{5, 5, 5, 5, 5, 5});
  CHECK(r["mean"].values<float>()[0] == 3);
  CHECK(r["share"].values<float>()[0] == 15);
  CHECK((r["value"].values<float>()[0] == 5 && r["index"].values<int64_t>()[0] == 1));
  std::vector<float> first(16);
  first[5] = 1;
  CHECK(r["d"].values<float>() == first);
}

TEST_CASE("convolutions whose taps lie far apart are computed by loops") {
  // Of three taps the middle one alone meets the image: torch gives w[1] x.
  constexpr int64_t far = 1000000000;
  Graph g("far");
  const Tensor x = g.input("x", f32, {1, 1, 6}), w = g.input("w", f32, {1, 1, 3});
  const Tensor y = g.output("y", conv1d(x, w, {.padding = far, .dilation = far}));
  const Tensor loss = sum(y * y);
  auto [dx, dw] = gradients<2>(loss, {x, w});
  g.output("dx", dx), g.output("dw", dw);
  g.output("t", conv_transpose1d(x, w, {.padding = far, .dilation = far}));
  Step step = compile(g, Target::cpu());
  for (const std::string& call : step.calls()) CHECK_THAT(call, !contains_text("by jit"));
  const Results r = step({{"x", std::vector<float>{1, 2, 3, 4, 5, 6}}, {"w", std::vector<float>{10, 2, 100}}});
  CHECK(r["y"].values<float>() == std::vector<float>{2, 4, 6, 8, 10, 12});
  CHECK(r["dx"].values<float>() == std::vector<float>{8, 16, 24, 32, 40, 48});
  CHECK(r["dw"].values<float>() == std::vector<float>{0, 364, 0});
  CHECK(r["t"].values<float>() == std::vector<float>{2, 4, 6, 8, 10, 12});

  // The stride of one position is none.
  Graph strided("strided");
  const Tensor image = strided.input("x", f32, {1, 1, 6}), kernel = strided.input("w", f32, {1, 1, 3});
  strided.output("y", conv1d(image, kernel, {.stride = far, .padding = 1}));
  Step one = compile(strided, Target::cpu());
  CHECK(one({{"x", std::vector<float>{1, 2, 3, 4, 5, 6}}, {"w", std::vector<float>{10, 2, 100}}})["y"].values<float>() ==
        std::vector<float>{202});
}
