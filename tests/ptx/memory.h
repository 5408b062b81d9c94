#pragma once
// Memory that knows what of it has been written, and by whom in this launch.

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <string>
#include <vector>

#include "weft/tests/ptx/fault.h"
#include "weft/tests/ptx/races.h"
#include "weft/tests/ptx/types.h"

namespace weft::test::ptx {

enum class Access { read_only, read_write };

/// Consecutive bytes: an allocation in global memory, or a block's or thread's own memory.
class Region {
 public:
  Region(std::string name, uint64_t base, uint64_t bytes, Access access = Access::read_write);

  const std::string& name() const { return name_; }
  uint64_t base() const { return base_; }
  uint64_t bytes() const { return data_.size(); }
  bool holds(uint64_t address, unsigned bytes) const { return address - base_ < data_.size() && data_.size() - (address - base_) >= bytes; }

  /// As a copy from the host does: the bytes count as written.
  void fill(uint64_t offset, std::span<const std::byte> bytes);
  std::span<const std::byte> contents() const { return data_; }
  bool is_written(uint64_t offset) const { return written_[offset] != 0; }

  /// Bytes that an aligned access of the region may touch, after all checks but that for races. Throws Problem.
  std::byte* touch(uint64_t address, unsigned bytes, Use use);
  /// The check for races, of such an access. Throws Problem.
  void note(uint64_t address, unsigned bytes, Use use, uint32_t period, Periods& periods);
  /// What is accessed from here on has no past.
  void forget_accesses() { accesses_.clear(); }
  /// Nothing is written any more, either.
  void forget_contents();

 private:
  void split_accesses(unsigned to);

  std::string name_;
  uint64_t base_;
  Access access_;
  std::vector<std::byte> data_;
  std::vector<uint8_t> written_;    // a byte each
  std::vector<Accesses> accesses_;  // of `granule_` bytes each; empty: no access yet
  unsigned granule_ = 0;
};

/// Global memory. Between two allocations lies a gap that belongs to none.
class Memory {
 public:
  /// Uninitialized; returns the address, a multiple of 256 as a driver's are.
  uint64_t allocate(const std::string& name, uint64_t bytes);
  /// Initialized.
  uint64_t allocate(const std::string& name, std::span<const std::byte> bytes, Access access = Access::read_write);
  /// As a copy from the host does. Throws Fault (Check::bounds), as all that take an address, where no allocation starts.
  void write(uint64_t address, std::span<const std::byte> bytes);
  void free(uint64_t address);
  /// Of the allocation at that address: the whole contents.
  const Region& at(uint64_t address) { return *starting_at(address); }

  /// Where an access goes; `hint` is the number of a region to try first, and becomes that of the one found. Throws Problem.
  Region& find(uint64_t address, unsigned bytes, uint32_t& hint);
  /// Before a launch.
  void forget_accesses();

 private:
  Region& add(Region region);
  std::deque<Region>::iterator starting_at(uint64_t address);

  std::deque<Region> regions_;  // by address
  uint64_t next_ = uint64_t{1} << 36;
};

/// What an access outside of a region says.
Problem outside(uint64_t address, unsigned bytes, Space space, const Region* nearest);

}  // namespace weft::test::ptx
