#include "weft/frontend/nn/sequential.h"

#include "weft/frontend/language/cloning.h"
#include "weft/frontend/language/scope.h"

namespace weft::nn {

void Function::require_function(bool given) {
  if (!given) throw Error("a model or a layer is a null function, where a module or a function Tensor -> Tensor must stand");
}

AnyModule::AnyModule(std::shared_ptr<Module> module) : module_(std::move(module)) {
  if (!module_) throw Error("a model or a layer is a null pointer, where a module or a function Tensor -> Tensor must stand");
}

AnyModule::AnyModule(const AnyModule& other) : module_(other.module_), copy_(other.copy_) {
  auto* const cloning = weft::detail::Cloning::current();
  if (!cloning) return;
  if (!copy_)
    throw Error("a module that was given as a std::shared_ptr<nn::Module> is of a type that is not known")
        .of("nn::clone")
        .hint("give it by value");
  module_ = cloning->twin(other.module_, [&] { return copy_(*other.module_); });
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

void Sequential::append(AnyModule layer) {
  register_part(std::to_string(layers_.size()), *layer);
  layers_.push_back(std::move(layer));
}

}  // namespace weft::nn
