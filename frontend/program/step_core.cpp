#include "weft/frontend/program/step_core.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "weft/frontend/language/defaults.h"
#include "weft/runtime/threads.h"
#include "weft/support/memory.h"

namespace weft::detail {
namespace {

std::string describe(const Port& port) {
  return fmt::format("'{}' ({}{}, {})", port.name, name_of(port.dtype), to_string(port.shape),
                     port.where.empty() ? "an unknown line" : port.where);
}

/// Marks a program as running; a second thread is turned away. A thread that ran it when this process was forked is none of
/// this process.
class Running {
 public:
  Running(std::atomic<uint64_t>& flag, const std::string& name) : flag_(flag) {
    const uint64_t here = fork_count() + 1;
    if (flag_.exchange(here, std::memory_order_acquire) == here)
      throw Error("step '{}' is running in another thread", name).hint("compile one program per thread");
  }
  ~Running() { flag_.store(0, std::memory_order_release); }

 private:
  std::atomic<uint64_t>& flag_;
};

}  // namespace

StepCore::StepCore(Recorded r, ir::Module p, std::unique_ptr<Program> made, Target t, uint64_t key)
    : recorded(std::move(r)), planned(std::move(p)), program(std::move(made)), target(std::move(t)) {
  key_ = {static_cast<int64_t>(key), 0};
  steps_ = recorded.optimizer ? &recorded.optimizer->steps : &own_steps_;
  bind();
}

void StepCore::start_profile() {
  profiling_ = true;
  program->start_profile();
}

void StepCore::bind() {
  bind_counters();
  slots_.clear(), bindings_.clear(), written_.clear();
  const auto indices = index_bounds(recorded.module.graph());
  const auto ranges = value_ranges(recorded.module.graph());
  const auto found = [](const auto& all, const std::string& name) {
    const auto at = all.find(name);
    return at == all.end() ? std::nullopt : std::optional(at->second);
  };
  BoundByInput bound;
  for (BoundParameter& b : recorded.bindings.parameters) bound.emplace(b.input, &b);
  for (const Port& port : program->inputs()) {
    const ir::Input* input = planned.graph().find_input(port.name);
    WEFT_CHECK(input, "the program has an input '{}' that its graph lacks", port.name);
    if (input->role == ir::Role::batch) {
      slots_.push_back({static_cast<int>(bindings_.size()), found(indices, port.name), found(ranges, port.name)});
      bindings_.emplace_back();
    } else {
      bindings_.push_back(binding_of(port, input->role, bound));
    }
  }
  find_written();
}

/// The arena and what outputs replace. The latter are lent.
void StepCore::find_written() {
  std::vector<LentResults::Place> lent;
  const std::vector<Port>& outputs = program->outputs();
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!outputs[i].alias) continue;
    const Storage* storage = bindings_[static_cast<size_t>(*outputs[i].alias)].storage();
    WEFT_CHECK(storage, "the output '{}' replaces what is in no storage", outputs[i].name);
    lent.push_back({static_cast<int>(i), storage});
    written_.push_back({storage->address(), storage->bytes()});
  }
  written_.push_back(program->arena());
  std::erase_if(written_, [](const auto& w) { return w.empty(); });
  std::sort(written_.begin(), written_.end(), [](const auto& a, const auto& b) { return a.data() < b.data(); });
  lent_ = std::make_unique<LentResults>(std::move(lent));
}

bool StepCore::is_written(std::span<const std::byte> memory) const {
  const auto after =
      std::partition_point(written_.begin(), written_.end(), [&](const auto& w) { return w.data() < memory.data() + memory.size(); });
  return after != written_.begin() && std::prev(after)->data() + std::prev(after)->size() > memory.data();
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
  kernels = std::move(built.kernels);
  compile_milliseconds = built.milliseconds;
  if (profiling_) program->start_profile();
  bind();
  WEFT_CHECK(read_counters(), "step '{}': parameters share a counter of steps, but not their number", name());
  return before;
}

void StepCore::check_freezing() {
  const uint64_t changes = freezing_changes();
  if (changes == freezing_seen_) return;
  recorded.check_freezing(name());
  freezing_seen_ = changes;
}

Binding StepCore::binding_of(const Port& port, ir::Role role, const BoundByInput& bound) {
  if (role == ir::Role::key) return reinterpret_cast<std::byte*>(key_.data());
  if (const auto at = bound.find(port.name); at != bound.end()) return bind(at->second->parameter.array(), port);
  for (const BoundHyper& bound : recorded.bindings.hypers)
    if (bound.input == port.name) return reinterpret_cast<std::byte*>(bound.hyper.address());
  if (OptimizerCore* optimizer = recorded.optimizer.get()) {
    for (Counter& counter : counters_)
      if (port.name == counter.input) return counter.array.storage();
    if (const Hyper* hyper = optimizer->hyper_of_input(port.name)) return reinterpret_cast<std::byte*>(hyper->address());
    const size_t dot = std::min(port.name.rfind('.'), port.name.size());
    if (const auto at = bound.find(std::string_view(port.name).substr(0, dot)); at != bound.end() && dot < port.name.size())
      return bind(optimizer->state(at->second->parameter, at->second->input, port.name.substr(dot + 1), port.dtype, port.shape), port);
  }
  throw InternalError(fmt::format("nothing is bound to the {} '{}'", name_of(role), port.name));
}

uint64_t StepCore::run(std::span<const Feed> feeds) {
  const Running running(running_, name());
  check_switches();
  check_freezing();
  feed(feeds);
  const Before before = read_counters() ? Before() : tell_apart();
  ++calls_;  // until here, a call that is refused leaves the results of the one before as they are
  if (before.program) feed(feeds);
  if (seed_) key_[0] = static_cast<int64_t>(key_of(recorded.optimizer->stream, *seed_));
  key_[1] = *steps_;
  lent_->before_call();
  program->run(bindings_);
  lent_->after_call();
  ++own_steps_;
  if (recorded.optimizer) ++recorded.optimizer->steps;
  for (Counter& counter : counters_) counter.counted();
  checks.check(*program, name());
  return calls_;
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
}

/// Callers mostly give the inputs in the graph's order, so the expected place is tried first.
StepCore::Slot& StepCore::slot_named(std::string_view wanted, size_t expected) {
  if (expected < slots_.size() && port(slots_[expected]).name == wanted) return slots_[expected];
  for (Slot& slot : slots_)
    if (port(slot).name == wanted) return slot;
  std::vector<std::string> names;
  for (const Slot& slot : slots_) names.push_back(port(slot).name);
  throw Error("step '{}' has no input '{}' (its inputs: {})", name(), wanted, comma_separated(names)).hint(did_you_mean(wanted, names));
}

void StepCore::feed(std::span<const Feed> feeds) {
  for (Slot& slot : slots_) slot.fed = false;
  for (size_t i = 0; i < feeds.size(); ++i) feed(slot_named(feeds[i].name, i), feeds[i].values);
  if (feeds.size() < slots_.size()) fail_missing();
}

void StepCore::feed(Slot& slot, const View& values) {
  const Port& p = port(slot);
  if (slot.fed) throw Error("input {} is given twice", describe(p)).of(fmt::format("step '{}'", name()));
  if (values.dtype() != p.dtype)
    throw Error(ErrorKind::shape, "input {} takes {} elements, given {}", describe(p), name_of(p.dtype), name_of(values.dtype()))
        .of(fmt::format("step '{}'", name()))
        .hint("convert them");
  if (values.shape() && *values.shape() != p.shape)
    throw Error(ErrorKind::shape, "input {} is given an array of shape {}", describe(p), to_string(*values.shape()))
        .of(fmt::format("step '{}'", name()))
        .hint("a program is compiled for one batch size");
  if (values.count() != p.shape.numel())
    throw Error(ErrorKind::shape, "input {} takes {} elements, given {}", describe(p), p.shape.numel(), values.count())
        .of(fmt::format("step '{}'", name()))
        .hint("a program is compiled for one batch size");
  if (!values.data() && values.count() > 0)
    throw Error("input {} is given a null pointer", describe(p)).of(fmt::format("step '{}'", name()));
  check_values(slot, values);
  const bool written = is_written({values.data(), p.bytes()});
  bindings_[static_cast<size_t>(slot.port)] = written ? copy_of(slot, values) : const_cast<std::byte*>(values.data());
  slot.fed = true;
}

std::byte* StepCore::copy_of(Slot& slot, const View& values) {
  const Port& p = port(slot);
  try {
    if (!slot.copy) slot.copy.emplace(p.dtype, p.shape, std::source_location());
  } catch (const OutOfMemory& e) {
    throw OutOfMemory("input {} is given where the step writes, so that it is copied, but {}", describe(p), e.what())
        .of(fmt::format("step '{}'", name()));
  }
  std::memcpy(slot.copy->data(), values.data(), p.bytes());
  return slot.copy->data();
}

void StepCore::check_values(const Slot& slot, const View& values) const {
  if (slot.indices) {
    const std::span<const int64_t> all(reinterpret_cast<const int64_t*>(values.data()), static_cast<size_t>(values.count()));
    if (const auto bad = find_outside(all, *slot.indices))
      throw Error(ErrorKind::numeric, "input {} holds {}, but element {} is {}", describe(port(slot)), slot.indices->text(), *bad,
                  all[*bad])
          .of(fmt::format("step '{}'", name()));
  }
  if (slot.range)
    if (const auto bad = find_outside(values, *slot.range))
      throw Error(ErrorKind::numeric, "input {} holds numbers from {} to {}, but element {} is not one of them", describe(port(slot)),
                  slot.range->low, slot.range->high, *bad)
          .of(fmt::format("step '{}'", name()));
}

void StepCore::fail_missing() const {
  std::string missing;
  for (const Slot& slot : slots_)
    if (!slot.fed) missing += (missing.empty() ? "" : ", ") + describe(port(slot));
  throw Error("nothing is given for the input {}", missing).of(fmt::format("step '{}'", name()));
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
