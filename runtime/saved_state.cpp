#include "weft/runtime/saved_state.h"

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include <algorithm>

#include "weft/runtime/checkpoint_names.h"
#include "weft/runtime/kept_optimizer.h"
#include "weft/runtime/note_text.h"
#include "weft/runtime/step_file.h"
#include "weft/support/error.h"

namespace weft {
namespace {

using detail::print_note;
using detail::text_of;
using nlohmann::json;
using Kind = StepInput::Kind;

void require(bool holds, std::string_view what) {
  if (!holds) throw Error(ErrorKind::file, "the program contradicts itself: {}", what);
}

}  // namespace

/// What a file gives, before anything is changed.
struct SavedState::Loading {
  SafeTensors file;
  std::vector<std::pair<size_t, const Array*>> tensors;  // per input that the file has
  std::vector<size_t> fresh;                             // states that begin anew
  KeptOptimizer optimizer;
};

SavedState::SavedState(const StepData& data, const std::vector<Port>& ports) : data_(data), stream_(data.stream) {
  check(ports);
  arrays_.resize(ports.size()), numbers_.resize(ports.size()), loaded_.resize(ports.size(), false);
  counts_.resize(data.counters.size(), 0);
  for (size_t i = 0; i < ports.size(); ++i) {
    names_.push_back(ports[i].name);
    const StepInput& input = data.inputs[i];
    if (input.kind == Kind::tensor || input.kind == Kind::counter)
      arrays_[i] = Array(ports[i].dtype, ports[i].shape, std::source_location());
    arrays_[i].pin([](const Array&) {});  // the program is bound to its memory: what is assigned is copied there
    if (input.kind == Kind::number) numbers_[i] = input.value;
  }
}

void SavedState::check(const std::vector<Port>& ports) const {
  require(data_.inputs.size() == ports.size(), "it says of more or fewer inputs what they are than it has");
  const auto is_input = [&](const std::optional<int64_t>& i, Kind kind) {
    return !i || (*i >= 0 && static_cast<size_t>(*i) < ports.size() && data_.inputs[static_cast<size_t>(*i)].kind == kind);
  };
  std::set<std::string> tensors;
  for (size_t i = 0; i < ports.size(); ++i) {
    const StepInput& input = data_.inputs[i];
    const Port& port = ports[i];
    if (input.kind == Kind::tensor) require(tensors.insert(input.tensor).second, "two of its tensors have one name");
    if (input.kind == Kind::number) {
      require(port.dtype == f64 && port.shape.rank() == 0, fmt::format("the number '{}' is no f64", port.name));
      require(input.range.allows(input.value),
              fmt::format("the number '{}' is {}, and must lie in {}", port.name, input.value, input.range.text()));
    }
    if (input.kind == Kind::counter) require(port.dtype == i64 && port.shape.rank() == 0, "a counter is no i64");
    if (input.kind == Kind::key) require(port.dtype == i64 && port.shape == Shape({2}), "a key is no i64[2]");
    require(!input.indices || port.dtype == i64, "what is no i64 holds indices");
  }
  for (const StepCounter& counter : data_.counters) require(is_input(counter.input, Kind::counter), "it counts in what is no counter");
  for (const StepNumbers& numbers : data_.numbers)
    for (const auto& n : numbers.numbers) require(is_input(n.input, Kind::number), "the optimizer has a number in what is none");
  require(data_.numbers.empty() || data_.numbers[0].group.empty(), "its optimizer is a group");
}

std::vector<std::string> SavedState::tensors() const {
  std::vector<std::string> all;
  for (size_t i = 0; i < names_.size(); ++i)
    if (is_tensor(i)) all.push_back(data_.inputs[i].tensor);
  return all;
}

size_t SavedState::find_tensor(std::string_view name) const {
  for (size_t i = 0; i < names_.size(); ++i)
    if (is_tensor(i) && data_.inputs[i].tensor == name) return i;
  throw Error("step '{}' has no tensor '{}'", data_.name, name).hint(did_you_mean(name, tensors()));
}

Array& SavedState::tensor(std::string_view name) {
  const size_t i = find_tensor(name);
  loaded_[i] = true;
  return arrays_[i];
}

std::vector<std::string> SavedState::numbers() const {
  std::vector<std::string> all;
  for (size_t i = 0; i < names_.size(); ++i)
    if (data_.inputs[i].kind == Kind::number) all.push_back(names_[i]);
  return all;
}

size_t SavedState::find_number(std::string_view name) const {
  for (size_t i = 0; i < names_.size(); ++i)
    if (data_.inputs[i].kind == Kind::number && names_[i] == name) return i;
  for (const StepNumbers& of : data_.numbers)
    for (const auto& n : of.numbers)
      if (n.name == name && of.group.empty() && !n.input)
        throw Error("{} was {} when step '{}' was compiled, and what it scales was left out", name, n.value, data_.name)
            .hint("compile the step again with it set");
  throw Error("step '{}' has no number '{}' (it has {})", data_.name, name, fmt::join(numbers(), ", ")).hint(did_you_mean(name, numbers()));
}

void SavedState::set(size_t input, double value) {
  const NumberRange& range = data_.inputs[input].range;
  if (!range.allows(value)) throw Error("{} must lie in {}, not be {}", names_[input], range.text(), value);
  numbers_[input] = value;
}

void SavedState::require_loaded() const {
  std::string missing;
  for (size_t i = 0; i < names_.size(); ++i)
    if (is_tensor(i) && !loaded_[i] && !is_optimizer_state(data_.inputs[i].tensor))
      missing += (missing.empty() ? "'" : ", '") + data_.inputs[i].tensor + "'";
  if (!missing.empty())
    throw Error("step '{}' has no elements of {}", data_.name, missing).hint("load() a file of them, or write tensor(NAME)");
}

void SavedState::before_run() {
  for (size_t c = 0; c < counts_.size(); ++c)
    if (const auto input = data_.counters[c].input) arrays_[static_cast<size_t>(*input)].values<int64_t>()[0] = counts_[c];
}

void SavedState::after_run() {
  ++steps_;
  for (int64_t& count : counts_) ++count;
}

// --- Files ----------------------------------------------------------------------------------------------------------------

/// Finds the program's tensors in the file.
void SavedState::match(Loading& loading, const std::string& path) const {
  std::string wrong;
  for (size_t i = 0; i < names_.size(); ++i) {
    if (!is_tensor(i)) continue;
    const std::string& name = data_.inputs[i].tensor;
    if (loading.optimizer.begins_anew(name)) {
      loading.fresh.push_back(i);
      continue;
    }
    const auto found = loading.file.tensors.find(name);
    const Array& here = arrays_[i];
    if (found == loading.file.tensors.end()) {
      wrong += fmt::format("\n  missing: '{}' {}{}", name, name_of(here.dtype()), to_string(here.shape()));
    } else if (found->second.dtype() != here.dtype() || found->second.shape() != here.shape()) {
      wrong += fmt::format("\n  wrong: '{}' is {}{} in the file, but {}{} here", name, name_of(found->second.dtype()),
                           to_string(found->second.shape()), name_of(here.dtype()), to_string(here.shape()));
    } else {
      loading.tensors.emplace_back(i, &found->second);
    }
  }
  if (!wrong.empty()) throw Error(ErrorKind::file, "'{}' does not fit step '{}':{}", path, data_.name, wrong);
}

void SavedState::load(const std::string& path) {
  Loading loading{read_safetensors(path)};
  if (loading.file.metadata.contains(program_note)) throw Error(ErrorKind::file, "'{}' is a program, and holds no parameters", path);
  const auto note = loading.file.metadata.find(checkpoint_names::note);
  const bool keeps = note != loading.file.metadata.end() && !data_.numbers.empty();
  try {
    loading.optimizer = kept_optimizer(data_, loading.file);
  } catch (const Error& e) {
    throw Error(ErrorKind::file, "'{}': {}", path, e.what());
  }
  match(loading, path);
  // Nothing fails from here on.
  for (const auto& [i, array] : loading.tensors) std::copy_n(array->data(), array->bytes(), arrays_[i].data()), loaded_[i] = true;
  for (const size_t i : loading.fresh) std::fill_n(arrays_[i].data(), arrays_[i].bytes(), std::byte{0});
  KeptOptimizer& optimizer = loading.optimizer;
  for (const auto& [i, value] : optimizer.numbers) numbers_[i] = value;
  if (optimizer.counts.empty()) optimizer.counts.resize(counts_.size(), 0);
  counts_ = std::move(optimizer.counts);
  steps_ = optimizer.steps;
  if (optimizer.stream) stream_ = *optimizer.stream;
  note_ = keeps ? note->second : "";
  for (const std::string& name : tensors()) loading.file.tensors.erase(name);
  kept_ = std::move(loading.file);
  kept_.metadata.erase(checkpoint_names::note);
}

std::string SavedState::note() const {
  json note = note_.empty() ? json{{"optimizers", json::array({json::object()})}, {"schedules", json::array()}} : json::parse(note_);
  if (note["optimizers"].empty()) note["optimizers"].push_back(json::object());
  json& optimizer = note["optimizers"][0];
  if (!optimizer.contains("groups")) optimizer["groups"] = json::object();
  for (const StepNumbers& numbers : data_.numbers) {
    json& to = numbers.group.empty() ? optimizer : optimizer["groups"][numbers.group];
    to["op"] = numbers.op;
    if (!to.contains("numbers")) to["numbers"] = json::object();
    for (const StepNumbers::Number& n : numbers.numbers)
      to["numbers"][n.name] = text_of(n.input ? numbers_[static_cast<size_t>(*n.input)] : n.value);
  }
  optimizer["steps"] = steps_, optimizer["stream"] = stream_;
  if (!optimizer.contains("counts")) optimizer["counts"] = json::object();
  for (size_t c = 0; c < counts_.size(); ++c)
    for (const std::string& tensor : data_.counters[c].of) optimizer["counts"][tensor] = counts_[c];
  return print_note(note);
}

void SavedState::save(const std::string& path) const {
  require_loaded();
  std::vector<std::pair<std::string, const Array*>> all;
  for (size_t i = 0; i < names_.size(); ++i)
    if (is_tensor(i)) all.emplace_back(data_.inputs[i].tensor, &arrays_[i]);
  for (const auto& [name, array] : kept_.tensors) all.emplace_back(name, &array);
  auto metadata = kept_.metadata;
  // What a Trainer notes of its epochs is no longer so.
  std::erase_if(metadata, [](const auto& entry) { return entry.first.starts_with(checkpoint_names::own); });
  if (!data_.numbers.empty()) metadata[checkpoint_names::note] = note();
  write_safetensors(path, std::move(all), metadata, true);
}

}  // namespace weft
