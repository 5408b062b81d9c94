#include "weft/frontend/nn/sequential.h"

#include "weft/frontend/scope.h"

namespace weft::nn {

Tensor Function::forward(Tensor x) { return function_(x, weft::detail::Scope::innermost_call()); }

Tensor Sequential::forward(Tensor x) {
  for (const auto& layer : layers_) x = (*layer)(x);
  return x;
}

void Sequential::append(std::shared_ptr<Module> layer) {
  register_part(std::to_string(layers_.size()), *layer);
  layers_.push_back(std::move(layer));
}

}  // namespace weft::nn
