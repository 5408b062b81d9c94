#include "weft/frontend/nn/sequential.h"

#include "weft/frontend/language/scope.h"

namespace weft::nn {

void Function::require_function(bool given) {
  if (!given) throw Error("a model or a layer is a null function, where a module or a function Tensor -> Tensor must stand");
}

std::shared_ptr<Module> share(std::shared_ptr<Module> module) {
  if (!module) throw Error("a model or a layer is a null pointer, where a module or a function Tensor -> Tensor must stand");
  return module;
}

Tensor Function::forward(Tensor x) { return function_(x, weft::detail::Scope::innermost_call()); }

Module& ModuleList::operator[](size_t i) const {
  if (i >= size()) throw Error("nn::ModuleList: there are {} modules, and no number {}", size(), i);
  call_as(*modules_[i], std::to_string(i));
  return *modules_[i];
}

Tensor Sequential::forward(Tensor x) {
  for (const auto& layer : layers_) x = (*layer)(x);
  return x;
}

void Sequential::append(std::shared_ptr<Module> layer) {
  register_part(std::to_string(layers_.size()), *layer);
  layers_.push_back(std::move(layer));
}

}  // namespace weft::nn
