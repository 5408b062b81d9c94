#pragma once
// A thread: its registers, where it stands, and how instructions reach memory from it.

#include <bit>
#include <cmath>
#include <cstring>
#include <optional>

#include "weft/tests/ptx/instruction.h"
#include "weft/tests/ptx/memory.h"

namespace weft::test::ptx {

/// The low bytes of a register.
template <class T>
T from_bits(uint64_t bits) {
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
template <>
inline bool from_bits<bool>(uint64_t bits) {
  return bits != 0;
}

/// Zero-extended. The hardware has one nan of f32 that operations give.
template <class T>
uint64_t to_bits(T value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  if constexpr (std::is_same_v<T, float>)
    if (value != value) bits = 0x7fffffff;
  return bits;
}

/// What all threads of a block share.
struct BlockMemory {
  Memory* global = nullptr;
  Periods* periods = nullptr;
  Region *shared = nullptr, *param = nullptr, *constant = nullptr;
  uint32_t threads = 0;  // of the block
  uint32_t block = 0, epoch = 0;
};

class Thread {
 public:
  enum class State : uint8_t { running, at_barrier, at_warp, done };

  template <class T>
  T get(uint32_t slot) {
    if (!written_[slot]) [[unlikely]]
      unwritten(slot);
    return from_bits<T>(values_[slot]);
  }
  template <class T>
  void set(uint32_t slot, T value) {
    values_[slot] = to_bits(value);
    written_[slot] = 1;
  }

  /// Memory of `bytes` bytes, at a multiple of them. Throws Problem.
  std::byte* access(Space space, uint64_t address, unsigned bytes, Use use, uint32_t& hint);

  void stop(State state) { state_ = state; }
  State state() const { return state_; }
  uint32_t block_threads() const { return memory_->threads; }
  void jump(uint32_t to) { pc_ = to; }
  /// Passes a barrier: what it does from here on is ordered behind what others did before.
  void begin_period() { period_ = 0; }
  /// That it executes, or has come to.
  const Instruction& current() const { return kernel_->code[pc_ - 1]; }

  uint32_t number = 0;  // in its block
  Dim3 position;
  uint32_t warp_epoch = 0;

 private:
  friend class Block;
  [[noreturn]] void unwritten(uint32_t slot) const;
  uint32_t period();

  const Kernel* kernel_ = nullptr;
  BlockMemory* memory_ = nullptr;
  uint64_t* values_ = nullptr;
  uint8_t* written_ = nullptr;
  uint32_t pc_ = 0, period_ = 0;
  State state_ = State::running;
  std::optional<Region> local_;
};

}  // namespace weft::test::ptx
