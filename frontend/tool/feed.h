#pragma once
// The inputs of a program for `weft run`: from .npy files, a file of weights, settings, the seed, or zeros.

#include <map>
#include <string>
#include <vector>

#include "weft/frontend/program/index_bounds.h"
#include "weft/frontend/tool/describer.h"
#include "weft/ir/module.h"
#include "weft/runtime/array.h"
#include "weft/runtime/program.h"

namespace weft::tool {

/// What the command line says of the inputs. Names are input names.
struct Given {
  std::map<std::string, std::string> files;
  /// A safetensors file for parameters and states that `files` does not give, of a checkpoint also the optimizer's states, numbers and
  /// counts; what else it holds does not matter. Empty: none.
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

/// The numbers of assignments to --set. Throws weft::Error for what is none.
std::map<std::string, double> settings_in(const std::vector<std::string>& entries);

/// The same with the names of all hyper-parameters that a "*" stands for ("*.p"), but for those that are set by their own name. Throws
/// weft::Error where there is none, or two such names set one.
std::map<std::string, double> settings_by_name(const ir::Graph& graph, const std::map<std::string, double>& settings);

/// One array per input, in order: what is given, else a number's default. `recorded` is what the graph was made of. Throws weft::Error for
/// names that no input has, for wrong types and values (`bounds`: see frontend/program/index_bounds.h), for a checkpoint of another
/// optimizer, and once for all inputs that are missing.
std::vector<Array> feed(const Program& program, const ir::Graph& graph, Given given, const std::map<std::string, IndexBound>& bounds,
                        const Describer& recorded);

/// Is it the key of the random ops, i64[2]: seed and step?
bool is_key(const ir::Input& input);

}  // namespace weft::tool
