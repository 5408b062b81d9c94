#include "weft/frontend/program/step_core.h"

#include <algorithm>
#include <utility>

#include "weft/frontend/language/defaults.h"
#include "weft/frontend/program/finite_check.h"
#include "weft/frontend/program/reproducer.h"
#include "weft/ir/op_def.h"
#include "weft/ir/registry.h"
#include "weft/runtime/float_mode.h"
#include "weft/runtime/running.h"
#include "weft/support/philox.h"

namespace weft::detail {
namespace {

bool takes_indices(const std::string& op) {
  const ir::OpDef* def = ir::registry().find(op);
  return def && std::any_of(def->operands.begin(), def->operands.end(), [](const ir::OperandSpec& operand) { return operand.index; });
}

}  // namespace

StepCore::StepCore(Recorded r, ir::Module p, std::unique_ptr<Program> made, Target t, uint64_t key)
    : recorded(std::move(r)), planned(std::move(p)), program(std::move(made)), target(std::move(t)) {
  key_ = {static_cast<int64_t>(key), 0};
  steps_ = recorded.optimizer ? &recorded.optimizer->steps : &own_steps_;
  bind();
}

void StepCore::start_profile(int64_t traced_steps) {
  traced_steps_ = traced_steps;
  program->start_profile(traced_steps);
}

Replay StepCore::replayed() const {
  const FloatMode mode;
  const Backend& backend = target.backend();
  Replay replay(recorded.module, backend.target());
  replay.run(weft::passes::pipeline(backend.pipeline()));
  return replay;
}

const std::vector<std::vector<std::string>>& StepCore::recorded_of_calls() {
  if (!recorded_of_calls_) recorded_of_calls_ = replayed().recorded_of(planned.graph());
  return *recorded_of_calls_;
}

void StepCore::bind() {
  bind_counters();
  bindings_.clear();
  batch_ = BatchInputs(name(), program->inputs());
  const auto indices = index_bounds(recorded.module.graph());
  const auto ranges = value_ranges(recorded.module.graph());
  const auto found = [](const auto& all, const std::string& name) {
    const auto at = all.find(name);
    return at == all.end() ? std::nullopt : std::optional(at->second);
  };
  const BoundByInput bound = bound_parameters();
  for (const Port& port : program->inputs()) {
    const ir::Input* input = planned.graph().find_input(port.name);
    WEFT_CHECK(input, "the program has an input '{}' that its graph lacks", port.name);
    if (input->role == ir::Role::batch) {
      batch_.add(bindings_.size(), found(indices, port.name), found(ranges, port.name));
      bindings_.emplace_back();
    } else {
      bindings_.push_back(binding_of(port, source_of(port, input->role, bound)));
    }
  }
  find_written();
}

/// The arena and what outputs replace. The latter are lent.
void StepCore::find_written() {
  std::vector<LentResults::Place> lent;
  std::vector<std::span<const std::byte>> written{program->arena()};
  const std::vector<Port>& outputs = program->outputs();
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].alias) continue;
    const Storage* storage = bindings_[static_cast<size_t>(*outputs[i].alias)].storage();
    WEFT_CHECK(storage, "the output '{}' replaces what is in no storage", outputs[i].name);
    lent.push_back({static_cast<int>(i), storage});
    written.push_back({storage->address(), storage->bytes()});
  }
  batch_.set_written(std::move(written));
  lent_ = std::make_unique<LentResults>(std::move(lent));
}

Binding StepCore::bind(Array& array, const Port& port) {
  if (array.dtype() != port.dtype || array.shape() != port.shape)
    throw Error("{} is {}{} by now", describe(port), name_of(array.dtype()), to_string(array.shape()))
        .of(fmt::format("step '{}'", name()))
        .hint("record the graph again");
  array.pin(&LentResults::before_write);
  return array.storage();
}

bool StepCore::Counter::read() {
  if (of.empty()) return true;
  if (value != of[0]->count) array.set(0, static_cast<double>(value = of[0]->count));
  return std::all_of(of.begin(), of.end(), [&](const OptimizerCore::States* states) { return states->count == value; });
}

void StepCore::Counter::counted() {
  ++value;
  for (OptimizerCore::States* states : of) ++states->count;
}

void StepCore::bind_counters() {
  counters_.clear();
  if (!recorded.optimizer) return;
  const ir::TrainSpec& train = *recorded.module.train;
  std::vector<const ParameterStorage*> together;
  const std::vector<const Parameter*> counted = recorded.counted();
  const std::vector<std::string> inputs = train.all_inputs();
  for (size_t i = 0; i < counted.size(); ++i) {
    const std::string name = train.counter_name(train.counters.empty() ? 0 : train.counters[i]);
    auto counter = std::find_if(counters_.begin(), counters_.end(), [&](const Counter& c) { return c.input == name; });
    if (counter == counters_.end()) counter = counters_.insert(counter, {name});
    if (!counted[i]) continue;
    counter->of.push_back(&recorded.optimizer->states_of(*counted[i], inputs[i]));
    together.push_back(counted[i]->storage().get());
  }
  recorded.optimizer->note_together(std::move(together));
}

bool StepCore::read_counters() {
  bool agree = true;
  for (Counter& counter : counters_) agree = counter.read() && agree;
  return agree;
}

StepCore::Before StepCore::tell_apart() {
  recorded.tell_counters_apart();
  Built built = build(recorded.module, target, options);
  planned = std::move(built.planned);
  Before before{std::exchange(program, std::move(built.program)),
                std::exchange(lent_, std::make_unique<LentResults>(std::vector<LentResults::Place>()))};
  passes = std::move(built.passes);
  checks = std::move(built.checks);
  watch = std::move(built.watch);
  kernels = std::move(built.kernels);
  recorded_of_calls_.reset();
  compile_milliseconds = built.milliseconds;
  if (traced_steps_) program->start_profile(*traced_steps_);
  bind();
  WEFT_CHECK(read_counters(), "step '{}': parameters share a counter of steps, but not their number", name());
  return before;
}

void StepCore::check_changes() {
  if (const uint64_t changes = freezing_changes(); changes != freezing_seen_) {
    recorded.check_freezing(name());
    freezing_seen_ = changes;
  }
  if (recorded.optimizer && recorded.optimizer->groups.size() != groups_seen_) {
    recorded.check_groups(name());
    groups_seen_ = recorded.optimizer->groups.size();
  }
  if (recorded.untrained.empty()) return;
  recorded.check_untrained(name());
  recorded.untrained.clear();  // by its first call the program has made its models
}

StepCore::BoundByInput StepCore::bound_parameters() {
  BoundByInput bound;
  for (BoundParameter& b : recorded.bindings.parameters) bound.emplace(b.input, &b);
  return bound;
}

StepCore::Source StepCore::source_of(const Port& port, ir::Role role, const BoundByInput& bound) {
  if (role == ir::Role::key) return Key{};
  if (const auto at = bound.find(port.name); at != bound.end()) return at->second;
  for (BoundHyper& bound : recorded.bindings.hypers)
    if (bound.input == port.name) return &bound.hyper;
  if (OptimizerCore* optimizer = recorded.optimizer.get()) {
    for (Counter& counter : counters_)
      if (port.name == counter.input) return &counter;
    if (Hyper* hyper = optimizer->hyper_of_input(port.name)) return hyper;
    const size_t dot = std::min(port.name.rfind('.'), port.name.size());
    if (const auto at = bound.find(std::string_view(port.name).substr(0, dot)); at != bound.end() && dot < port.name.size())
      return State{at->second, port.name.substr(dot + 1)};
  }
  throw InternalError(fmt::format("nothing is bound to the {} '{}'", name_of(role), port.name));
}

namespace {

/// One function of several.
template <class... F>
struct Cases : F... {
  using F::operator()...;
};
template <class... F>
Cases(F...) -> Cases<F...>;

}  // namespace

Binding StepCore::binding_of(const Port& port, const Source& source) {
  return std::visit(Cases{[&](Key) -> Binding { return reinterpret_cast<std::byte*>(key_.data()); },
                          [&](BoundParameter* bound) { return bind(bound->parameter.array(), port); },
                          [&](Hyper* hyper) -> Binding { return reinterpret_cast<std::byte*>(hyper->address()); },
                          [&](Counter* counter) -> Binding { return counter->array.storage(); },
                          [&](const State& state) {
                            const BoundParameter& of = *state.of;
                            return bind(recorded.optimizer->state(of.parameter, of.input, state.name, port.dtype, port.shape), port);
                          }},
                    source);
}

uint64_t StepCore::run(std::span<const Feed> feeds) {
  const Running running(running_, name(), "compile one program per thread");
  check_switches();
  check_changes();
  batch_.feed(feeds, bindings_);
  const Before before = read_counters() ? Before() : tell_apart();
  ++calls_;  // until here, a call that is refused leaves the results of the one before as they are
  if (before.program) batch_.feed(feeds, bindings_);
  if (seed_) key_[0] = static_cast<int64_t>(stream_key(recorded.optimizer->stream, *seed_));
  key_[1] = *steps_;
  lent_->before_call();
  if (options.check_finite) run_checked();
  else program->run(bindings_);
  ++own_steps_;
  if (recorded.optimizer) ++recorded.optimizer->steps;
  for (Counter& counter : counters_) counter.counted();
  return calls_;
}

/// What it updates is as before where it throws.
void StepCore::run_checked() {
  const Undo undo(*program, bindings_);
  try {
    if (program->shows_calls()) run_finite(*program, planned, bindings_);
    else program->run(bindings_);
    checks.check(*program, name());
  } catch (NotFinite& e) {
    undo.restore();
    if (checks.has_indices() && takes_indices(e.value_of)) check_indices(undo);
    e.of(fmt::format("step '{}'", name()));
    reproduce(e);
    throw;
  } catch (const Error&) {
    undo.restore();
    if (!program->shows_calls()) find_on_cpu(undo);
    throw;
  }
}

/// What an op takes from a place where there is nothing is nan: that the index is wrong says more.
void StepCore::check_indices(const Undo& undo) {
  program->run(bindings_);
  undo.restore();
  checks.check_indices(*program, name());
}

/// Writes down what `e` is about.
void StepCore::reproduce(NotFinite& e) const {
  const auto autocast = target.backend().target().autocast();
  e.hint("what the step updates is as it was before");
  detail::reproduce(e, {recorded.module, *program, bindings_, target.name(), autocast ? std::string(name_of(*autocast)) : ""},
                    options.reproducer.empty() ? reproducer_folder(name()) : options.reproducer);
}

/// A device that does not show its calls has given something that is not finite: says which op does on the CPU.
void StepCore::find_on_cpu(const Undo& undo) {
  const Target cpu = Target::cpu({.autocast = target.backend().target().autocast()});
  const Built built = build(recorded.module, cpu, options);
  std::vector<Binding> inputs;
  for (const Port& port : built.program->inputs()) {
    const auto same = [&](const Port& p) { return p.name == port.name; };
    const auto at = std::find_if(program->inputs().begin(), program->inputs().end(), same) - program->inputs().begin();
    inputs.push_back(bindings_[static_cast<size_t>(at)]);
  }
  try {
    run_finite(*built.program, built.planned, inputs);
  } catch (NotFinite& e) {
    undo.restore();
    e.of(fmt::format("step '{}', of which the CPU computes the same", name()));
    reproduce(e);
    throw;
  } catch (const Error&) {
    // What the device gave is said.
  }
  undo.restore();
}

void StepCore::draw_as_optimizer(uint64_t seed) {
  if (recorded.optimizer && !recorded.bindings.key.empty()) seed_ = seed;
}

void StepCore::check_switches() const {
  for (const OffSwitch& off : recorded.bindings.off)
    if (off.hyper != 0)
      throw Error("{} is {}, but it was 0 when the step was recorded, so {}", off.hyper.name(), off.hyper.value(), off.left_out)
          .of(fmt::format("step '{}'", name()))
          .hint("record and compile again with it set (it can then change between nonzero values), or set it back to 0");
  for (const Hyper& clip : recorded.clips)
    if (clip == 0)
      throw Error("{} is 0, to which the step would clip every gradient, for it was not 0 when the step was recorded", clip.name())
          .of(fmt::format("step '{}'", name()))
          .hint("record and compile again with it at 0, or set it to infinity, which clips nothing");
}

std::string comma_separated(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

void StepCore::require_latest(uint64_t step) const {
  if (step != calls_)
    throw Error("these results of step '{}' are gone: the step has run again since (call {}, now {})", name(), step, calls_)
        .hint("copy what is needed before the next call");
}

}  // namespace weft::detail
