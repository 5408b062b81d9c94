#include "weft/backends/cuda/exec/feed.h"

#include <cstring>
#include <utility>

#include "weft/runtime/array.h"

namespace weft::cuda {

Feed::Feed(std::shared_ptr<Context> context, const std::vector<size_t>& bytes) : context_(std::move(context)), bytes_(bytes) {
  for (const size_t b : bytes_) {
    offsets_.push_back(total_);
    total_ += (b + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
  }
  for (Slot& slot : slots_) {
    slot.pinned = context_->pinned(total_);
    std::memset(slot.pinned.get(), 0, total_);  // what lies between the pieces is copied, too
    slot.device = context_->buffer(total_);
    slot.copied = context_->event(), slot.read = context_->event();
  }
}

Feed::~Feed() {
  context_->quietly([&] {
    for (StreamHandle* stream : {context_->copy_stream(), context_->stream()}) context_->driver().synchronize(stream);
  });
}

size_t Feed::next() {
  last_ = (last_ + 1) % slots;
  context_->wait_for(slots_[last_].copied);
  return last_;
}

void Feed::write(size_t slot, size_t piece, const std::byte* host) {
  std::memcpy(slots_[slot].pinned.get() + offsets_[piece], host, bytes_[piece]);
}

void Feed::send(size_t number) {
  if (total_ == 0) return;
  Slot& slot = slots_[number];
  StreamHandle* const copies = context_->copy_stream();
  if (std::exchange(slot.sent, true)) context_->record(slot.read, context_->stream());
  context_->wait_in(copies, slot.read);
  context_->copy_in(slot.device.get(), slot.pinned.get(), total_, copies);
  context_->record(slot.copied, copies);
  context_->wait_in(context_->stream(), slot.copied);
}

void Feed::used(size_t number) {
  if (total_ == 0) return;
  context_->record(slots_[number].read, context_->stream());
  slots_[number].sent = false;
}

}  // namespace weft::cuda
