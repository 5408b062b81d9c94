#pragma once
// Memory for many objects of a few sizes that live about as long as each other: one behind the other in blocks, and what was
// given back is taken again by the next of its size. Under the address sanitizer each piece is on its own.

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <vector>

namespace weft {

class Slab {
 public:
  Slab() = default;
  Slab(const Slab&) = delete;
  Slab& operator=(const Slab&) = delete;

  /// Aligned for every type without an alignment of its own. Throws std::bad_alloc.
  void* take(size_t bytes);
  /// `bytes` as it was taken with.
  void give_back(void* piece, size_t bytes);

 private:
  struct Piece {
    Piece* next;
  };
  struct Free {
    void operator()(std::byte* p) const { std::free(p); }
  };

  /// A block with room for so many bytes: twice as large as the one before, up to two huge pages.
  void add_block(size_t bytes);

  std::vector<std::unique_ptr<std::byte, Free>> blocks_;
  std::byte* next_ = nullptr;
  size_t left_ = 0;  // bytes behind next_
  size_t block_bytes_ = 1024;
  std::vector<Piece*> given_back_;  // by size in units: the first of a list
};

}  // namespace weft
