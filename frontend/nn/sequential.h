#pragma once
// torch.nn.Sequential and torch.nn.ModuleList.

#include "weft/frontend/nn/any_module.h"

namespace weft::nn {

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
    (append(std::move(layers)), ...);
  }
  /// One more layer behind the others:
  ///
  ///   for (int i = 0; i < 4; ++i) blocks.append(Block(64));
  template <class Layer>
  void append(Layer layer) {
    append_any(AnyModule(std::move(layer)));
  }
  size_t size() const { return layers_.size(); }
  /// A layer, by its type `net[0].as<nn::Linear>().weight`. Throws weft::Error when there is no such layer.
  Module& operator[](size_t i) const;
  /// Without layers, x.
  Tensor forward(Tensor x) override;

 protected:
  bool is_library() const override { return true; }

 private:
  void append_any(AnyModule layer);

  std::vector<AnyModule> layers_;
};

}  // namespace weft::nn
