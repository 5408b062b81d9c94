#pragma once
// Optimizers by the names of their update ops, for programs of which there is only text.

#include <memory>
#include <string_view>

#include "weft/frontend/optim/core.h"

namespace weft::detail {

/// What weft::optim's optimizer of this update op ("adam") is with its defaults; null for an op that is none of its.
std::shared_ptr<const OptimizerCore> defaults_of(std::string_view op);

}  // namespace weft::detail
