#pragma once
// torch.nn.Sequential, and functions as modules.

#include <functional>
#include <type_traits>

#include "weft/frontend/nn/module.h"

namespace weft::nn {

/// A function or lambda Tensor -> Tensor as a module without parameters.
class Function : public Module {
 public:
  template <class F>
    requires(!std::derived_from<std::remove_cvref_t<F>, Module>)
  explicit Function(F function) {
    // A function of the library takes the line of the call along in its Arg; a user's lambda reports its own lines.
    if constexpr (std::is_invocable_v<F&, Arg>)
      function_ = [function](const Tensor& x, std::source_location at) mutable { return Tensor(function(Arg(x, at))); };
    else
      function_ = [function](const Tensor& x, std::source_location) mutable { return Tensor(function(x)); };
  }
  Tensor forward(Tensor x) override;

 private:
  std::function<Tensor(const Tensor&, std::source_location)> function_;
};

/// A module that outlives the caller's handle: a copy that shares the parameters, or a Function.
template <class M>
std::shared_ptr<Module> share(M module) {
  if constexpr (std::derived_from<M, Module>)
    return std::make_shared<M>(std::move(module));
  else
    return std::make_shared<Function>(std::move(module));
}

/// Calls its layers one after the other: nn::Sequential(nn::Linear(64, 48), nn::ReLU(), ...). Layers are modules, the
/// user's too, or functions Tensor -> Tensor. Their names are "0", "1", ..., so parameters are named "0.weight".
class Sequential : public Module {
 public:
  template <class... Layers>
  explicit Sequential(Layers... layers) {
    (append(share(std::move(layers))), ...);
  }
  Tensor forward(Tensor x) override;

 protected:
  bool is_library() const override { return true; }

 private:
  void append(std::shared_ptr<Module> layer);

  std::vector<std::shared_ptr<Module>> layers_;
};

}  // namespace weft::nn
