#include "weft/support/slab.h"

#include <algorithm>
#include <new>

#include "weft/support/memory.h"

namespace weft {

void Slab::add_block(size_t bytes) {
  const size_t size = std::max(bytes, block_bytes_);
  block_bytes_ = std::min<size_t>(2 * block_bytes_, 2 * huge_page);
  blocks_.emplace_back(allocate_buffer(size, unit));
  if (!blocks_.back()) throw std::bad_alloc();
  next_ = blocks_.back().get();
  left_ = size;
}

}  // namespace weft
