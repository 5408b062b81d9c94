#include "weft/frontend/program/results.h"

#include <cstring>

#include "weft/frontend/program/step_core.h"

namespace weft {
namespace {

const Port& port(const detail::StepCore& core, int output) { return core.program->outputs()[static_cast<size_t>(output)]; }

}  // namespace

Result::Result(std::shared_ptr<const detail::StepCore> core, uint64_t step, int output)
    : core_(std::move(core)), held_(core_->lent().held()), step_(step), output_(output) {}

Results::Results(std::shared_ptr<const detail::StepCore> core, uint64_t step)
    : core_(std::move(core)), held_(core_->lent().held()), step_(step) {}

DType Result::dtype() const { return port(*core_, output_).dtype; }
const Shape& Result::shape() const { return port(*core_, output_).shape; }
const std::string& Result::where() const { return port(*core_, output_).where; }

const std::byte* Result::data() const {
  core_->require_latest(step_);
  return port(*core_, output_).alias ? core_->lent().read(output_) : core_->program->output(output_);
}

const std::byte* Result::data(DType wanted) const {
  if (wanted != dtype())
    throw Error("output '{}' holds {} values, but {} was asked for", port(*core_, output_).name, name_of(dtype()), name_of(wanted));
  return data();
}

void Result::require_one() const {
  if (shape().numel() != 1)
    throw Error("output '{}' is {}{}: item() needs exactly one element", port(*core_, output_).name, name_of(dtype()), to_string(shape()))
        .hint("use values()");
}

double Result::item() const {
  require_one();
  return load_element(dtype(), data(), 0);
}

Array Result::array() const {
  const std::byte* from = data();
  Array copy(dtype(), shape(), std::source_location());
  std::memcpy(copy.data(), from, copy.bytes());
  return copy;
}

Result Results::operator[](std::string_view name) const {
  core_->require_latest(step_);
  const std::vector<Port>& outputs = core_->program->outputs();
  for (size_t i = 0; i < outputs.size(); ++i)
    if (outputs[i].name == name) return {core_, step_, static_cast<int>(i)};
  std::vector<std::string> names;
  for (const Port& output : outputs) names.push_back(output.name);
  throw Error("step '{}' has no output '{}'", core_->name(), name)
      .hint(did_you_mean(name, names))
      .hint("outputs are made by graph.output(name, tensor)");
}

}  // namespace weft
