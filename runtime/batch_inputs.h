#pragma once
// What a step is fed: checks it against what each input takes, and binds it where it lies.

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "weft/runtime/program.h"
#include "weft/runtime/value_bounds.h"
#include "weft/runtime/view.h"

namespace weft {

class BatchInputs {
 public:
  BatchInputs() = default;
  /// `step` is for messages: "mlp"; `ports` are the program's inputs.
  BatchInputs(std::string step, std::vector<Port> ports) : step_(std::move(step)), ports_(std::move(ports)) {}

  /// Input `port` is fed; those that are fed are added in their order.
  void add(size_t port, std::optional<IndexBound> indices, std::optional<ValueRange> range) {
    slots_.push_back({port, ports_[port].shape.numel(), std::move(indices), range});
  }
  /// Memory that the program writes while it reads what is fed.
  void set_written(std::vector<std::span<const std::byte>> written);

  /// Binds each input that is fed to its values where they lie, or to a copy of them where the program writes there.
  ///
  /// Throws weft::Error naming the input, what it requires, what was given and its source line: for a missing or unknown name,
  /// one given twice, another element type or count, and elements that are not allowed. `bindings` are the same ones at every call.
  void feed(std::span<const Feed> feeds, std::span<Binding> bindings);

 private:
  struct Slot {
    size_t port;
    int64_t count;  // of its elements
    std::optional<IndexBound> indices = {};
    std::optional<ValueRange> range = {};
    bool fed = false;
    const std::byte* bound = nullptr;  // where it was bound last, in place
    std::optional<Array> copy = {};    // of what is given where the program writes, once that has happened
  };

  bool is_as_before(std::span<const Feed> feeds) const;
  const Port& port(const Slot& slot) const { return ports_[slot.port]; }
  std::string step() const;
  Slot& slot_named(std::string_view name, size_t expected);
  void feed(Slot& slot, const View& values, std::span<Binding> bindings);
  void check_form(const Slot& slot, const View& values) const;
  void check_values(const Slot& slot, const View& values) const;
  bool is_written(std::span<const std::byte> memory) const;
  std::byte* copy_of(Slot& slot, const View& values);
  [[noreturn]] void fail_missing() const;

  std::string step_;
  std::vector<Port> ports_;
  std::vector<Slot> slots_;
  std::vector<std::span<const std::byte>> written_;  // in order of address
};

/// For messages: "'x' (f32[64,784], train.cpp:12)".
std::string describe(const Port& port);

}  // namespace weft
