#include "weft/tests/ptx/thread.h"

namespace weft::test::ptx {

void Thread::unwritten(uint32_t slot) const {
  throw Problem{Check::unwritten_register, "register " + kernel_->names[slot] + " is read and has not been written"};
}

uint32_t Thread::period() {
  if (period_ == 0) period_ = memory_->periods->begin({memory_->block, memory_->epoch, number / 32, warp_epoch, number});
  return period_;
}

namespace {

struct Window {
  Space space;
  uint64_t base;
};

/// Which space a generic address lies in; the windows are 2^24 bytes, as far as the spaces' starts lie apart.
Space space_of(uint64_t& address) {
  if (address < generic_window) return Space::global;
  static constexpr Window windows[] = {
      {Space::shared, shared_base}, {Space::local, local_base}, {Space::param, param_base}, {Space::constant, const_base}};
  for (const Window& w : windows)
    if ((address - generic_window) >> 24 == w.base >> 24) {
      address -= generic_window;
      return w.space;
    }
  return Space::global;
}

}  // namespace

std::byte* Thread::access(Space space, uint64_t address, unsigned bytes, Use use, uint32_t& hint) {
  if (space == Space::generic) space = space_of(address);
  Region* region = nullptr;
  switch (space) {
    case Space::generic:
    case Space::global: region = &memory_->global->find(address, bytes, hint); break;
    case Space::shared: region = memory_->shared; break;
    case Space::param: region = memory_->param; break;
    case Space::constant: region = memory_->constant; break;
    case Space::local: region = &*local_; break;
  }
  if (!region->holds(address, bytes)) throw outside(address, bytes, space, region);
  std::byte* at = region->touch(address, bytes, use);
  if (space == Space::global || space == Space::shared) region->note(address, bytes, use, period(), *memory_->periods);
  return at;
}

}  // namespace weft::test::ptx
