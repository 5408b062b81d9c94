#include "weft/backends/cuda/exec/feed.h"

#include <cstring>

#include "weft/runtime/array.h"

namespace weft::cuda {

Feed::Feed(std::shared_ptr<Context> context, const std::vector<size_t>& bytes) : context_(std::move(context)), bytes_(bytes) {
  for (const size_t b : bytes_) {
    offsets_.push_back(total_);
    total_ += (b + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
  }
  device_ = context_->buffer(total_);
  for (Slot& slot : slots_) {
    slot.pinned = context_->pinned(total_);
    std::memset(slot.pinned.get(), 0, total_);  // what lies between the pieces is copied, too
    slot.read = context_->event();
  }
}

size_t Feed::next() {
  last_ = (last_ + 1) % slots;
  Slot& slot = slots_[last_];
  if (slot.in_use) context_->wait_for(slot.read);
  slot.in_use = false;
  return last_;
}

void Feed::write(size_t slot, size_t piece, const std::byte* host) {
  std::memcpy(slots_[slot].pinned.get() + offsets_[piece], host, bytes_[piece]);
}

void Feed::copy_in(size_t slot, StreamHandle* stream) const { context_->copy_in(device_.get(), slots_[slot].pinned.get(), total_, stream); }

void Feed::asked(size_t slot) {
  context_->record(slots_[slot].read);
  slots_[slot].in_use = true;
}

}  // namespace weft::cuda
