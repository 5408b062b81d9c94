#include "weft/tests/ptx/races.h"

namespace weft::test::ptx {

void Periods::clear() {
  all_.assign(2, Period{});
  all_[1].block = Period::several;
  latest_joined_ = 1;
}

uint32_t Periods::begin(const Period& period) {
  all_.push_back(period);
  return static_cast<uint32_t>(all_.size() - 1);
}

bool Periods::is_ordered(const Period& before, const Period& mine) {
  if (before.block != mine.block) return false;
  if (before.epoch != mine.epoch) return true;
  if (before.warp != mine.warp) return false;
  return before.warp_epoch != mine.warp_epoch || before.thread == mine.thread;
}

uint32_t Periods::joined(uint32_t before, uint32_t mine) {
  const Period a = all_[before], b = all_[mine];
  if (a.block != b.block) return 1;
  // What is ordered before this access is ordered before whatever follows it, or races with it too.
  if (a.epoch != b.epoch || (a.warp == b.warp && (a.warp_epoch != b.warp_epoch || a.thread == b.thread))) return mine;
  Period both = b;
  both.thread = Period::several;
  if (a.warp != b.warp) both.warp = Period::several, both.warp_epoch = 0;
  const Period& latest = all_[latest_joined_];
  if (latest.block == both.block && latest.epoch == both.epoch && latest.warp == both.warp && latest.warp_epoch == both.warp_epoch)
    return latest_joined_;
  return latest_joined_ = begin(both);
}

std::string Periods::name_of(uint32_t period) const {
  const Period& p = all_[period];
  if (p.block == Period::several) return "several blocks";
  return (p.thread == Period::several ? "several threads" : "thread " + std::to_string(p.thread)) + " of block " + std::to_string(p.block);
}

}  // namespace weft::test::ptx
