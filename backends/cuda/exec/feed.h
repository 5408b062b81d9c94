#pragma once
// What a program takes from memory of the host. There are two slots, each a block of pinned memory and one on the device: the host writes the
// next step's while the device copies, and the device copies it while it still works on the step before.

#include <array>
#include <memory>
#include <vector>

#include "weft/backends/cuda/exec/context.h"

namespace weft::cuda {

class Feed {
 public:
  /// Room for pieces of so many bytes each.
  Feed(std::shared_ptr<Context> context, const std::vector<size_t>& bytes);
  Feed(const Feed&) = delete;
  /// What the device still does with it ends first.
  ~Feed();

  const std::vector<size_t>& pieces() const { return bytes_; }
  static constexpr size_t slots = 2;
  /// The next slot, once the device has copied what the host wrote there.
  size_t next();
  void write(size_t slot, size_t piece, const std::byte* host);
  /// Has the slot's pieces copied, once no step reads them there any more; the device's stream goes on when they are.
  void send(size_t slot);
  /// The device's stream has been asked for all that reads the slot; where it was not said since, send() waits for all that was asked.
  void used(size_t slot);

  /// What was written last into the slot, on the host.
  const std::byte* written(size_t slot, size_t piece) const { return slots_[slot].pinned.get() + offsets_[piece]; }
  /// Where a piece lies on the device.
  std::byte* piece(size_t slot, size_t number) const { return slots_[slot].device.get() + offsets_[number]; }

 private:
  std::shared_ptr<Context> context_;
  std::vector<size_t> bytes_, offsets_;
  size_t total_ = 0;
  struct Slot {
    PinnedBuffer pinned;
    DeviceBuffer device;
    bool sent = false;   // and not said to be used
    Event copied, read;  // to the device; there, by a step. An event that was never recorded is waited for by nobody
  };
  std::array<Slot, slots> slots_;
  size_t last_ = slots - 1;
};

}  // namespace weft::cuda
