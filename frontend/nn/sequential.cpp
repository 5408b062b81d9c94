#include "weft/frontend/nn/sequential.h"

namespace weft::nn {

Module& ModuleList::operator[](size_t i) const {
  if (i >= size()) throw Error("nn::ModuleList: there are {} modules, and no number {}", size(), i);
  call_as(*modules_[i], std::to_string(i));
  return *modules_[i];
}

Module& Sequential::operator[](size_t i) const {
  if (i >= size()) throw Error("nn::Sequential: there are {} layers, and no number {}", size(), i);
  return *layers_[i];
}

Tensor Sequential::forward(Tensor x) {
  for (const auto& layer : layers_) x = (*layer)(x);
  return x;
}

void Sequential::append_any(AnyModule layer) {
  register_part(std::to_string(layers_.size()), *layer);
  layers_.push_back(std::move(layer));
}

}  // namespace weft::nn
