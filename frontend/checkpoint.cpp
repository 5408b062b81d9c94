#include "weft/frontend/checkpoint.h"

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <set>

#include "weft/frontend/optim/core.h"
#include "weft/runtime/safetensors.h"

namespace weft {
namespace {

using detail::OptimizerCore;
using nlohmann::json;

constexpr const char* note_key = "weft";
constexpr std::string_view own_prefix = "weft.";

std::string state_prefix(size_t optimizer) { return fmt::format("weft.optimizer{}/", optimizer); }

// JSON has no infinities, and its numbers need not come back to the bit; texts of this form do.
std::string text_of(double value) { return fmt::format("{}", value); }
double number_in(const json& text) {
  const auto& s = text.get_ref<const std::string&>();
  double value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  if (error != std::errc() || end != s.data() + s.size()) throw Error("'{}' is no number", s);
  return value;
}

json numbers_of(const OptimizerCore& core) {
  json numbers = json::object();
  for (const Hyper& h : core.hypers) numbers[h.name()] = text_of(h.value());
  json j{{"op", core.op}, {"numbers", numbers}};
  if (core.initial_lr) j["initial_lr"] = text_of(*core.initial_lr);
  return j;
}

json describe(const OptimizerCore& core) {
  json j = numbers_of(core);
  j["steps"] = core.steps.values<int64_t>()[0];
  j["groups"] = json::object();
  for (const auto& group : core.groups) j["groups"][group.name] = numbers_of(*group.core);
  return j;
}

/// What a file says of an optimizer, checked; apply() writes it.
struct Numbers {
  Numbers(OptimizerCore& to, const json& from) : core(&to) {
    if (from.at("op") != core->op) throw Error("it keeps the optimizer {}, not {}", from.at("op").get<std::string>(), core->op);
    for (const Hyper& h : core->hypers) {
      if (!from.at("numbers").contains(h.name())) throw Error("it keeps no {}", h.name());
      values.push_back(number_in(from["numbers"][h.name()]));
    }
    if (from.contains("initial_lr")) initial_lr = number_in(from["initial_lr"]);
  }
  void apply() const {
    for (size_t i = 0; i < values.size(); ++i) core->hypers[i] = values[i];
    if (initial_lr) core->initial_lr = initial_lr;
  }

  OptimizerCore* core;
  std::vector<double> values;
  std::optional<double> initial_lr;
};

/// Of one optimizer and its groups.
std::vector<Numbers> numbers_in(OptimizerCore& core, const json& from) {
  std::vector<Numbers> all{{core, from}};
  const json& groups = from.at("groups");
  if (groups.size() != core.groups.size()) throw Error("it keeps {} groups of {}, not {}", groups.size(), core.op, core.groups.size());
  for (const auto& group : core.groups) {
    if (!groups.contains(group.name)) throw Error("it keeps no group '{}' of {}", group.name, core.op);
    all.emplace_back(*group.core, groups[group.name]);
  }
  return all;
}

bool fits(const Array& from, const Array& to) {
  return from.shape() == to.shape() && (from.dtype() == to.dtype() || (is_floating(from.dtype()) && is_floating(to.dtype())) ||
                                        (is_integer(from.dtype()) && is_integer(to.dtype())));
}

void copy(const Array& from, Array& to) {
  if (from.dtype() == to.dtype()) std::copy_n(from.data(), from.bytes(), to.data());
  else
    for (int64_t i = 0; i < from.shape().numel(); ++i) to.set(i, from.at(i));
}

json read_note(const SafeTensors& file) {
  const auto found = file.metadata.find(note_key);
  if (found == file.metadata.end()) throw Error("it keeps tensors alone, neither optimizers nor schedules");
  try {
    return json::parse(found->second);
  } catch (const json::exception&) {
    throw Error("its metadata '{}' are not as weft writes them", note_key);
  }
}

}  // namespace

/// Pairs of what is in the file and what is here, and all that does not fit.
class Checkpoint::Matching {
 public:
  explicit Matching(const SafeTensors& file) : file_(file) {}

  void expect(const std::string& name, Array& to) {
    names_.insert(name);
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end()) missing_ += fmt::format("\n  missing: '{}' {}{}", name, name_of(to.dtype()), to_string(to.shape()));
    else if (!fits(found->second, to))
      wrong_ += fmt::format("\n  wrong: '{}' is {}{} in the file, but {}{} here", name, name_of(found->second.dtype()),
                            to_string(found->second.shape()), name_of(to.dtype()), to_string(to.shape()));
    else pairs_.emplace_back(&found->second, &to);
  }
  /// Whether something asked for the name.
  bool expected(const std::string& name) const { return names_.contains(name); }
  void unexpected(const std::string& name) {
    const Array& array = file_.tensors.at(name);
    unexpected_ += fmt::format("\n  unexpected: '{}' {}{}", name, name_of(array.dtype()), to_string(array.shape()));
  }
  void require_all(const std::string& path) const {
    if (const std::string all = missing_ + unexpected_ + wrong_; !all.empty()) throw Error("'{}' does not fit:{}", path, all);
  }
  void write() const {
    for (const auto& [from, to] : pairs_) copy(*from, *to);
  }

 private:
  const SafeTensors& file_;
  std::set<std::string> names_;
  std::vector<std::pair<const Array*, Array*>> pairs_;
  std::string missing_, unexpected_, wrong_;
};

Checkpoint::Checkpoint(const nn::Module& model) : tensors_(model.state_dict()) {}

Checkpoint& Checkpoint::add(const optim::Optimizer& optimizer) {
  optimizers_.push_back(optimizer.core());
  return *this;
}

Checkpoint& Checkpoint::add(const std::string& name, Array& array) {
  arrays_.emplace_back(name, &array);
  return *this;
}

std::string Checkpoint::tensor_name(const Parameter& parameter, const OptimizerCore& optimizer) const {
  for (const auto& [name, known] : tensors_)
    if (known.is(parameter)) return name;
  throw Error("checkpoint: {} trains '{}', which is not among the tensors to keep", optimizer.op, parameter.name());
}

void Checkpoint::save(const std::string& path) const {
  std::vector<std::pair<std::string, const Array*>> all;
  for (const auto& [name, parameter] : tensors_) all.emplace_back(name, &parameter.array());
  for (const auto& [name, array] : arrays_) all.emplace_back(name, array);
  json note{{"optimizers", json::array()}, {"schedules", json::array()}};
  for (size_t i = 0; i < optimizers_.size(); ++i) {
    note["optimizers"].push_back(describe(*optimizers_[i]));
    for (const auto& states : optimizers_[i]->states)
      for (const auto& [state, array] : states.arrays)
        all.emplace_back(state_prefix(i) + tensor_name(states.parameter, *optimizers_[i]) + "/" + state, &array);
  }
  for (const Progress& p : progress_) {
    json values = json::array();
    for (double value : p.get()) values.push_back(text_of(value));
    note["schedules"].push_back(values);
  }
  auto metadata = notes;
  if (!optimizers_.empty() || !progress_.empty()) metadata[note_key] = note.dump();
  write_safetensors(path, std::move(all), metadata);
}

std::vector<Checkpoint::NewState> Checkpoint::match(const SafeTensors& file, const std::string& path, Matching& matching) {
  for (auto& [name, parameter] : tensors_) matching.expect(name, Parameter(parameter).array());
  for (const auto& [name, array] : arrays_) matching.expect(name, *array);
  for (size_t i = 0; i < optimizers_.size(); ++i)
    for (auto& states : optimizers_[i]->states)
      for (auto& [state, array] : states.arrays) matching.expect(state_prefix(i) + tensor_name(states.parameter, *optimizers_[i]) + "/" + state, array);
  std::vector<NewState> fresh;
  for (const auto& [name, array] : file.tensors) {
    if (matching.expected(name) || (optimizers_.empty() && name.starts_with(own_prefix))) continue;
    if (auto state = new_state(name, array)) fresh.push_back(std::move(*state));
    else matching.unexpected(name);
  }
  matching.require_all(path);
  return fresh;
}

std::optional<Checkpoint::NewState> Checkpoint::new_state(const std::string& name, const Array& array) const {
  for (size_t i = 0; i < optimizers_.size(); ++i)
    for (const auto& [tensor, parameter] : tensors_) {
      const std::string start = state_prefix(i) + tensor + "/";
      if (name.starts_with(start) && name.find('/', start.size()) == std::string::npos)
        return NewState{optimizers_[i].get(), parameter, name.substr(start.size()), &array};
    }
  return std::nullopt;
}

/// What the metadata say of optimizers and schedules.
struct Checkpoint::Kept {
  std::vector<Numbers> numbers;
  std::vector<int64_t> steps;
  std::vector<std::vector<double>> progress;
};

Checkpoint::Kept Checkpoint::kept_in(const SafeTensors& file) const {
  Kept kept;
  if (optimizers_.empty() && progress_.empty()) return kept;
  const json note = read_note(file);
  const json &optimizers = note.at("optimizers"), &schedules = note.at("schedules");
  if (optimizers.size() != optimizers_.size() || schedules.size() != progress_.size())
    throw Error("it keeps {} optimizers and {} schedules, not {} and {}", optimizers.size(), schedules.size(), optimizers_.size(), progress_.size());
  for (size_t i = 0; i < optimizers_.size(); ++i) {
    for (Numbers& n : numbers_in(*optimizers_[i], optimizers[i])) kept.numbers.push_back(std::move(n));
    kept.steps.push_back(optimizers[i].at("steps").get<int64_t>());
  }
  for (size_t i = 0; i < progress_.size(); ++i) {
    if (schedules[i].size() != progress_[i].get().size()) throw Error("it keeps another schedule at place {}", i);
    kept.progress.emplace_back();
    for (const json& value : schedules[i]) kept.progress.back().push_back(number_in(value));
  }
  return kept;
}

void Checkpoint::load(const std::string& path) try {
  const SafeTensors file = read_safetensors(path);
  Matching matching(file);
  const std::vector<NewState> fresh = match(file, path, matching);
  const Kept kept = kept_in(file);

  matching.write();
  for (const NewState& s : fresh)
    copy(*s.array, s.optimizer->state(s.parameter, s.parameter.name(), s.state, s.array->dtype(), s.array->shape()));
  for (size_t i = 0; i < kept.steps.size(); ++i) optimizers_[i]->steps.values<int64_t>()[0] = kept.steps[i];
  for (size_t i = 0; i < kept.progress.size(); ++i) progress_[i].set(kept.progress[i]);
  for (const Numbers& n : kept.numbers) n.apply();  // after the schedules, which compute theirs anew
  notes = file.metadata;
  notes.erase(note_key);
} catch (const json::exception& e) {
  throw Error("'{}': its metadata '{}' are not as weft writes them ({})", path, note_key, e.what());
} catch (const Error& e) {
  const std::string what = e.what();
  if (what.find("'" + path + "'") != std::string::npos) throw;
  throw Error("'{}': {}", path, what);
}

}  // namespace weft
