// Functions of scalars that are told an axis, of bools, and where derivatives are infinite or none.

#include "weft/tests/frontend/language_calls.h"

namespace weft::testing {
namespace {

void add_scalars(std::map<std::string, LanguageCall>& calls) {
  calls["a scalar's axis: reductions"] = [](const Tensors& t) {
    const Tensor& x = t[0];
    return Tensors{sum(x, 0),  mean(x, -1, true), prod(x, 0),           max(x, 0, true),
                   min(x, -1), logsumexp(x, 0),   norm(x, 2, -1, true), norm(x, -1, 0)};
  };
  calls["a scalar's axis: order"] = [](const Tensors& t) {
    const Tensor& x = t[0];
    const auto [most, first] = max_with_indices(x, 0, true);
    const auto [least, last] = min_with_indices(x, -1);
    return Tensors{any(x, 0), all(x, -1, true), count_nonzero(x, 0), argmax(x, 0, true), argmin(x, -1), most, first, least,
                   last,      stddev(x, 0, 0),  var(x, -1, 0)};
  };
  calls["a scalar's axis: functions"] = [](const Tensors& t) {
    const Tensor& x = t[0];
    return Tensors{softmax(x, 0) * x, log_softmax(x, -1) * x, softmin(x, 0) * x, cumsum(x, -1),
                   cumprod(x, 0),     normalize(x, 2, 0) * x, flip(x, 0)};
  };
  calls["a scalar's axis: shapes"] = [](const Tensors& t) {
    const Tensor& x = t[0];
    return Tensors{squeeze(x, 0), squeeze(x, -1), x.flatten(0), x.transpose(0, -1), movedim(x, 0, -1)};
  };
  calls["a scalar's axis: indices"] = [](const Tensors& t) {
    const Tensor &x = t[0], &i = t[1], &one = t[2];
    return Tensors{take_along_axis(x, i, 0), take_along_axis(x, one, -1), index_select(x, 0, one), scatter_add_along_axis(x, i, x, 0),
                   scatter_along_axis(x, one, x.reshape({1}), 0)};
  };
}

void add_bools(std::map<std::string, LanguageCall>& calls) {
  calls["numbers of bools"] = [](const Tensors& x) { return Tensors{x[0] + x[1], x[0] * x[1], maximum(x[0], x[1]), minimum(x[0], x[1])}; };
  calls["extremes of bools"] = [](const Tensors& x) {
    const auto [most, first] = max_with_indices(x[0], 1);
    const auto [least, last] = min_with_indices(x[0], 0);
    return Tensors{max(x[0]), min(x[0], 1), max(x[0], 0, true), most, first, least, last};
  };
  calls["any and all of bytes"] = [](const Tensors& x) { return Tensors{any(x[0], 1), all(x[0]), all(x[0], 0, true)}; };
  calls["linspace of integers"] = [](const Tensors&) {
    return Tensors{linspace(0.5, 10.9, 7, i64), linspace(-3, 11, 6, i64), linspace(10, -7, 30, i64), linspace(4, 9, 1, i64)};
  };
}

}  // namespace

void add_edges(std::map<std::string, LanguageCall>& calls) {
  add_scalars(calls);
  add_bools(calls);
  calls["rounded quotients have no derivative"] = [](const Tensors& x) {
    return Tensors{div(x[0], x[1], "floor"), div(x[0], x[1], "trunc")};
  };
  calls["remainder at the edges"] = [](const Tensors& x) { return Tensors{remainder(x[0], x[1])}; };
  for (const auto& [p, name] : {std::pair{-1.0, "norm -1"}, {-2.0, "norm -2"}, {-0.5, "norm -0.5"}}) {
    const LanguageCall norms = [p = p](const Tensors& x) { return Tensors{norm(x[0], p, 1), norm(x[0], p)}; };
    calls[name] = norms, calls[std::string(name) + " of zeros"] = norms;
  }
  calls["var of too few"] = [](const Tensors& x) { return Tensors{var(x[0], 1, 6), stddev(x[0], 1, 6)}; };
  calls["softshrink of special numbers"] = [](const Tensors& x) { return Tensors{softshrink(x[0])}; };
  calls["elu and selu far out"] = [](const Tensors& x) { return Tensors{elu(x[0], 0.5), selu(x[0])}; };
  calls["pow at 0"] = [](const Tensors& x) { return Tensors{pow(x[0], x[1])}; };
  calls["cosine_similarity of short rows"] = [](const Tensors& x) { return Tensors{cosine_similarity(x[0], x[1], 1, 5)}; };
  calls["adaptive pooling to nothing"] = [](const Tensors& x) {
    return Tensors{adaptive_avg_pool2d(x[0], {0, 2}), adaptive_max_pool2d(x[0], {3, 0})};
  };
}

}  // namespace weft::testing
