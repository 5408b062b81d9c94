#pragma once
// Who has accessed a byte in this launch, as far as it matters for the next access.
//
// Two accesses of different threads are ordered if they are of one block and a barrier of the block stands between them, or of one
// warp and a bar.warp.sync of all its threads does. What an atomic or a fence orders is not followed: a kernel in which one block
// reads what another wrote is a race whatever it does in between. Accesses that are atomic themselves never race with each other.

#include <cstdint>
#include <string>
#include <vector>

#include "weft/tests/ptx/fault.h"

namespace weft::test::ptx {

/// What a thread does between two barriers, or several threads of which it no longer matters which; by number, 0 is nobody.
struct Period {
  static constexpr uint32_t several = UINT32_MAX;
  uint32_t block = 0, epoch = 0;  // block: `several` where several blocks did; epoch: barriers of the block so far
  uint32_t warp = 0, warp_epoch = 0;
  uint32_t thread = 0;
};

/// Of some bytes that are always accessed together: three numbers of periods.
struct Accesses {
  uint32_t writes = 0, atomics = 0, reads = 0;
  bool read_as_constant = false;  // by .nc
};

enum class Use : uint8_t { read, read_constant, write, atomic };

class Periods {
 public:
  Periods() { clear(); }
  void clear();

  /// Accesses of a thread from here to its next barrier.
  uint32_t begin(const Period& period);

  /// Adds an access of the period `mine` to those before; false if it races with one of them, whose period `other` becomes then.
  bool add(Accesses& before, uint32_t mine, Use use, uint32_t& other) {
    switch (use) {
      case Use::read:
      case Use::read_constant:
        if (before.reads == mine) return true;  // what has been written since would have raced with that
        return no_conflict(before.writes, mine, other) && no_conflict(before.atomics, mine, other) && join(before.reads, mine);
      case Use::write:
        return no_conflict(before.writes, mine, other) && no_conflict(before.atomics, mine, other) &&
               no_conflict(before.reads, mine, other) && join(before.writes, mine);
      case Use::atomic:
        return no_conflict(before.writes, mine, other) && no_conflict(before.reads, mine, other) && join(before.atomics, mine);
    }
    return true;
  }

  /// "thread 3 of block 0"; "several blocks".
  std::string name_of(uint32_t period) const;

 private:
  bool no_conflict(uint32_t before, uint32_t mine, uint32_t& other) const {
    if (before == 0 || before == mine || is_ordered(all_[before], all_[mine])) return true;
    other = before;
    return false;
  }
  static bool is_ordered(const Period& before, const Period& mine);
  bool join(uint32_t& before, uint32_t mine) {
    if (before != mine) before = before == 0 ? mine : joined(before, mine);
    return true;
  }
  uint32_t joined(uint32_t before, uint32_t mine);

  std::vector<Period> all_;
  uint32_t latest_joined_ = 0;  // the same one serves for many bytes
};

}  // namespace weft::test::ptx
