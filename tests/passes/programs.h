#pragma once
// Whole programs to send through the pipeline, as recorded.

#include <string>
#include <vector>

namespace weft::testing {

struct NamedProgram {
  std::string name;
  /// With "T" where the floating element type goes.
  std::string text;

  std::string with(const std::string& dtype) const;
};

/// Training steps (regression, classifiers with every optimizer) and functions without training.
const std::vector<NamedProgram>& programs();

}  // namespace weft::testing
