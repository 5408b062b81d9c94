#include "weft/frontend/training/checkpoint.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "weft/frontend/optim/core.h"
#include "weft/runtime/checkpoint_names.h"
#include "weft/runtime/note_text.h"
#include "weft/runtime/safetensors.h"
#include "weft/support/conversion.h"

namespace weft {
namespace {

using detail::count_in_note;
using detail::list_in_note;
using detail::number_in_note;
using detail::object_in_note;
using detail::OptimizerCore;
using detail::print_note;
using detail::text_of;
using nlohmann::json;

json numbers_of(const OptimizerCore& core) {
  json numbers = json::object();
  for (const Hyper& h : core.hypers) numbers[h.name()] = text_of(h.value());
  json j{{"op", core.op}, {"numbers", numbers}};
  if (core.initial_lr) j["initial_lr"] = text_of(*core.initial_lr);
  return j;
}

json describe(const OptimizerCore& core) {
  json j = numbers_of(core);
  j["steps"] = core.steps;
  j["stream"] = core.stream;
  j["groups"] = json::object();
  for (const auto& group : core.groups) j["groups"][group.name] = numbers_of(*group.core);
  return j;
}

/// What a file says of an optimizer, checked; apply() writes it.
struct Numbers {
  Numbers(OptimizerCore& to, const json& from) : core(&to) {
    const std::string& op = detail::text_in_note(from, "op");
    if (op != core->op) throw Error("it keeps the optimizer {}, not {}", op, core->op);
    const json& numbers = object_in_note(from, "numbers");
    for (const Hyper& h : core->hypers) {
      if (!numbers.contains(h.name())) throw Error("it keeps no {}", h.name());
      values.push_back(allowed(h, numbers[h.name()]));
    }
    if (const Hyper* lr = core->hyper("lr"); lr && from.contains("initial_lr")) initial_lr = allowed(*lr, from["initial_lr"]);
    if (from.contains("stream")) stream = detail::word_in_note(from, "stream");
  }
  void apply() const {
    for (size_t i = 0; i < values.size(); ++i) core->hypers[i] = values[i];
    if (initial_lr) core->initial_lr = initial_lr;
    if (stream) core->stream = *stream;
  }

  static double allowed(const Hyper& h, const json& text) {
    const double value = number_in_note(text);
    if (!h.allows(value)) throw Error("{} cannot be {}", h.name(), value);
    return value;
  }

  OptimizerCore* core;
  std::vector<double> values;
  std::optional<double> initial_lr;
  std::optional<uint64_t> stream;
};

/// Of one optimizer and its groups.
std::vector<Numbers> numbers_in(OptimizerCore& core, const json& from) {
  std::vector<Numbers> all{{core, from}};
  const json& groups = object_in_note(from, "groups");
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

/// An element of an integer array; as a double it would lose bits.
int64_t integer_at(const Array& array, int64_t i) {
  return array.dtype() == i64 ? array.values<int64_t>()[static_cast<size_t>(i)] : static_cast<int64_t>(array.at(i));
}

/// The first integer that an array of type `to` cannot hold.
std::optional<int64_t> first_beyond(const Array& from, DType to) {
  if (!is_integer(from.dtype()) || from.dtype() == to || to == i64) return std::nullopt;
  for (int64_t i = 0; i < from.shape().numel(); ++i)
    if (const int64_t value = integer_at(from, i); value != wrapped(to, value)) return value;
  return std::nullopt;
}

void copy(const Array& from, Array& to) {
  if (from.dtype() == to.dtype()) std::copy_n(from.data(), from.bytes(), to.data());
  else
    for (int64_t i = 0; i < from.shape().numel(); ++i) to.set(i, from.at(i));
}

json read_note(const SafeTensors& file) {
  const auto found = file.metadata.find(checkpoint_names::note);
  if (found == file.metadata.end()) throw Error("it keeps tensors alone, neither optimizers nor schedules");
  try {
    return detail::parse_note(found->second);
  } catch (const Error& e) {
    throw Error("its metadata '{}' are not as weft writes them ({})", checkpoint_names::note, e.what());
  }
}

}  // namespace

/// Pairs of what is in the file and what is here, and all that does not fit.
class Checkpoint::Matching {
 public:
  explicit Matching(const SafeTensors& file) : file_(file) {}

  void expect(const std::string& name, Array& to) { expect(std::vector{name}, to); }
  /// Under the first of the names that the file has.
  void expect(const std::vector<std::string>& names, Array& to) {
    names_.insert(names.begin(), names.end());
    const std::string& name = name_in_file(names);
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end()) {
      missing_ += fmt::format("\n  missing: '{}' {}{}", name, name_of(to.dtype()), to_string(to.shape()));
      loaded_.missing_keys.push_back(name);
    } else if (!fits(found->second, to))
      wrong_ += fmt::format("\n  wrong: '{}' is {}{} in the file, but {}{} here", name, name_of(found->second.dtype()),
                            to_string(found->second.shape()), name_of(to.dtype()), to_string(to.shape()));
    else if (const auto beyond = first_beyond(found->second, to.dtype()))
      wrong_ += fmt::format("\n  wrong: '{}' is {} in the file and holds {}, which the {} here cannot", name,
                            name_of(found->second.dtype()), *beyond, name_of(to.dtype()));
    else pairs_.emplace_back(&found->second, &to);
    for (const std::string& other : names)
      if (const auto twin = file_.tensors.find(other); twin != file_.tensors.end() && !same(twin->second, found->second))
        wrong_ += fmt::format("\n  wrong: '{}' and '{}' are one parameter here, but other numbers in the file", name, other);
  }
  /// Whether something asked for the name.
  bool expected(const std::string& name) const { return names_.contains(name); }
  void unexpected(const std::string& name) {
    const Array& array = file_.tensors.at(name);
    unexpected_ += fmt::format("\n  unexpected: '{}' {}{}", name, name_of(array.dtype()), to_string(array.shape()));
    loaded_.unexpected_keys.push_back(name);
  }
  /// Throws weft::Error naming all that is in the way.
  void require(const LoadOptions& options, const std::string& path) const {
    const std::string all = (options.strict ? missing_ + unexpected_ : "") + wrong_;
    if (all.empty()) return;
    throw Error(ErrorKind::file, "'{}' does not fit:{}{}", path, all,
                wrong_.empty() ? "\nload(path, {.strict = false}) loads the part that fits" : "");
  }
  const Loaded& loaded() const { return loaded_; }
  void write() const {
    for (const auto& [from, to] : pairs_) copy(*from, *to);
  }

 private:
  static bool same(const Array& a, const Array& b) {
    return a.dtype() == b.dtype() && a.shape() == b.shape() && std::equal(a.data(), a.data() + a.bytes(), b.data());
  }
  const std::string& name_in_file(const std::vector<std::string>& names) const {
    const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& name) { return file_.tensors.contains(name); });
    return found == names.end() ? names[0] : *found;
  }

  const SafeTensors& file_;
  std::set<std::string> names_;
  std::vector<std::pair<const Array*, Array*>> pairs_;
  std::string missing_, unexpected_, wrong_;
  Loaded loaded_;
};

Checkpoint::Checkpoint(const nn::Module& model) : Checkpoint(model.state_dict()) {}

Checkpoint::Checkpoint(Named tensors) {
  for (auto& [name, parameter] : tensors) {
    auto& names = names_[parameter.storage().get()];
    names.push_back(name);
    by_name_.emplace(name, parameter);
    if (names.size() == 1) tensors_.emplace_back(name, parameter);
  }
}

Checkpoint& Checkpoint::add(AveragedWeights& average) {
  const std::string prefix = fmt::format("weft.average{}/", averages_++);
  for (size_t i = 0; i < average.parameters().size(); ++i)
    add(prefix + names_of(average.parameters()[i], "AveragedWeights")[0], Parameter(average.averages()[i]).array());
  progress_.push_back({[&average] { return average.progress(); }, [&average](const auto& p) { average.restore(p); }});
  return *this;
}

Checkpoint& Checkpoint::add(EarlyStopping& stopping) {
  const std::string prefix = stoppings_ == 0 ? "weft.best/" : fmt::format("weft.best{}/", stoppings_);
  ++stoppings_;
  for (size_t i = 0; i < stopping.parameters().size(); ++i)
    add(prefix + names_of(stopping.parameters()[i], "EarlyStopping")[0], stopping.best_weights()[i]);
  progress_.push_back({[&stopping] { return stopping.progress(); }, [&stopping](const auto& p) { stopping.restore(p); }});
  return *this;
}

Checkpoint& Checkpoint::add(const optim::Optimizer& optimizer) {
  optimizers_.push_back(optimizer.core());
  return *this;
}

Checkpoint& Checkpoint::add(const std::string& name, Array& array) {
  arrays_.emplace_back(name, &array);
  return *this;
}

const std::vector<std::string>& Checkpoint::names_of(const Parameter& parameter, const std::string& keeper) const {
  const auto found = names_.find(parameter.storage().get());
  if (found == names_.end())
    throw Error("{} needs '{}', which is not among the tensors to keep", keeper, parameter.name()).of("checkpoint");
  return found->second;
}

void Checkpoint::save(const std::string& path) const {
  std::vector<std::pair<std::string, const Array*>> all;
  for (const auto& [name, parameter] : tensors_) all.emplace_back(name, &parameter.array());
  for (const auto& [name, array] : arrays_) all.emplace_back(name, array);
  json note{{"optimizers", json::array()}, {"schedules", json::array()}};
  for (size_t i = 0; i < optimizers_.size(); ++i) {
    json described = describe(*optimizers_[i]);
    described["counts"] = json::object();
    for (const auto& states : optimizers_[i]->states) {
      const std::string& name = names_of(states.parameter, optimizers_[i]->op)[0];
      described["counts"][name] = states.count;
      for (const auto& [state, array] : states.arrays) all.emplace_back(checkpoint_names::state(i, name, state), &array);
    }
    note["optimizers"].push_back(std::move(described));
  }
  for (const Progress& p : progress_) {
    json values = json::array();
    for (double value : p.get()) values.push_back(text_of(value));
    note["schedules"].push_back(values);
  }
  auto metadata = notes;
  for (const auto& [storage, names] : names_)
    for (size_t i = 1; i < names.size(); ++i) metadata[names[i]] = names[0];
  if (!optimizers_.empty() || !progress_.empty()) metadata[checkpoint_names::note] = print_note(note);
  write_safetensors(path, std::move(all), metadata, true);
}

/// What the metadata say of an optimizer's steps: of all, and the updates of each parameter that has state, by tensor name.
struct Checkpoint::Counts {
  int64_t steps = 0;
  std::optional<std::map<std::string, int64_t>> of = {};  // unset in files that keep one number for all

  /// None where there is no state of the parameter in the file.
  std::optional<int64_t> find(const std::vector<std::string>& names) const {
    if (!of) return steps;
    for (const std::string& name : names)
      if (const auto found = of->find(name); found != of->end()) return found->second;
    return std::nullopt;
  }
};

/// One for each optimizer; of a file that keeps others, which kept_in() refuses, nothing.
std::vector<Checkpoint::Counts> Checkpoint::counts_in(const SafeTensors& file) const {
  std::vector<Counts> counts(optimizers_.size());
  if (counts.empty() || !file.metadata.contains(checkpoint_names::note)) return counts;
  const json note = read_note(file);
  const json& optimizers = list_in_note(note, "optimizers");
  if (optimizers.size() != counts.size()) return counts;
  for (size_t i = 0; i < counts.size(); ++i) {
    counts[i].steps = count_in_note(optimizers[i], "steps");
    if (!optimizers[i].contains("counts")) continue;
    counts[i].of.emplace();
    for (const auto& [name, count] : object_in_note(optimizers[i], "counts").items()) counts[i].of->emplace(name, count_in_note(count));
  }
  return counts;
}

std::vector<Checkpoint::NewState> Checkpoint::match(const SafeTensors& file, const std::vector<Counts>& counts, Matching& matching) {
  for (auto& [name, parameter] : tensors_) matching.expect(names_.at(parameter.storage().get()), Parameter(parameter).array());
  for (const auto& [name, array] : arrays_) matching.expect(name, *array);
  for (size_t i = 0; i < optimizers_.size(); ++i)
    for (auto& states : optimizers_[i]->states) {
      const std::vector<std::string>& names = names_of(states.parameter, optimizers_[i]->op);
      if (!counts[i].find(names)) continue;  // it begins anew
      for (auto& [state, array] : states.arrays) {
        std::vector<std::string> all;
        for (const std::string& name : names) all.push_back(checkpoint_names::state(i, name, state));
        matching.expect(all, array);
      }
    }
  std::vector<NewState> fresh;
  for (const auto& [name, array] : file.tensors) {
    if (matching.expected(name) || (optimizers_.empty() && name.starts_with(checkpoint_names::own))) continue;
    if (auto state = new_state(name, array, counts)) fresh.push_back(std::move(*state));
    else matching.unexpected(name);
  }
  return fresh;
}

std::optional<Checkpoint::NewState> Checkpoint::new_state(const std::string& name, const Array& array,
                                                          const std::vector<Counts>& counts) const {
  for (size_t i = 0; i < optimizers_.size(); ++i) {
    const std::string start = checkpoint_names::states(i);
    const size_t end = name.rfind('/');
    if (!name.starts_with(start) || end < start.size()) continue;
    const auto found = by_name_.find(name.substr(start.size(), end - start.size()));
    if (found == by_name_.end()) continue;
    if (!counts[i].find(names_of(found->second, optimizers_[i]->op)))
      throw Error("it keeps '{}', but not how often {} has updated '{}'", name, optimizers_[i]->op, found->first);
    return NewState{optimizers_[i].get(), found->second, name.substr(end + 1), &array};
  }
  return std::nullopt;
}

void Checkpoint::write_counts(const std::vector<Counts>& counts) {
  for (size_t i = 0; i < optimizers_.size(); ++i) {
    OptimizerCore& core = *optimizers_[i];
    core.steps = counts[i].steps;
    for (auto& states : core.states) {
      const auto count = counts[i].find(names_of(states.parameter, core.op));
      states.count = count.value_or(0);
      if (count) continue;
      for (auto& [state, array] : states.arrays) std::fill_n(array.data(), array.bytes(), std::byte{});
    }
  }
}

/// What the metadata say of optimizers and schedules.
struct Checkpoint::Kept {
  std::vector<Numbers> numbers;
  std::vector<std::vector<double>> progress;
};

Checkpoint::Kept Checkpoint::kept_in(const SafeTensors& file) const {
  Kept kept;
  if (optimizers_.empty() && progress_.empty()) return kept;
  const json note = read_note(file);
  const json &optimizers = list_in_note(note, "optimizers"), &schedules = list_in_note(note, "schedules");
  if (optimizers.size() != optimizers_.size() || schedules.size() != progress_.size())
    throw Error("it keeps {} optimizers and {} schedules, not {} and {}", optimizers.size(), schedules.size(), optimizers_.size(),
                progress_.size());
  for (size_t i = 0; i < optimizers_.size(); ++i)
    for (Numbers& n : numbers_in(*optimizers_[i], optimizers[i])) kept.numbers.push_back(std::move(n));
  for (size_t i = 0; i < progress_.size(); ++i) {
    if (schedules[i].size() != progress_[i].get().size()) throw Error("it keeps another schedule at place {}", i);
    kept.progress.emplace_back();
    for (const json& value : list_in_note(schedules[i])) kept.progress.back().push_back(number_in_note(value));
  }
  return kept;
}

/// All of them or, when one refuses numbers that are not its own, none.
void Checkpoint::restore(const std::vector<std::vector<double>>& progress) {
  std::vector<std::vector<double>> before;
  for (const Progress& p : progress_) before.push_back(p.get());
  try {
    for (size_t i = 0; i < progress.size(); ++i) progress_[i].set(progress[i]);
  } catch (...) {
    for (size_t i = 0; i < before.size(); ++i) progress_[i].set(before[i]);
    throw;
  }
}

Loaded Checkpoint::load(const std::string& path, const LoadOptions& options) try {
  const SafeTensors file = read_safetensors(path);
  Matching matching(file);
  const std::vector<Counts> counts = counts_in(file);
  const std::vector<NewState> fresh = match(file, counts, matching);
  matching.require(options, path);
  const Kept kept = kept_in(file);

  restore(kept.progress);
  matching.write();
  for (const NewState& s : fresh)
    copy(*s.array, s.optimizer->state(s.parameter, s.parameter.name(), s.state, s.array->dtype(), s.array->shape()));
  write_counts(counts);
  for (const Numbers& n : kept.numbers) n.apply();  // after the schedules, which compute theirs anew
  notes = file.metadata;
  notes.erase(checkpoint_names::note);
  for (const auto& [storage, names] : names_)
    for (size_t i = 1; i < names.size(); ++i) notes.erase(names[i]);
  return matching.loaded();
} catch (Error& e) {
  if (e.kind() == ErrorKind::usage) e.as(ErrorKind::file).at(fmt::format("'{}'", path));
  throw;
}

}  // namespace weft
