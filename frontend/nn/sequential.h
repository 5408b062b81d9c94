#pragma once
// torch.nn.Sequential, functions as modules, and modules of any type.

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
  explicit AnyModule(M module) : module_(std::make_shared<Held<M>>(std::move(module))), copy_(copied<Held<M>>) {}
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

/// Modules in a row that a forward of the user's calls as it likes, named "0", "1", ...:
///
///   nn::ModuleList layers = add("layers", nn::ModuleList());         // then layers.append(nn::Linear(8, 8)), ...
///   for (nn::Module& layer : layers) x = x + relu(layer(x));
///
/// A copy has the modules that were there when it was made.
class ModuleList : public Module {
 public:
  class Iterator {
   public:
    Iterator(const ModuleList& list, size_t i) : list_(&list), i_(i) {}
    Module& operator*() const { return (*list_)[i_]; }
    Iterator& operator++() { return ++i_, *this; }
    bool operator==(const Iterator&) const = default;

   private:
    const ModuleList* list_;
    size_t i_;
  };

  template <class... Modules>
  explicit ModuleList(Modules... modules) {
    (append(std::move(modules)), ...);
  }
  /// A module or a function Tensor -> Tensor.
  template <class M>
  void append(M module) {
    modules_.emplace_back(std::move(module));
    register_part(std::to_string(size() - 1), *modules_.back());
  }
  size_t size() const { return modules_.size(); }
  /// Throws weft::Error when there is no such module.
  Module& operator[](size_t i) const;
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

 private:
  std::vector<AnyModule> modules_;
};

/// Calls its layers one after the other: nn::Sequential(nn::Linear(64, 48), nn::ReLU(), ...). Layers are modules, the
/// user's too, or functions Tensor -> Tensor. Their names are "0", "1", ..., so parameters are named "0.weight".
class Sequential : public Module {
 public:
  template <class... Layers>
  explicit Sequential(Layers... layers) {
    (append(AnyModule(std::move(layers))), ...);
  }
  Tensor forward(Tensor x) override;

 protected:
  bool is_library() const override { return true; }

 private:
  void append(AnyModule layer);

  std::vector<AnyModule> layers_;
};

}  // namespace weft::nn
