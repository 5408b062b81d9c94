#include "weft/runtime/device_program.h"

namespace weft {

DeviceProgram::DeviceProgram(std::shared_ptr<MemorySpace> space, std::vector<Port> inputs, std::vector<Port> outputs)
    : space_(std::move(space)), replaced_(inputs.size(), false), buffers_(inputs.size()), memory_(inputs.size(), nullptr),
      bound_(inputs.size()), results_(outputs.size()), copied_(outputs.size(), false) {
  inputs_ = std::move(inputs);
  outputs_ = std::move(outputs);
  for (const Port& output : outputs_)
    if (output.alias) replaced_[static_cast<size_t>(*output.alias)] = true;
}

std::byte* DeviceProgram::bring(size_t input, const Binding& binding) {
  if (Storage* storage = binding.storage())
    return replaced_[input] ? storage->write_in(space_) : const_cast<std::byte*>(storage->read_in(space_));
  const size_t bytes = inputs_[input].bytes();
  if (!buffers_[input]) buffers_[input] = Buffer(space_->allocate(bytes), {space_});
  space_->copy_in(buffers_[input].get(), binding.host(), bytes);
  return buffers_[input].get();
}

void DeviceProgram::run(std::span<const Binding> inputs) {
  for (size_t i = 0; i < inputs_.size(); ++i) memory_[i] = bring(i, bound_[i] = inputs[i]);
  launch(memory_);
  copied_.assign(copied_.size(), false);
  for (size_t i = 0; i < inputs_.size(); ++i)
    if (replaced_[i] && !inputs[i].storage()) space_->copy_out(inputs[i].host(), memory_[i], inputs_[i].bytes());
}

const std::byte* DeviceProgram::output(int i) const {
  const auto at = static_cast<size_t>(i);
  const Port& port = outputs_[at];
  if (port.alias) return bound_[static_cast<size_t>(*port.alias)].read();
  if (!copied_[at]) {
    if (!results_[at]) results_[at].emplace(port.dtype, port.shape, std::source_location());
    space_->copy_out(results_[at]->data(), result(i), port.bytes());
    copied_[at] = true;
  }
  return results_[at]->data();
}

}  // namespace weft
