#pragma once
// What a program takes from memory of the host: one block, written while the device still works on the step before.

#include <array>
#include <memory>
#include <vector>

#include "weft/backends/cuda/exec/context.h"

namespace weft::cuda {

class Feed {
 public:
  /// Room for pieces of so many bytes each.
  Feed(std::shared_ptr<Context> context, const std::vector<size_t>& bytes);

  const std::vector<size_t>& pieces() const { return bytes_; }
  static constexpr size_t slots = 2;
  /// The next slot, once the device has read what was in it.
  size_t next();
  void write(size_t slot, size_t piece, const std::byte* host);
  /// Brings a slot's pieces to the device.
  void copy_in(size_t slot, StreamHandle* stream) const;
  /// The device has been asked to read the slot.
  void asked(size_t slot);

  std::byte* piece(size_t number) const { return device_.get() + offsets_[number]; }

 private:
  std::shared_ptr<Context> context_;
  std::vector<size_t> bytes_, offsets_;
  size_t total_ = 0;
  DeviceBuffer device_;
  struct Slot {
    PinnedBuffer pinned;
    Event read;
    bool in_use = false;
  };
  std::array<Slot, slots> slots_;
  size_t last_ = slots - 1;
};

}  // namespace weft::cuda
