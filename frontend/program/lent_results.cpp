#include "weft/frontend/program/lent_results.h"

#include <algorithm>
#include <mutex>
#include <span>

#include "weft/runtime/threads.h"

namespace weft::detail {
namespace {

/// All that lend. The mutex guards the list, and every copy.
struct Lenders {
  ForkSafeMutex mutex;
  std::vector<LentResults*> all;
  std::atomic<int> owing = 0;
};

Lenders& lenders() {
  static auto* const all = new Lenders;  // never destroyed: static steps may end after it
  return *all;
}
[[maybe_unused]] const Lenders& made_before_main = lenders();

}  // namespace

LentResults::LentResults(std::vector<Place> places) : places_(std::move(places)), copies_(places_.size()), copied_at_(places_.size(), 0) {
  if (places_.empty()) return;
  std::sort(places_.begin(), places_.end(), [](const Place& a, const Place& b) { return a.storage < b.storage; });
  held_ = std::make_shared<char>();
  const std::lock_guard lock(lenders().mutex);
  for (LentResults* other : lenders().all)
    if (overlaps(*other)) other->shares_ = shares_ = true;
  lenders().all.push_back(this);
}

LentResults::~LentResults() {
  if (places_.empty()) return;
  const std::lock_guard lock(lenders().mutex);
  std::erase(lenders().all, this);
  set_owing(false);
}

bool LentResults::overlaps(const LentResults& other) const {
  for (auto a = places_.begin(), b = other.places_.begin(); a != places_.end() && b != other.places_.end();) {
    if (a->storage == b->storage) return true;
    (a->storage < b->storage ? a : b)++;
  }
  return false;
}

void LentResults::before_call() {
  if (places_.empty()) return;
  if (shares_ && lenders().owing > 0) {
    const std::lock_guard lock(lenders().mutex);
    for (LentResults* other : lenders().all)
      if (other != this && other->owing_)
        for (const Place& place : places_) other->keep(*place.storage);
  }
  ++call_;
}

const std::byte* LentResults::read(int output) const {
  for (size_t i = 0; i < places_.size(); ++i) {
    if (places_[i].output != output) continue;
    const std::lock_guard lock(lenders().mutex);
    keep(i);
    return copies_[i].data();
  }
  return nullptr;
}

void LentResults::before_write(const Array& array) {
  if (lenders().owing == 0) return;
  const std::lock_guard lock(lenders().mutex);
  for (LentResults* lender : lenders().all)
    if (lender->owing_) lender->keep(array.storage());
}

void LentResults::keep(const Storage& storage) {
  if (held_.use_count() == 1) {
    set_owing(false);
    // Whoever was handed some meanwhile holds them before looking whether they are owed.
    if (held_.use_count() == 1) return;
    set_owing(true);
  }
  for (size_t i = 0; i < places_.size(); ++i)
    if (places_[i].storage == &storage) keep(i);
}

void LentResults::keep(size_t place) const {
  if (copied_at_[place] == call_) return;
  const std::span<const std::byte> now(places_[place].storage->read(), places_[place].storage->bytes());
  copies_[place].assign(now.begin(), now.end());
  copied_at_[place] = call_;
}

void LentResults::set_owing(bool owing) {
  if (owing_.exchange(owing) != owing) lenders().owing += owing ? 1 : -1;
}

}  // namespace weft::detail
