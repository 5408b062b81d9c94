#include "weft/runtime/batch_inputs.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>

#include "weft/runtime/data/dataset.h"
#include "weft/support/memory.h"

namespace weft {

std::string describe(const Port& port) {
  return fmt::format("'{}' ({}{}, {})", port.name, name_of(port.dtype), to_string(port.shape),
                     port.where.empty() ? "an unknown line" : port.where);
}

std::string BatchInputs::step() const { return fmt::format("step '{}'", step_); }

void BatchInputs::set_written(std::vector<std::span<const std::byte>> written) {
  written_ = std::move(written);
  std::erase_if(written_, [](const auto& w) { return w.empty(); });
  std::sort(written_.begin(), written_.end(), [](const auto& a, const auto& b) { return a.data() < b.data(); });
  for (Slot& slot : slots_) slot.bound = nullptr;
}

bool BatchInputs::is_written(std::span<const std::byte> memory) const {
  const auto after =
      std::partition_point(written_.begin(), written_.end(), [&](const auto& w) { return w.data() < memory.data() + memory.size(); });
  return after != written_.begin() && std::prev(after)->data() + std::prev(after)->size() > memory.data();
}

/// Callers mostly give the inputs in the graph's order, so the expected place is tried first.
BatchInputs::Slot& BatchInputs::slot_named(std::string_view wanted, size_t expected) {
  if (expected < slots_.size() && port(slots_[expected]).name == wanted) return slots_[expected];
  for (Slot& slot : slots_)
    if (port(slot).name == wanted) return slot;
  std::vector<std::string> names;
  for (const Slot& slot : slots_) names.push_back(port(slot).name);
  throw Error("step '{}' has no input '{}' (its inputs: {})", step_, wanted, fmt::join(names, ", ")).hint(did_you_mean(wanted, names));
}

/// Are the same places given as in the last call, in the inputs' order? Then they are bound, and only what lies there is looked at.
bool BatchInputs::is_as_before(std::span<const Feed> feeds) const {
  if (feeds.size() != slots_.size()) return false;
  for (size_t i = 0; i < feeds.size(); ++i) {
    const Slot& slot = slots_[i];
    const View& values = feeds[i].values;
    const Port& p = port(slot);
    if (!slot.bound || values.data() != slot.bound || values.count() != slot.count || values.dtype() != p.dtype) return false;
    if (feeds[i].name != p.name || (values.shape() && *values.shape() != p.shape)) return false;
  }
  return true;
}

void BatchInputs::feed(std::span<const Feed> feeds, std::span<Binding> bindings) {
  if (is_as_before(feeds)) {
    for (size_t i = 0; i < feeds.size(); ++i)
      if (slots_[i].indices || slots_[i].range) check_values(slots_[i], feeds[i].values);
    return;
  }
  for (Slot& slot : slots_) slot.fed = false;
  for (size_t i = 0; i < feeds.size(); ++i) feed(slot_named(feeds[i].name, i), feeds[i].values, bindings);
  if (feeds.size() < slots_.size()) fail_missing();
}

void BatchInputs::feed(Slot& slot, const View& values, std::span<Binding> bindings) {
  check_form(slot, values);
  check_values(slot, values);
  const bool written = is_written({values.data(), port(slot).bytes()});
  bindings[slot.port] = written ? copy_of(slot, values) : const_cast<std::byte*>(values.data());
  slot.bound = written ? nullptr : values.data();
  slot.fed = true;
}

void BatchInputs::check_form(const Slot& slot, const View& values) const {
  const Port& p = port(slot);
  if (slot.fed) throw Error("input {} is given twice", describe(p)).of(step());
  if (values.dtype() != p.dtype)
    throw Error(ErrorKind::shape, "input {} takes {} elements, given {}", describe(p), name_of(p.dtype), name_of(values.dtype()))
        .of(step())
        .hint("convert them");
  if (values.shape() && *values.shape() != p.shape)
    throw Error(ErrorKind::shape, "input {} is given an array of shape {}", describe(p), to_string(*values.shape()))
        .of(step())
        .hint("a program is compiled for one batch size");
  if (values.count() != p.shape.numel())
    throw Error(ErrorKind::shape, "input {} takes {} elements, given {}", describe(p), p.shape.numel(), values.count())
        .of(step())
        .hint("a program is compiled for one batch size");
  if (!values.data() && values.count() > 0) throw Error("input {} is given a null pointer", describe(p)).of(step());
}

std::byte* BatchInputs::copy_of(Slot& slot, const View& values) {
  const Port& p = port(slot);
  try {
    if (!slot.copy) slot.copy.emplace(p.dtype, p.shape, std::source_location());
  } catch (const OutOfMemory& e) {
    throw OutOfMemory("input {} is given where the step writes, so that it is copied, but {}", describe(p), e.what()).of(step());
  }
  std::memcpy(slot.copy->data(), values.data(), p.bytes());
  return slot.copy->data();
}

void BatchInputs::check_values(const Slot& slot, const View& values) const {
  if (slot.indices) {
    if (const auto bad = find_outside(values, *slot.indices)) {
      Error error(ErrorKind::numeric, "input {} holds {}, but element {} is {}", describe(port(slot)), slot.indices->text(), bad->element,
                  bad->index);
      error.of(step());
      if (bad->index == ignored_label && slot.indices->what == IndexBound().what)
        error.hint("a loss ignores a label where it is told to: {.ignore_index = ignored_label}");
      throw error;
    }
  }
  if (slot.range)
    if (const auto bad = find_outside(values, *slot.range))
      throw Error(ErrorKind::numeric, "input {} holds numbers from {} to {}, but element {} is not one of them", describe(port(slot)),
                  slot.range->low, slot.range->high, *bad)
          .of(step());
}

void BatchInputs::fail_missing() const {
  std::string missing;
  for (const Slot& slot : slots_)
    if (!slot.fed) missing += (missing.empty() ? "" : ", ") + describe(port(slot));
  throw Error("nothing is given for the input {}", missing).of(step());
}

}  // namespace weft
