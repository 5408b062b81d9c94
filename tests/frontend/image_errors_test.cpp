// Ops and layers for images, and further layers and losses: what is asked of them wrongly. Their values are PyTorch's: layers_test.cpp.

#include "weft/tests/frontend/support.h"

using namespace weft;
using testing::line;

namespace {

/// A graph to record into, with an input of each number of axes.
struct Inputs {
  Graph g{"bad"};
  Tensor image = g.input("image", f32, {2, 4, 5, 6}), row = g.input("row", f32, {2, 4, 5}), empty = g.input("empty", f32, {2, 4, 0}),
         flat = g.input("flat", f32, {2, 20}), index = g.input("index", i64, {3, 2});

  /// The call throws what contains both, and the line where it stands.
  template <class F>
  static void refuses(F call, const std::string& what, const std::string& more = "given (", int above = 0,
                      std::source_location at = std::source_location::current()) {
    CHECK_THROWS_WITH(call(), contains_text(what) && contains_text(more) && contains_text(line(-above, at)));
  }
};

}  // namespace

TEST_CASE_METHOD(Inputs, "padding must fit x") {
  refuses([&] { pad(row, {0, 0, 5}, {0, 0, 0}, "reflect"); }, "pad: reflected padding must be less than the extent, but is 5 along axis 2");
  refuses([&] { pad(row, {0, 0, 0}, {0, 0, 6}, "circular"); }, "pad: circular padding must not be more than the extent, but is 6");
  refuses([&] { pad(empty, {0, 0, 1}, {0, 0, 0}, "replicate"); }, "pad: axis 2 has no element to replicate");
  refuses([&] { pad(row, {0, 0, -3}, {0, 0, -3}); }, "pad: negative padding takes off more than there is along axis 2");
  refuses([&] { pad(row, {0, 1}, {0, 1}); }, "pad: low and high need one entry per axis");
  refuses([&] { pad(row, {0, 0, 1}, {0, 0, 1}, "mirror"); }, "not \"mirror\"");
  CHECK(pad(row, {0, 0, -5}, {0, 0, 0}).shape() == Shape{2, 4, 0});
  CHECK(pad(empty, {0, 0, 2}, {0, 0, 1}).shape() == Shape{2, 4, 3});
  refuses([&] { nn::ReflectionPad1d(5)(row); }, "pad: reflected padding must be less than the extent");
  refuses([&] { nn::ZeroPad2d(1)(flat); }, "nn::ZeroPad2d: x must be [n, channels, 2 spatial axes] or [channels, 2 spatial axes]");
  refuses([&] { nn::ZeroPad2d({1, 2}); }, "nn::ZeroPad2d: the padding needs one number, or 4", "it has 2");
  refuses([&] { nn::Conv2d(4, 2, 3, {.padding_mode = "mirror"}); }, "nn::Conv2d: the padding mode is", "\"mirror\"");
  refuses([&] { nn::Conv2d(4, 2, 3, {.padding = -1, .padding_mode = "circular"}); }, "the padding must not be negative", "nn::Conv2d");
  refuses([&] { nn::Conv1d(4, 2, 3, {.stride = 2, .padding = "same", .padding_mode = "reflect"}); }, "\"same\" needs stride 1",
          "nn::Conv1d");
  nn::Conv1d wide(4, 2, 3, {.padding = 5, .padding_mode = "reflect"});
  refuses([&] { wide(row); }, "pad: reflected padding must be less than the extent, but is 5 along axis 2");
}

TEST_CASE_METHOD(Inputs, "pooling to extents needs elements") {
  refuses([&] { adaptive_max_pool1d(empty, 2); }, "adaptive_max_pool1d: x must have elements to share");
  refuses([&] { adaptive_max_pool2d(image, -2); }, "adaptive_max_pool2d: the extents must not be negative, but for a -1 for x's own");
  refuses([&] { nn::AdaptiveAvgPool1d({2, 3})(row); }, "adaptive_avg_pool1d: the output's extents needs one number, or 1");
  refuses([&] { nn::MaxPool1d(2)(image); }, "max_pool1d: x must be [n, channels, 1 spatial axes]");
  CHECK(adaptive_max_pool2d(image, {-1, 1}).shape() == Shape{2, 4, 5, 1});
}

TEST_CASE_METHOD(Inputs, "resampling says what it needs") {
  refuses([&] { interpolate(row, {}); }, "interpolate: needs one of size and scale_factor");
  refuses([&] { interpolate(row, {.size = 3, .scale_factor = 2}); }, "interpolate: needs one of size and scale_factor");
  refuses([&] { interpolate(row, {.size = 3, .mode = "bilinear"}); }, "of 1 spatial axes, the mode is", "not \"bilinear\"");
  refuses([&] { interpolate(image, {.size = 3, .mode = "nearest", .align_corners = true}); }, "align_corners is for modes that end in");
  refuses([&] { interpolate(image, {.size = {3, 4, 5}}); }, "size needs one number, or 2");
  refuses([&] { interpolate(image, {.scale_factor = {2, 2, 2}}); }, "scale_factor needs one number, or 2");
  refuses([&] { interpolate(image, {.scale_factor = 0.1}); }, "the factor 0.1 leaves 0 elements of 5");
  refuses([&] { interpolate(empty, {.size = 3}); }, "the extents must be positive, but 0 elements become 3");
  refuses([&] { interpolate(index, {.size = 3}); }, "interpolate: x must be [n, channels, spatial...]");
  refuses([&] { nn::Upsample({.scale_factor = 0})(image); }, "the factor 0 leaves 0 elements of 5");
  refuses([&] { pixel_shuffle(image, 3); }, "pixel_shuffle: the factor 3 must be positive, and its square divide the 4 channels");
  refuses([&] { pixel_unshuffle(image, 2); }, "pixel_unshuffle: the factor 2 must be positive, and divide height and width");
  refuses([&] { channel_shuffle(image, 3); }, "channel_shuffle: the 3 groups must divide the 4 channels");
  refuses([&] { unfold(image, 7); }, "unfold: the kernel of 7 does not fit into 5 with padding 0 and 0");
  refuses([&] { unfold(image, 2, {.stride = 0}); }, "unfold: kernel, dilation and stride must be positive");
  refuses([&] { fold(row, 3, 2); }, "fold: x must have a multiple of 4 elements in each of 2 * 2 windows");
  refuses([&] { grid_sample(image, row); }, "grid_sample: x must be [n, channels, height, width] and the grid [n, height, width, 2]");
  const Tensor grid = zeros({2, 3, 3, 2});
  refuses([&] { grid_sample(image, grid, {.mode = "cubic"}); }, "not \"cubic\"");
  refuses([&] { grid_sample(image, grid, {.padding_mode = "wrap"}); }, "not \"wrap\"");
  refuses([&] { affine_grid(row, {2, 1, 3, 3}); }, "affine_grid: theta must be floating, [n, 2, 3]");
  CHECK(interpolate(zeros({0, 2, 3}), {.size = 4}).shape() == Shape{0, 2, 4});
}

TEST_CASE_METHOD(Inputs, "norms over instances and neighbours say what they need") {
  refuses([&] { nn::InstanceNorm1d(4)(slice(row, 2, 0, 1)); }, "nn::InstanceNorm1d: there must be more than one element per channel");
  refuses([&] { nn::InstanceNorm2d(3)(image); }, "nn::InstanceNorm2d: x must be floating, [n, 3, 2 spatial axes]");
  refuses([&] { nn::InstanceNorm2d(4)(flat); }, "nn::InstanceNorm2d: x must be floating");
  refuses([&] { nn::InstanceNorm1d(4, {.eps = 0}); }, "nn::InstanceNorm1d: eps must be positive", "");
  refuses([&] { local_response_norm(row, 0); }, "local_response_norm: the size must be positive and not too large, but is 0");
  refuses([&] { nn::LocalResponseNorm(2)(flat); }, "local_response_norm: x must be floating, [n, channels, ...] of three axes or more");
  CHECK(local_response_norm(empty, 2).shape() == Shape{2, 4, 0});
}

TEST_CASE_METHOD(Inputs, "activations, layers of two tensors and bags say what they need") {
  refuses([&] { glu(row); }, "glu: axis 2 must have an even extent, to be halved");
  refuses([&] { celu(row, 0); }, "celu: alpha must not be 0");
  refuses([&] { softshrink(row, -1); }, "softshrink: lambd must not be negative, but is -1");
  refuses([&] { nn::Softmax2d()(flat); }, "nn::Softmax2d: x must be [n, channels, height, width]");
  refuses([&] { nn::Bilinear(3, 2, 4)(row, row); }, "nn::Bilinear: the operands must be [..., 3] and [..., 2], equal in front");
  refuses([&] { nn::Bilinear(0, 2, 4); }, "nn::Bilinear: sizes must be positive, but there is 0", "");
  refuses([&] { nn::EmbeddingBag(4, 2, {.mode = "least"}); }, "nn::EmbeddingBag: the mode is", "not \"least\"");
  refuses([&] { nn::EmbeddingBag(4, 2, {.padding_idx = 4}); }, "nn::EmbeddingBag: padding_idx 4 is no row of 4", "");
  refuses([&] { nn::EmbeddingBag(4, 2)(row); }, "nn::EmbeddingBag: the index must be integers, [bags, n]");
  const Tensor places = g.input("places", i64, {6}), starts = g.input("starts", i64, {2});
  refuses([&] { nn::EmbeddingBag(4, 2, {.mode = "max"})(places, starts); }, "have no mode \"max\"");
  refuses([&] { nn::EmbeddingBag(4, 2)(index, starts); }, "with offsets, both must be integers, the index [n] and the offsets [bags]");
  refuses([&] { nn::EmbeddingBag(4, 2).weighted(index, zeros({3, 2})); }, "per_sample_weights are for mode \"sum\"");
}

TEST_CASE("rows of a bag times weights") {
  Graph g("bag");
  nn::EmbeddingBag bag(3, 2, {.mode = "sum", .padding_idx = 2});
  bag.weight.set_values(std::vector<float>{1, 2, 3, 4, 5, 6});
  const Tensor index = testing::tensor({0, 1, 2, 1}, {2, 2}, i64), weights = testing::tensor({2, 3, 7, 0.5}, {2, 2});
  CHECK(testing::evaluate(g, bag.weighted(index, weights)) == std::vector<double>{2 + 9, 4 + 12, 1.5, 2});
}

TEST_CASE_METHOD(Inputs, "losses of pairs, labels and likelihoods say what they need") {
  refuses([&] { triplet_margin_loss(flat, flat, flat, {.margin = 0}); }, "triplet_margin_loss: the margin must be positive, but is 0");
  refuses([&] { triplet_margin_loss(flat, flat, index); }, "triplet_margin_loss: ");
  refuses([&] { margin_ranking_loss(index, index, index); }, "margin_ranking_loss: the operands must be floating");
  refuses([&] { hinge_embedding_loss(flat, flat, {.reduction = "median"}); }, "no reduction is called \"median\"");
  refuses([&] { multilabel_margin_loss(flat, flat); },
          "multilabel_margin_loss: input must be floating, [N, C] or [C], and target integers");
  refuses([&] { multilabel_soft_margin_loss(flat, flat, {.weight = zeros({3})}); }, "the weight must broadcast to [2,20], but is [3]");
  refuses([&] { soft_margin_loss(flat, row); }, "soft_margin_loss: input and target must be floating and of one shape");
  refuses([&] { gaussian_nll_loss(flat, flat, zeros({3})); }, "the variance must have the input's shape");
  refuses([&] { gaussian_nll_loss(flat, flat, zeros({1, 1})); }, "the variance must have the input's shape");
  refuses([&] { gaussian_nll_loss(flat, flat, flat, {.eps = 0}); }, "eps must be positive, but is 0");
}

TEST_CASE("dictionaries of modules and lists of parameters") {
  struct Heads : nn::Module {
    nn::ModuleDict heads = add("heads", nn::ModuleDict());
    nn::ParameterList scales = add("scales", nn::ParameterList());
    Heads() {
      heads.insert("mask", nn::Linear(2, 1));
      heads.insert("name", [](Tensor x) { return sum(x, 1, true); });
      scales.append(Parameter("scale", {2.0}));
      scales.append(Parameter("scale", {3.0}));
    }
    Tensor forward(Tensor x) override { return heads["mask"](x) * scales[0] + heads["name"](x) * scales[1]; }
  };
  Heads net;
  std::vector<std::string> names;
  for (const auto& [name, p] : net.named_parameters()) names.push_back(name);
  CHECK(names == std::vector<std::string>{"heads.mask.weight", "heads.mask.bias", "scales.0", "scales.1"});
  CHECK(net.heads.keys() == std::vector<std::string>{"mask", "name"});
  CHECK(net.heads.contains("mask"));
  CHECK_FALSE(net.heads.contains("masks"));
  CHECK(net.scales.size() == 2);
  CHECK_THROWS_WITH(net.heads["masks"], contains_text("there is no module 'masks'") && contains_text("mask"));
  CHECK_THROWS_WITH(net.heads.insert("mask", nn::Linear(2, 1)), contains_text("already"));
  CHECK_THROWS_WITH(net.scales[2], contains_text("there are 2 parameters, and no number 2"));
  init::constant(net.state_dict()[0].second, 1), init::constant(net.state_dict()[1].second, 0);
  Graph g("heads");
  CHECK(testing::evaluate(g, net(testing::tensor({1, 2}, {1, 2}))) == std::vector<double>{3 * 2 + 3 * 3});
  CHECK(testing::where(net.heads["mask"](testing::tensor({1, 2}, {1, 2}))).find("heads.mask") != std::string::npos);
}
