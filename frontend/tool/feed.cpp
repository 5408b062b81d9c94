#include "weft/frontend/tool/feed.h"

#include "weft/runtime/data/npy.h"
#include "weft/runtime/safetensors.h"
#include "weft/support/memory.h"
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

/// The file's tensors that are parameters or states of the program.
std::map<std::string, Array, std::less<>> weights_in(const std::string& path, const ir::Graph& graph) {
  if (path.empty()) return {};
  SafeTensors file = read_safetensors(path);
  std::string others;
  std::erase_if(file.tensors, [&](const auto& entry) {
    const ir::Input* input = graph.find_input(entry.first);
    if (input && keeps_its_value(*input)) return false;
    others += (others.empty() ? "" : ", ") + entry.first;
    return true;
  });
  if (file.tensors.empty()) throw Error("--weights: '{}' holds no parameter or state of the program (it holds: {})", path, others);
  return std::move(file.tensors);
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

bool is_key(const ir::Input& input) { return input.role == ir::Role::key && input.node->type == ir::Type{i64, {2}}; }

std::vector<Array> feed(const Program& program, const ir::Graph& graph, const Given& given,
                        const std::map<std::string, IndexBound>& bounds) {
  check_names(graph, given);
  std::map<std::string, Array, std::less<>> weights = weights_in(given.weights, graph);
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
    if (const auto weight = weights.find(port.name); weight != weights.end()) {
      arrays.push_back(fitting(port, std::move(weight->second), given.weights));
      continue;
    }
    if (const auto found = kept.tensors.find(port.name); found != kept.tensors.end() && setting == given.settings.end()) {
      arrays.push_back(fitting(port, std::move(found->second), given.inputs));
      const auto bound = bounds.find(port.name);
      if (bound != bounds.end()) check_indices(port, arrays.back(), bound->second, given.inputs);
      continue;
    }
    const bool is_given = setting != given.settings.end() || is_key(input) || (given.zeros && keeps_its_value(input)) || given.drawn;
    if (!is_given) {
      missing += missing_text(input);
      arrays.emplace_back();
      continue;
    }
    arrays.push_back(zeros_for(port, input));
    if (setting != given.settings.end()) arrays.back().set(0, setting->second);
    else if (is_key(input)) arrays.back().values<int64_t>()[0] = given.seed;
    else if (given.zeros && keeps_its_value(input)) continue;
    else draw(arrays.back(), port, bounds.contains(port.name) ? bounds.at(port.name) : IndexBound{}, given.seed);
  }
  if (!missing.empty()) throw Error("these inputs are missing:{}", missing);
  return arrays;
}

}  // namespace weft::tool
