#pragma once
// Functions as modules, and modules of any type.

#include <functional>
#include <type_traits>

#include "weft/frontend/nn/module.h"
#include "weft/support/callable.h"

namespace weft::nn {

/// A function or lambda Tensor -> Tensor as a module without parameters. Throws weft::Error when it is null.
class Function : public Module {
 public:
  template <class F>
    requires(!std::derived_from<std::remove_cvref_t<F>, Module>)
  explicit Function(F function) {
    require_function(!is_null(function));
    // A function of the library takes the line of the call along in its Arg; a user's lambda reports its own lines.
    if constexpr (std::is_invocable_v<F&, Arg>)
      function_ = [function](const Tensor& x, std::source_location at) mutable { return Tensor(function(Arg(x, at))); };
    else function_ = [function](const Tensor& x, std::source_location) mutable { return Tensor(function(x)); };
  }
  Tensor forward(Tensor x) override;

 private:
  /// Throws weft::Error when there is none.
  static void require_function(bool given);

  std::function<Tensor(const Tensor&, std::source_location)> function_;
};

/// A module of any type that outlives the caller's handle: a copy that shares the parameters, or a Function. Copies are of the same
/// module, in a clone (nn::clone) of the module's clone.
class AnyModule {
 public:
  /// Of a module or a function Tensor -> Tensor. Throws weft::Error when it is null.
  template <class M>
    requires(!std::same_as<M, AnyModule>)
  explicit AnyModule(M module) : copy_(copied<Held<M>>) {
    auto held = std::make_shared<Held<M>>(std::move(module));
    Module::know(*held);
    module_ = std::move(held);
  }
  /// Of a module of the caller's, which cannot be cloned: its type is not known. Throws weft::Error when there is none.
  explicit AnyModule(std::shared_ptr<Module> module);
  AnyModule(const AnyModule& other);
  AnyModule(AnyModule&&) noexcept = default;
  AnyModule& operator=(const AnyModule&) = default;
  AnyModule& operator=(AnyModule&&) noexcept = default;

  Module& operator*() const { return *module_; }
  Module* operator->() const { return module_.get(); }

 private:
  template <class M>
  using Held = std::conditional_t<std::derived_from<M, Module>, M, Function>;
  template <class M>
  static std::shared_ptr<Module> copied(const Module& module) {
    return std::make_shared<M>(static_cast<const M&>(module));
  }

  std::shared_ptr<Module> module_;
  std::shared_ptr<Module> (*copy_)(const Module&) = nullptr;
};

}  // namespace weft::nn
