#pragma once
// Which targets of a batch are classes, and how many of them are right, without being told: what losses say of their targets, or what
// the prediction's shape says.

#include <optional>

#include "weft/frontend/language/tensors.h"
#include "weft/frontend/training/metric.h"

namespace weft::detail {

/// By what the losses recorded so far, from number `first` on, decided about a tensor of the batch.
std::optional<Metric> accuracy_of_losses(size_t first, const Tensors& batch);
/// Of targets that are classes along axis 1 or the last axis of the prediction; of no others.
std::optional<Metric> accuracy_of_prediction(const Tensor& prediction, const Tensor& target);

}  // namespace weft::detail
