#pragma once
// torch.nn.ModuleDict and ParameterList.

#include <string>
#include <utility>
#include <vector>

#include "weft/frontend/nn/sequential.h"

namespace weft::nn {

/// Modules under names, in the order in which they came, that a forward of the user's calls as it likes:
///
///   nn::ModuleDict heads = add("heads", nn::ModuleDict());           // then heads.insert("mask", nn::Linear(8, 1)), ...
///   y = heads["mask"](x);
///
/// A copy has the modules that were there when it was made.
class ModuleDict : public Module {
 public:
  /// A module or a function Tensor -> Tensor. Throws weft::Error for a name that is taken, empty or has a ".".
  template <class M>
  void insert(const std::string& name, M module) {
    AnyModule held(std::move(module));
    register_part(name, *held);
    modules_.emplace_back(name, std::move(held));
  }
  size_t size() const { return modules_.size(); }
  bool contains(const std::string& name) const;
  std::vector<std::string> keys() const;
  /// Throws weft::Error, with the nearest names, when there is no such module.
  Module& operator[](const std::string& name) const;

 private:
  std::vector<std::pair<std::string, AnyModule>> modules_;
};

/// Parameters in a row, named "0", "1", ...:
///
///   nn::ParameterList scales = add("scales", nn::ParameterList());   // then scales.append(Parameter("scale", {1.0})), ...
///   x = x * scales[0];
///
/// A copy has those that were there when it was made.
class ParameterList : public Module {
 public:
  ParameterList() = default;
  explicit ParameterList(const std::vector<Parameter>& parameters) {
    for (const Parameter& p : parameters) append(p);
  }
  void append(const Parameter& parameter) { parameters_.push_back(add(std::to_string(size()), parameter)); }
  size_t size() const { return parameters_.size(); }
  /// Throws weft::Error when there is no such parameter.
  const Parameter& operator[](size_t i) const;
  auto begin() const { return parameters_.begin(); }
  auto end() const { return parameters_.end(); }

 private:
  std::vector<Parameter> parameters_;
};

}  // namespace weft::nn
