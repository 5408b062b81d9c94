#pragma once
// Tensors by name: a batch as a loss sees it.
//
//   Tensor loss_of(const Tensors& batch) { return mse_loss(net(batch["left"], batch["right"]), batch["y"]); }

#include <concepts>
#include <source_location>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/frontend/language/tensor.h"

namespace weft {

class Tensors {
 public:
  /// A name, and the line where it was asked for.
  struct Name {
    std::string_view text;
    std::source_location at;
    template <class T>
      requires std::convertible_to<const T&, std::string_view>
    Name(const T& name, std::source_location where = std::source_location::current()) : text(name), at(where) {}
  };

  Tensors() = default;
  Tensors(std::vector<std::pair<std::string, Tensor>> all) : all_(std::move(all)) {}

  /// Throws weft::Error, naming the line, the names that there are and the nearest, when there is none of that name.
  const Tensor& operator[](const Name& name) const;
  bool contains(std::string_view name) const;
  /// In the order in which they were given.
  const std::vector<std::pair<std::string, Tensor>>& all() const { return all_; }

 private:
  std::vector<std::pair<std::string, Tensor>> all_;
};

}  // namespace weft
