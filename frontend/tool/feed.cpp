#include "weft/frontend/tool/feed.h"

#include <algorithm>

#include "weft/frontend/program/watch.h"
#include "weft/runtime/data/npy.h"
#include "weft/runtime/kept_optimizer.h"
#include "weft/runtime/safetensors.h"
#include "weft/support/memory.h"
#include "weft/support/number_text.h"
#include "weft/support/philox.h"

namespace weft::tool {
namespace {

std::string type_text(const Port& port) { return std::string(name_of(port.dtype)) + to_string(port.shape); }

/// `array` of the file at `path` as the input takes it.
Array fitting(const Port& port, Array array, const std::string& path) {
  if (array.shape() != port.shape)
    throw Error("'{}' has shape {}, but the input '{}' is {}", path, to_string(array.shape()), port.name, type_text(port));
  if (array.dtype() == port.dtype) return array;
  if (port.dtype != bf16 || array.dtype() != f32)
    throw Error("'{}' holds {}, but the input '{}' is {}", path, name_of(array.dtype()), port.name, type_text(port))
        .hint("convert it before saving (numpy.ndarray.astype)");
  // NumPy has no bf16: its values come as f32.
  Array narrow(bf16, port.shape);
  for (int64_t i = 0; i < port.shape.numel(); ++i) narrow.set(i, array.at(i));
  return narrow;
}

void check_indices(const Port& port, const Array& array, const IndexBound& bound, const std::string& path) {
  if (const auto bad = find_outside(View(array), bound))
    throw Error("'{}': the input '{}' ({}, {}) holds {}, but element {} is {}", path, port.name, type_text(port), port.where, bound.text(),
                bad->element, bad->index);
}

void check_names(const ir::Graph& graph, const Given& given) {
  std::vector<std::string> names, hypers;
  for (const ir::Input& input : graph.inputs()) {
    names.push_back(input.node->name);
    if (input.role == ir::Role::hyper) hypers.push_back(input.node->name);
  }
  for (const auto& [name, file] : given.files)
    if (!graph.find_input(name)) throw Error("--input: the program has no input '{}'", name).hint(did_you_mean(name, names));
  for (const auto& [name, value] : given.settings) {
    const ir::Input* input = graph.find_input(name);
    if (!input) throw Error("--set: the program reads no hyper-parameter '{}'", name).hint(did_you_mean(name, hypers));
    if (input->role != ir::Role::hyper) throw Error("--set: '{}' is no hyper-parameter; give it as --input {}=FILE.npy", name, name);
    if (given.files.contains(name)) throw Error("'{}' is given twice, by --set and by --input", name);
    if (input->node->type.shape.numel() != 1)
      throw Error("--set: '{0}' is {1}, not one number; give it as --input {0}=FILE.npy", name, to_string(input->node->type));
  }
}

bool keeps_its_value(const ir::Input& input) { return input.role == ir::Role::parameter || input.role == ir::Role::state; }

/// What the file of weights gives.
struct Weights {
  std::map<size_t, Array> tensors;  // of inputs: parameters, buffers and an optimizer's states
  KeptOptimizer optimizer;
  bool given = false;
};

Weights weights_in(const std::string& path, const ir::Graph& graph, const StepData& step) {
  if (path.empty()) return {};
  SafeTensors file = read_safetensors(path);
  Weights weights{.given = true};
  try {
    weights.optimizer = kept_optimizer(step, file);
  } catch (const Error& e) {
    throw Error("--weights: '{}': {}", path, e.what());
  }
  std::string others;
  for (const auto& [name, array] : file.tensors) others += (others.empty() ? "" : ", ") + name;
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const ir::Input& input = graph.inputs()[i];
    if (!keeps_its_value(input)) continue;
    auto found = file.tensors.find(input.node->name);
    if (found == file.tensors.end()) found = file.tensors.find(step.inputs[i].tensor);
    if (found != file.tensors.end()) weights.tensors[i] = std::move(found->second);
  }
  if (weights.tensors.empty()) throw Error("--weights: '{}' holds no parameter or state of the program (it holds: {})", path, others);
  return weights;
}

/// What all elements of an input are that no file has: a number that is set, that a checkpoint keeps or that is so by default; of what
/// counts steps what a checkpoint has counted; of an optimizer's state that it does not keep 0.
std::optional<double> beginning_of(size_t i, const std::string& name, const Given& given, const Described& described,
                                   const Weights& weights) {
  const StepData& step = described.step;
  const StepInput& input = step.inputs[i];
  if (input.kind == StepInput::Kind::number) {
    if (given.settings.contains(name)) return given.settings.at(name);
    for (const auto& [at, value] : weights.optimizer.numbers)
      if (at == i) return value;
    const auto& missing = described.missing;
    if (std::find(missing.begin(), missing.end(), name) == missing.end()) return input.value;
  }
  if (!weights.given) return std::nullopt;
  if (input.kind == StepInput::Kind::tensor && is_optimizer_state(input.tensor)) return 0;
  for (size_t c = 0; c < step.counters.size(); ++c)
    if (step.counters[c].input == static_cast<int64_t>(i))
      return weights.optimizer.counts.empty() ? 0 : static_cast<double>(weights.optimizer.counts[c]);
  return std::nullopt;
}

/// Elements that follow from the input's name and the seed.
void draw(Array& array, const Port& port, const IndexBound& bound, int64_t seed) {
  uint32_t site = 0;
  for (const char c : port.name) site = site * 31 + static_cast<unsigned char>(c);
  const int64_t extent = port.dtype == boolean ? 2 : bound.high - bound.low;
  for (int64_t e = 0; e < port.shape.numel(); ++e) {
    const uint32_t bits = random_bits(static_cast<uint64_t>(seed), site, 0, static_cast<uint64_t>(e));
    const double integer = extent > 0 ? static_cast<double>(bound.low + bits % extent) : 1;
    array.set(e, is_floating(port.dtype) ? 0.0625 + 0.875 * uniform_from_bits(bits) : integer);
  }
}

std::string missing_text(const ir::Input& input) {
  const std::string& name = input.node->name;
  std::string how = fmt::format("--input {}=FILE.npy", name);
  if (input.role == ir::Role::hyper) how = fmt::format("--set {}=NUMBER", name);
  if (keeps_its_value(input)) how += ", --weights FILE.safetensors or --zeros";
  return fmt::format("\n  {} {} ({}): {}", name, to_string(input.node->type), name_of(input.role), how);
}

/// Throws OutOfMemory naming the input and its line.
Array zeros_for(const Port& port, const ir::Input& input) try {
  return {port.dtype, port.shape, std::source_location()};
} catch (OutOfMemory& e) {
  e.of(fmt::format("the input '{}'", port.name)).at(to_string(input.locations));
  throw;
}

}  // namespace

std::map<std::string, std::string> assignments(const std::string& option, const std::vector<std::string>& entries) {
  std::map<std::string, std::string> all;
  for (const std::string& entry : entries) {
    const size_t at = entry.find('=');
    if (at == std::string::npos || at == 0) throw Error("{}: '{}' is not NAME=VALUE", option, entry);
    if (!all.emplace(entry.substr(0, at), entry.substr(at + 1)).second) throw Error("{}: '{}' is given twice", option, entry.substr(0, at));
  }
  return all;
}

std::map<std::string, double> settings_in(const std::vector<std::string>& entries) {
  std::map<std::string, double> settings;
  for (const auto& [name, text] : assignments("--set", entries)) {
    const std::optional<double> value = number_in<double>(text);
    if (!value) throw Error("--set {}: '{}' is not a number", name, text);
    settings[name] = *value;
  }
  return settings;
}

std::map<std::string, double> settings_by_name(const ir::Graph& graph, const std::map<std::string, double>& settings) {
  std::map<std::string, double> all, by_pattern;
  for (const auto& [name, value] : settings) {
    if (name.find('*') == std::string::npos || graph.find_input(name)) {
      all[name] = value;
      continue;
    }
    bool fits_any = false;
    for (const ir::Input& input : graph.inputs()) {
      const std::string& own = input.node->name;
      if (input.role != ir::Role::hyper || !detail::fits(name, own)) continue;
      fits_any = true;
      if (!settings.contains(own) && !by_pattern.emplace(own, value).second)
        throw Error("--set: '{}' is set twice, by '{}' for one", own, name);
    }
    if (!fits_any) throw Error("--set: the program reads no hyper-parameter like '{}'", name);
  }
  all.merge(by_pattern);
  return all;
}

bool is_key(const ir::Input& input) { return input.role == ir::Role::key && input.node->type == ir::Type{i64, {2}}; }

std::vector<Array> feed(const Program& program, const ir::Graph& graph, Given given, const std::map<std::string, IndexBound>& bounds,
                        const Describer& recorded) {
  given.settings = settings_by_name(graph, given.settings);
  check_names(graph, given);
  const Described described = recorded.describe(graph, given.settings);
  Weights weights = weights_in(given.weights, graph, described.step);
  SafeTensors kept;
  if (!given.inputs.empty()) kept = read_safetensors(given.inputs);
  std::vector<Array> arrays;
  std::string missing;
  for (size_t i = 0; i < graph.inputs().size(); ++i) {
    const ir::Input& input = graph.inputs()[i];
    const Port& port = program.inputs()[i];
    const auto file = given.files.find(port.name);
    const auto setting = given.settings.find(port.name);
    if (file != given.files.end()) {
      arrays.push_back(fitting(port, read_npy(file->second), file->second));
      const auto bound = bounds.find(port.name);
      if (bound != bounds.end()) check_indices(port, arrays.back(), bound->second, file->second);
      continue;
    }
    if (const auto weight = weights.tensors.find(i); weight != weights.tensors.end()) {
      arrays.push_back(fitting(port, std::move(weight->second), given.weights));
      continue;
    }
    if (const auto found = kept.tensors.find(port.name); found != kept.tensors.end() && setting == given.settings.end()) {
      arrays.push_back(fitting(port, std::move(found->second), given.inputs));
      const auto bound = bounds.find(port.name);
      if (bound != bounds.end()) check_indices(port, arrays.back(), bound->second, given.inputs);
      continue;
    }
    const std::optional<double> beginning = beginning_of(i, port.name, given, described, weights);
    const bool is_given = beginning || is_key(input) || (given.zeros && keeps_its_value(input)) || given.drawn;
    if (!is_given) {
      missing += missing_text(input);
      arrays.emplace_back();
      continue;
    }
    arrays.push_back(zeros_for(port, input));
    if (is_key(input)) arrays.back().values<int64_t>()[0] = given.seed, arrays.back().values<int64_t>()[1] = weights.optimizer.steps;
    else if (beginning && *beginning != 0) arrays.back().set(0, *beginning);
    else if (beginning) continue;
    else if (given.zeros && keeps_its_value(input)) continue;
    else draw(arrays.back(), port, bounds.contains(port.name) ? bounds.at(port.name) : IndexBound{}, given.seed);
  }
  if (!missing.empty()) throw Error("these inputs are missing:{}", missing);
  return arrays;
}

}  // namespace weft::tool
