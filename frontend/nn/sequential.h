#pragma once
// torch.nn.Sequential, and functions as modules.

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

/// A module that outlives the caller's handle: a copy that shares the parameters, or a Function.
template <class M>
std::shared_ptr<Module> share(M module) {
  if constexpr (std::derived_from<M, Module>) return std::make_shared<M>(std::move(module));
  else return std::make_shared<Function>(std::move(module));
}

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
    modules_.push_back(share(std::move(module)));
    register_part(std::to_string(size() - 1), *modules_.back());
  }
  size_t size() const { return modules_.size(); }
  /// Throws weft::Error when there is no such module.
  Module& operator[](size_t i) const;
  Iterator begin() const { return {*this, 0}; }
  Iterator end() const { return {*this, size()}; }

 private:
  std::vector<std::shared_ptr<Module>> modules_;
};

/// Throws weft::Error when there is none.
std::shared_ptr<Module> share(std::shared_ptr<Module> module);

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
