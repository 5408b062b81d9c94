#include "weft/runtime/kept_optimizer.h"

#include <nlohmann/json.hpp>

#include "weft/runtime/checkpoint_names.h"
#include "weft/runtime/note_text.h"
#include "weft/support/error.h"

namespace weft {

using detail::count_in_note;
using detail::list_in_note;
using detail::number_in_note;
using detail::object_in_note;
using detail::text_in_note;
using nlohmann::json;

namespace {

const std::string& states_begin() {
  static const std::string prefix = checkpoint_names::states(0);
  return prefix;
}

/// "fc1.weight" of "weft.optimizer0/fc1.weight/exp_avg".
std::string parameter_of(std::string_view state) {
  state.remove_prefix(states_begin().size());
  return std::string(state.substr(0, std::min(state.rfind('/'), state.size())));
}

/// The numbers of the optimizer, or of a group.
void read_numbers(const StepData& step, KeptOptimizer& kept, const StepNumbers& numbers, const json& from) {
  if (const std::string& op = text_in_note(from, "op"); op != numbers.op)
    throw Error("it keeps the optimizer \"{}\", not {}", op, numbers.op);
  const json& values = object_in_note(from, "numbers");
  for (const StepNumbers::Number& n : numbers.numbers) {
    const double value = number_in_note(values, n.name);
    if (n.input) {
      if (!step.inputs[static_cast<size_t>(*n.input)].range.allows(value)) throw Error("{} cannot be {}", n.name, value);
      kept.numbers.emplace_back(static_cast<size_t>(*n.input), value);
    } else if (value != n.value) {
      throw Error("{} is {} in it, but was {} when the step was compiled, which left out what it scales", n.name, value, n.value);
    }
  }
}

/// How often parameters were updated; a file without counts keeps one number for all.
void read_counts(const StepData& step, KeptOptimizer& kept, const json& optimizer) {
  const json* counts = optimizer.contains("counts") ? &object_in_note(optimizer, "counts") : nullptr;
  for (const StepCounter& counter : step.counters) {
    std::optional<int64_t> count;
    for (const std::string& tensor : counter.of) {
      const bool counted = !counts || counts->contains(tensor);
      const int64_t own = !counted ? 0 : counts ? count_in_note(*counts, tensor) : kept.steps;
      if (counted) kept.counted.insert(tensor);
      if (count && *count != own)
        throw Error("'{}' was updated {} times in it and '{}' {} times, but the step counts them together: compile it again", counter.of[0],
                    *count, tensor, own);
      count = own;
    }
    kept.counts.push_back(count.value_or(0));
  }
}

/// What a checkpoint says of the optimizer: its numbers, counts and stream.
void read_note(const StepData& step, KeptOptimizer& kept, const std::string& text) {
  const json note = detail::parse_note(text);
  const json& optimizers = list_in_note(note, "optimizers");
  if (optimizers.empty()) return;
  if (optimizers.size() != 1) throw Error("it keeps {} optimizers, and the step has one", optimizers.size());
  const json& optimizer = optimizers[0];
  const json groups = optimizer.contains("groups") ? object_in_note(optimizer, "groups") : json::object();
  for (const StepNumbers& numbers : step.numbers)
    read_numbers(step, kept, numbers, numbers.group.empty() ? optimizer : object_in_note(groups, numbers.group));
  kept.steps = count_in_note(optimizer, "steps");
  if (optimizer.contains("stream")) kept.stream = detail::word_in_note(optimizer, "stream");
  read_counts(step, kept, optimizer);
}

/// State that nobody counts the steps of is none to go on from, and none to throw away: what lost its metadata in another program says so.
void require_counted(const StepData& step, const KeptOptimizer& kept, const SafeTensors& file) {
  for (const StepInput& input : step.inputs) {
    const std::string& name = input.tensor;
    if (input.kind != StepInput::Kind::tensor || !kept.begins_anew(name) || !file.tensors.contains(name)) continue;
    throw Error("it keeps '{}', but its metadata '{}' do not say how often '{}' was updated", name, checkpoint_names::note,
                parameter_of(name))
        .hint("a program that writes such a file anew must keep its metadata; without optimizer states in it the optimizer begins anew");
  }
}

}  // namespace

bool is_optimizer_state(std::string_view tensor) { return tensor.starts_with(states_begin()); }

bool KeptOptimizer::begins_anew(std::string_view tensor) const {
  return is_optimizer_state(tensor) && !counted.contains(parameter_of(tensor));
}

KeptOptimizer kept_optimizer(const StepData& step, const SafeTensors& file) {
  KeptOptimizer kept;
  const auto note = file.metadata.find(checkpoint_names::note);
  if (note != file.metadata.end() && !step.numbers.empty()) read_note(step, kept, note->second);
  require_counted(step, kept, file);
  return kept;
}

}  // namespace weft
