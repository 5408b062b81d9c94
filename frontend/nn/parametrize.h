#pragma once
// Parameters that are computed of others: torch.nn.utils.parametrizations.weight_norm and spectral_norm, and
// torch.nn.utils.parametrize.register_parametrization.
//
//   nn::Linear fc = add("fc", nn::weight_norm(nn::Linear(784, 512)));
//   nn::Conv2d conv = add("conv", nn::spectral_norm(nn::Conv2d(3, 64, 3)));
//
// The module stays what it is and is used as before, fc(x) or x * fc.weight. What it trains and saves in place of "weight" is called as
// PyTorch's state_dict calls it: "parametrizations.weight.original0" and "original1" of weight_norm, "parametrizations.weight.original"
// and the buffers "parametrizations.weight.0._u" and "_v" of spectral_norm. A graph computes the weight once, however often it is read
// (torch: parametrize.cached()). fc.weight.values() stay those that it had before, which no step reads.
//
// Every function throws weft::Error, naming the line, when the module has no parameter of that name or it is parametrized already, and
// what is said there.

#include <optional>
#include <source_location>
#include <string>

#include "weft/frontend/nn/any_module.h"
#include "weft/frontend/nn/convolution.h"

namespace weft::nn {

namespace detail {
void add_weight_norm(Module& module, const std::string& name, std::optional<int64_t> dim, std::source_location at);
void add_spectral_norm(Module& module, const std::string& name, int64_t n_power_iterations, double eps, int64_t dim,
                       std::source_location at);
void add_parametrization(Module& module, const std::string& name, AnyModule by, std::source_location at);
}  // namespace detail

/// The parameter is g v / norm(v): "original0" is g, the norm over all axes but `dim`, "original1" is v (Salimans and Kingma 2016). Without
/// `dim`, the norm is over all axes. Refuses parameters that are not floating.
template <class M>
M weight_norm(M module, const std::string& name = "weight", std::optional<int64_t> dim = 0,
              std::source_location at = std::source_location::current()) {
  detail::add_weight_norm(module, name, dim, at);
  return module;
}

struct SpectralNormOptions {
  int64_t n_power_iterations = 1;
  double eps = 1e-12;
  std::optional<int64_t> dim = {};  // the axis of the matrix's rows; 1 for ConvTranspose1d to 3d and 0 for all others unless given
};
/// The parameter over its largest singular value, which power iteration finds: in training mode each step goes on by so many iterations
/// from what the step before found (Miyato et al. 2018). Of a vector, it is over its norm. The vectors start from weft's seed, with 15
/// iterations made, as torch's do. Refuses fewer than one iteration, and parameters that are not floating or scalars.
template <class M>
M spectral_norm(M module, const std::string& name = "weight", SpectralNormOptions options = {},
                std::source_location at = std::source_location::current()) {
  constexpr int64_t usual = std::derived_from<M, TransposedConvolution> ? 1 : 0;
  detail::add_spectral_norm(module, name, options.n_power_iterations, options.eps, options.dim.value_or(usual), at);
  return module;
}

/// The parameter is what `by`, a module or a function Tensor -> Tensor, makes of "parametrizations.<name>.original", which begins as the
/// parameter was. `by` is its part "0". It must keep type and shape.
///
///   nn::Linear fc = add("fc", nn::parametrize(nn::Linear(8, 8), "weight", [](Tensor w) { return triu(w) + triu(w, 1).transpose(); }));
template <class M, class F>
M parametrize(M module, const std::string& name, F by, std::source_location at = std::source_location::current()) {
  detail::add_parametrization(module, name, AnyModule(std::move(by)), at);
  return module;
}

}  // namespace weft::nn
