#pragma once
// The functions of the tensor language that tests/expected/language.py calls in PyTorch, by the names of its cases.

#include <functional>
#include <map>

#include "weft/tests/frontend/support.h"

namespace weft::testing {

using Tensors = std::vector<Tensor>;
using LanguageCall = std::function<Tensors(const Tensors&)>;

const std::map<std::string, LanguageCall>& language_calls();

/// Those of functions that order elements, and of the gamma function. Private to language_calls().
void add_order(std::map<std::string, LanguageCall>& calls);
/// Those of scalars with an axis and of bools, and at the edges. Private likewise.
void add_edges(std::map<std::string, LanguageCall>& calls);

}  // namespace weft::testing
