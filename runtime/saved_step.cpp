#include "weft/runtime/saved_step.h"

#include <algorithm>
#include <array>

#include "weft/runtime/running.h"
#include "weft/runtime/saved_state.h"
#include "weft/support/error.h"
#include "weft/support/philox.h"

namespace weft {
namespace {

using Kind = StepInput::Kind;

}  // namespace

struct SavedStep::State {
  State(StepData d, std::unique_ptr<Program> p) : data(std::move(d)), program(std::move(p)), values(data, program->inputs()) {
    batch = BatchInputs(data.name, program->inputs());
    for (size_t i = 0; i < data.inputs.size(); ++i) bind(i);
    std::vector<std::span<const std::byte>> written{program->arena()};
    for (const Port& output : program->outputs())
      if (output.alias) {
        Storage* storage = bindings[static_cast<size_t>(*output.alias)].storage();
        if (!storage) throw Error(ErrorKind::file, "the output '{}' replaces what is no tensor", output.name);
        written.push_back({storage->address(), storage->bytes()});
      }
    batch.set_written(std::move(written));
  }

  void bind(size_t i) {
    const StepInput& input = data.inputs[i];
    switch (input.kind) {
      case Kind::batch:
        batch.add(i, input.indices, input.values);
        bindings.emplace_back();
        return;
      case Kind::tensor:
      case Kind::counter: bindings.emplace_back(values.array(i).storage()); return;
      case Kind::number: bindings.emplace_back(reinterpret_cast<std::byte*>(&values.number(i))); return;
      case Kind::key: bindings.emplace_back(reinterpret_cast<std::byte*>(key.data())); return;
    }
  }

  size_t find_output(std::string_view wanted) const {
    std::vector<std::string> names;
    for (const Port& output : program->outputs()) {
      if (output.name == wanted) return names.size();
      names.push_back(output.name);
    }
    throw Error("step '{}' has no output '{}'", data.name, wanted).hint(did_you_mean(wanted, names));
  }

  StepData data;
  std::unique_ptr<Program> program;
  SavedState values;
  BatchInputs batch;
  std::vector<Binding> bindings;
  std::array<int64_t, 2> key{};
  bool ran = false;
  std::atomic<uint64_t> running = 0;
};

SavedStep::SavedStep(StepData data, std::unique_ptr<Program> program)
    : state_(std::make_unique<State>(std::move(data), std::move(program))) {}
SavedStep::SavedStep(SavedStep&&) noexcept = default;
SavedStep& SavedStep::operator=(SavedStep&&) noexcept = default;
SavedStep::~SavedStep() = default;

const std::string& SavedStep::name() const { return state_->data.name; }
const std::vector<Port>& SavedStep::outputs() const { return state_->program->outputs(); }
size_t SavedStep::arena_bytes() const { return state_->program->arena_bytes(); }
bool SavedStep::trains() const {
  return std::any_of(outputs().begin(), outputs().end(), [](const Port& output) { return output.alias.has_value(); });
}

std::vector<Port> SavedStep::batch() const {
  std::vector<Port> all;
  for (size_t i = 0; i < state_->data.inputs.size(); ++i)
    if (state_->data.inputs[i].kind == Kind::batch) all.push_back(state_->program->inputs()[i]);
  return all;
}

std::vector<std::string> SavedStep::tensors() const { return state_->values.tensors(); }
Array& SavedStep::tensor(std::string_view name) { return state_->values.tensor(name); }
const Array& SavedStep::tensor(std::string_view name) const { return state_->values.tensor(name); }
void SavedStep::load(const std::string& path) { state_->values.load(path); }
void SavedStep::save(const std::string& path) const { state_->values.save(path); }
std::vector<std::string> SavedStep::numbers() const { return state_->values.numbers(); }
double SavedStep::number(std::string_view name) const { return state_->values.number(state_->values.find_number(name)); }
void SavedStep::set(std::string_view name, double value) { state_->values.set(state_->values.find_number(name), value); }
int64_t SavedStep::steps() const { return state_->values.steps(); }

void SavedStep::run(std::span<const Feed> feeds) {
  State& s = *state_;
  const Running running(s.running, s.data.name, "load the program once for each thread");
  s.values.require_loaded();
  s.batch.feed(feeds, s.bindings);
  const StepData& d = s.data;
  s.key = {static_cast<int64_t>(d.seed ? stream_key(s.values.stream(), *d.seed) : d.key), s.values.steps()};
  s.values.before_run();
  s.program->run(s.bindings);
  s.values.after_run();
  s.ran = true;
}

View SavedStep::output(std::string_view name) const {
  const size_t i = state_->find_output(name);
  if (!state_->ran) throw Error("step '{}' has not run yet, so '{}' is not known", state_->data.name, name);
  const Port& port = outputs()[i];
  const std::byte* data =
      port.alias ? state_->bindings[static_cast<size_t>(*port.alias)].read() : state_->program->output(static_cast<int>(i));
  return {data, static_cast<size_t>(port.shape.numel()), port.dtype};
}

double SavedStep::item(std::string_view name) const {
  const View view = output(name);
  if (view.count() != 1) throw Error("output '{}' has {} elements: item() needs exactly one", name, view.count()).hint("use output()");
  return load_element(view.dtype(), view.data(), 0);
}

}  // namespace weft
