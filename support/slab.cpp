#include "weft/support/slab.h"

#include <algorithm>
#include <new>

#include "weft/support/memory.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WEFT_ALONE
#endif
#elif defined(__SANITIZE_ADDRESS__)
#define WEFT_ALONE
#endif

namespace weft {
namespace {

constexpr size_t unit = 2 * alignof(std::max_align_t);

size_t units_of(size_t bytes) { return (bytes + unit - 1) / unit; }

#ifdef WEFT_ALONE
constexpr bool alone = true;
#else
constexpr bool alone = false;
#endif

}  // namespace

void* Slab::take(size_t bytes) {
  if (alone) return ::operator new(bytes);
  const size_t units = units_of(bytes);
  if (units < given_back_.size() && given_back_[units]) {
    Piece* piece = given_back_[units];
    given_back_[units] = piece->next;
    return piece;
  }
  if (units * unit > left_) add_block(units * unit);
  std::byte* piece = next_;
  next_ += units * unit;
  left_ -= units * unit;
  return piece;
}

void Slab::give_back(void* piece, size_t bytes) {
  if (alone) return ::operator delete(piece, bytes);
  const size_t units = units_of(bytes);
  if (units >= given_back_.size()) given_back_.resize(units + 1);
  given_back_[units] = new (piece) Piece{given_back_[units]};
}

void Slab::add_block(size_t bytes) {
  const size_t size = std::max(bytes, block_bytes_);
  block_bytes_ = std::min<size_t>(2 * block_bytes_, 2 * huge_page);
  blocks_.emplace_back(allocate_buffer(size, unit));
  if (!blocks_.back()) throw std::bad_alloc();
  next_ = blocks_.back().get();
  left_ = size;
}

}  // namespace weft
