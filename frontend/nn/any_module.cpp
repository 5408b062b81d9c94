#include "weft/frontend/nn/any_module.h"

#include "weft/frontend/language/cloning.h"
#include "weft/frontend/language/scope.h"

namespace weft::nn {

void Function::require_function(bool given) {
  if (!given) throw Error("a model or a layer is a null function, where a module or a function Tensor -> Tensor must stand");
}

Tensor Function::forward(Tensor x) { return function_(x, weft::detail::Scope::innermost_call()); }

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

}  // namespace weft::nn
