// What picks and places elements by index, pooling with indices and transforms against PyTorch (tests/expected/picking.py), and what they
// refuse.

#include "weft/tests/frontend/language_case.h"

using namespace weft;
using testing::LanguageCalls;
using testing::line;
using Outputs = testing::Tensors;

namespace {

Outputs both(const ValuesAndIndices& found) { return {found.values, found.indices}; }

void add_slices(LanguageCalls& calls) {
  calls["x[1:3, 0]"] = [](const Outputs& x) {
    return Outputs{x[0][{Slice(1, 3), 0}], x[0][{Ellipsis, Slice(None, None, 2)}], x[0][{All, None, -1}], x[0][{-1, Slice(1, -1), 3}]};
  };
  calls["x[None]"] = [](const Outputs& x) {
    return Outputs{x[0][None], x[0][{Ellipsis, None}], x[0][{1, Ellipsis, Slice(2)}], x[0][{Slice(5, 2), 1}],
                   x[0][{Slice(-100, 2), All, 4}]};
  };
}

void add_indices(LanguageCalls& calls) {
  calls["index"] = [](const Outputs& x) {
    const Tensor row = x[1][0];
    return Outputs{index_get(x[0], {x[1]}), index_get(x[0], {x[1], x[2]}), index_get(x[0], {row, x[2], floor_divide(x[1][1], 2)})};
  };
  const auto numbers = [](const std::vector<int64_t>& all) { return constant(Array::of(Shape{std::ssize(all)}, all)); };
  calls["index_put"] = [=](const Outputs& x) { return Outputs{index_put(x[0], {numbers({2, 0}), numbers({1, 3})}, x[1])}; };
  calls["index_put of one number"] = [=](const Outputs& x) { return Outputs{index_put(x[0], {numbers({2, 0}).reshape({2, 1})}, x[1])}; };
  calls["index_put accumulate"] = [=](const Outputs& x) {
    return Outputs{index_put(x[0], {numbers({2, 0, 2}), numbers({1, 3, 1})}, x[1], true)};
  };
  calls["index_put of integers"] = [=](const Outputs& x) { return Outputs{index_put(x[0], {x[1]}, numbers({7, 8, 7}), true)}; };
}

void add_scatters(LanguageCalls& calls) {
  for (const std::string reduce : {"sum", "prod", "mean", "amax", "amin"})
    for (const bool self : {true, false}) {
      const std::string name = "scatter_reduce " + reduce + (self ? "" : " without self");
      const auto along = [=](int64_t axis) {
        return [=](const Outputs& x) { return Outputs{scatter_reduce(x[0], x[1], x[2], axis, reduce, self)}; };
      };
      calls[name] = along(1);
      calls[name + " of integers"] = along(0);
      if (reduce[0] == 'a') calls[name + " with ties"] = along(0);
      if (reduce == "prod" && self) calls[name + " of zeros"] = along(0);
    }
}

void add_pools(LanguageCalls& calls) {
  calls["max_pool1d_with_indices"] = [](const Outputs& x) { return both(max_pool1d_with_indices(x[0], 3, {.stride = 2, .padding = 1})); };
  calls["max_pool2d_with_indices"] = [](const Outputs& x) {
    return both(max_pool2d_with_indices(x[0], {2, 3}, {.stride = {2, 1}, .padding = {1, 0}, .dilation = {1, 2}}));
  };
  calls["max_pool2d_with_indices ceil"] = [](const Outputs& x) {
    return both(max_pool2d_with_indices(x[0], 3, {.stride = 2, .padding = 1, .ceil_mode = true}));
  };
  calls["max_pool2d_with_indices of one"] = [](const Outputs& x) { return both(nn::MaxPool2d(2).with_indices(x[0])); };
  calls["max_pool2d_with_indices of -inf"] = [](const Outputs& x) {
    return both(max_pool2d_with_indices(x[0], 3, {.stride = 2, .padding = 1}));
  };
  calls["max_pool3d_with_indices"] = [](const Outputs& x) { return both(max_pool3d_with_indices(x[0], 2)); };
  calls["max_unpool1d"] = [](const Outputs& x) {
    const auto [y, indices] = max_pool1d_with_indices(x[0], 2);
    return Outputs{nn::MaxUnpool1d(2)(y, indices)};
  };
  calls["max_unpool2d"] = [](const Outputs& x) {
    const auto [y, indices] = max_pool2d_with_indices(x[0], 2);
    return Outputs{max_unpool2d(y, indices, 2)};
  };
  calls["max_unpool2d to a size"] = [](const Outputs& x) {
    const auto [y, indices] = max_pool2d_with_indices(x[0], 2);
    return Outputs{nn::MaxUnpool2d(2)(y, indices, {5, 7})};
  };
  calls["max_unpool2d that overlaps"] = [](const Outputs& x) {
    const auto [y, indices] = max_pool2d_with_indices(x[0], 3, {.stride = 2, .padding = 1});
    return Outputs{max_unpool2d(y, indices, 3, {.stride = 2, .padding = 1, .output_size = {6, 7}})};
  };
  calls["max_unpool3d"] = [](const Outputs& x) {
    const auto [y, indices] = max_pool3d_with_indices(x[0], 2);
    return Outputs{max_unpool3d(y, indices, 2)};
  };
}

void add_powers(LanguageCalls& calls) {
  calls["pow of integers"] = [](const Outputs& x) { return Outputs{pow(x[0], x[1])}; };
  calls["pow of a number by integers"] = [](const Outputs& x) { return Outputs{pow(2, x[0]), pow(-3, x[0])}; };
}

void add_transforms(LanguageCalls& calls) {
  for (const int n : {1, 2, 5, 8}) {
    calls[fmt::format("fft {}", n)] = [](const Outputs& x) { return Outputs{fft::fft(x[0])}; };
    calls[fmt::format("ifft {}", n)] = [](const Outputs& x) { return Outputs{fft::ifft(x[0])}; };
  }
  for (const int n : {1, 2, 7, 8}) {
    calls[fmt::format("rfft {}", n)] = [](const Outputs& x) { return Outputs{fft::rfft(x[0])}; };
    calls[fmt::format("irfft {}", n)] = [n](const Outputs& x) { return Outputs{fft::irfft(x[0], {.n = n})}; };
  }
  const auto to_sizes = [](auto transform, int64_t a, int64_t b) {
    return [=](const Outputs& x) {
      return Outputs{transform(x[0], {.n = a}), transform(x[0], {.n = b, .norm = "ortho"}), transform(x[0], {.norm = "forward"})};
    };
  };
  calls["fft to a size"] = to_sizes(fft::fft, 4, 9);
  calls["ifft to a size"] = to_sizes(fft::ifft, 4, 9);
  calls["rfft to a size"] = to_sizes(fft::rfft, 4, 9);
  calls["irfft to a size"] = [](const Outputs& x) {
    return Outputs{fft::irfft(x[0]), fft::irfft(x[0], {.n = 12, .norm = "ortho"}), fft::irfft(x[0], {.n = 5, .norm = "forward"})};
  };
}

const LanguageCalls& calls() {
  static const LanguageCalls all = [] {
    LanguageCalls made;
    for (auto add : {add_slices, add_indices, add_scatters, add_pools, add_powers, add_transforms}) add(made);
    return made;
  }();
  return all;
}

}  // namespace

TEST_CASE("what picks and transforms is PyTorch's, by the reference in f64", "[picking]") {
  testing::check_cases("picking", calls(), Target::reference(), f64, 1e-10);
}
TEST_CASE("what picks and transforms is PyTorch's, by kernels in f64", "[picking]") {
  testing::check_cases("picking", calls(), Target::cpu(), f64, 1e-10);
}
TEST_CASE("what picks and transforms is PyTorch's, by kernels in f32", "[picking]") {
  testing::check_cases("picking", calls(), Target::cpu(), f32, 1e-5);
}
TEST_CASE("every call that picks has a stored case, and the other way round", "[picking]") { testing::check_names("picking", calls()); }

TEST_CASE("what is no place of a tensor names the line", "[picking]") {
  Graph g("places");
  const Tensor x = g.input("x", f32, {3, 4});
  CHECK_THROWS_WITH((x[{1, 2, 0}]), contains_text("there are 3 places for 2 axes") && contains_text(line(0)));
  CHECK_THROWS_WITH((x[{0, 4}]), contains_text("index 4 is out of range for extent 4 of axis 1"));
  CHECK_THROWS_WITH(x[-4], contains_text("index -4 is out of range for extent 3"));
  CHECK_THROWS_WITH((x[{Ellipsis, Ellipsis}]), contains_text("more than one Ellipsis"));
  CHECK_THROWS_WITH((x[{Slice(None, None, -1)}]), contains_text("the step of a Slice must be positive, not -1"));
  CHECK(x[{Slice(1, 3), None}].shape() == Shape{2, 1, 4});
  CHECK(x[All].shape() == x.shape());
}

TEST_CASE("what picks and transforms refuses", "[picking]") {
  Graph g("refused");
  const Tensor x = g.input("x", f32, {3, 4}), i = g.input("i", i64, {3, 4}), b = g.input("b", boolean, {3, 4});
  CHECK_THROWS_WITH(scatter_reduce(x, i, x, 1, "median"), contains_text("not \"median\"") && contains_text(line(0)));
  CHECK_THROWS_WITH(scatter_reduce(x, x, x, 1, "sum"), contains_text("the index must be integers"));
  CHECK_THROWS_WITH(scatter_reduce(b, i, b, 1, "sum"), contains_text("cast it"));
  CHECK_THROWS_WITH(index_get(x, {i, i, i}), contains_text("there are 3 indices for 2 axes") && contains_text(line(0)));
  CHECK_THROWS_WITH(index_get(x, {x}), contains_text("an index must be integers"));
  CHECK_THROWS_WITH(index_put(x, {i}, g.input("v", f32, {5})), contains_text("must broadcast to [3,4,4]"));
  CHECK_THROWS_WITH(max_unpool2d(g.input("p", f32, {2, 2, 2}), i, 2), contains_text("one for each element of x"));
  CHECK_THROWS_WITH(max_unpool1d(x, i, 2, {.output_size = {12}}), contains_text("not within a stride of 8"));
  CHECK_THROWS_WITH(pow(b, b), contains_text("bools have no powers"));
  CHECK_THROWS_WITH(fft::fft(x), contains_text("x must be [..., n, 2]") && contains_text(line(0)));
  CHECK_THROWS_WITH(fft::rfft(g.input("long", f32, {4096})), contains_text("4096 points are too many") && contains_text("up to n = 2048"));
  CHECK_THROWS_WITH(fft::rfft(x, {.norm = "none"}), contains_text("the norm must be"));
  CHECK_THROWS_WITH(fft::rfft(i), contains_text("x must be floating"));
}
