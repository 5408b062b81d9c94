#pragma once
// The modules that tests/expected/layers.py, images.py, losses.py, attention.py and recurrent.py name, as weft has them.

#include <functional>
#include <memory>

#include "weft/tests/ops/expected.h"
#include "weft/weft.h"

namespace weft::testing {

struct Subject {
  std::shared_ptr<nn::Module> module;  // null for a loss
  std::function<Tensor(const std::vector<Tensor>&)> call;
};

/// The module of a case with its arguments and options, its parameters of default_dtype(). Throws for a module that is not
/// in the list.
Subject make_subject(const json& c);

}  // namespace weft::testing
