#pragma once
// The inputs of a program for `weft run`: from .npy files, a file of weights, settings, the seed, or zeros.

#include <map>
#include <string>
#include <vector>

#include "weft/frontend/program/index_bounds.h"
#include "weft/ir/module.h"
#include "weft/runtime/array.h"
#include "weft/runtime/program.h"

namespace weft::tool {

/// What the command line says of the inputs. Names are input names.
struct Given {
  std::map<std::string, std::string> files;
  /// A safetensors file for parameters and states that `files` does not give; what else it holds does not matter. Empty: none.
  std::string weights;
  /// A safetensors file with inputs of any kind, those of a reproducer (frontend/program/reproducer.h), but for what is given
  /// otherwise. Empty: none.
  std::string inputs;
  std::map<std::string, double> settings;
  int64_t seed = 0;
  /// Parameters and states that are not given start as zeros.
  bool zeros = false;
  /// What is not given at all is drawn, the same for the same seed: from 0.06 to 0.94, integers within their bounds.
  bool drawn = false;
};

/// "a=b" of every entry, split at the first '='. Throws weft::Error naming the option for anything else and for a name
/// that comes twice.
std::map<std::string, std::string> assignments(const std::string& option, const std::vector<std::string>& entries);

/// One array per input, in order. Throws weft::Error for names that no input has, for wrong types and values (`bounds`:
/// see frontend/program/index_bounds.h), and once for all inputs that are missing.
std::vector<Array> feed(const Program& program, const ir::Graph& graph, const Given& given,
                        const std::map<std::string, IndexBound>& bounds);

/// Is it the key of the random ops, i64[2]: seed and step?
bool is_key(const ir::Input& input);

}  // namespace weft::tool
