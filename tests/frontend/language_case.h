#pragma once
// Functions by name against what PyTorch computes: the cases of tests/expected/language.py and its kin.

#include <map>
#include <string>

#include "weft/tests/frontend/language_calls.h"

namespace weft::testing {

using LanguageCalls = std::map<std::string, LanguageCall>;

/// Values, gradients and second derivatives of every case of tests/expected/<file>.json.
void check_cases(const std::string& file, const LanguageCalls& calls, const Target& target, DType dtype, double tolerance);
/// Every call has a stored case, and the other way round.
void check_names(const std::string& file, const LanguageCalls& calls);

}  // namespace weft::testing
