#pragma once
// Results that lie where others write: parameters and the state of optimizers, which a step updates in place. Nobody reads
// them there. They are copied when somebody asks for them, or when somebody else is about to write while results of the call
// are still held; a step whose new parameters nobody asks for copies nothing.

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "weft/runtime/array.h"

namespace weft::detail {

class LentResults {
 public:
  /// An output of the program, and the storage that it replaces, as long as the program lives.
  struct Place {
    int output;
    const Storage* storage;
  };

  explicit LentResults(std::vector<Place> places);
  ~LentResults();
  LentResults(const LentResults&) = delete;
  LentResults& operator=(const LentResults&) = delete;

  /// Before a step: what the call before lent is gone; what other programs lent of the same memory is copied.
  void before_call();
  /// After a step, once somebody holds its results.
  void handed_out() {
    if (!places_.empty() && !owing_) set_owing(true);
  }
  /// Whoever may read results of the call holds this; null where nothing is lent.
  const std::shared_ptr<const void>& held() const { return held_; }
  /// The elements of `output`, which is lent, after the last call; they stay where they are until the next one.
  const std::byte* read(int output) const;

  /// Somebody other than a step is about to write the array: for Array::pin.
  static void before_write(const Array& array);

 private:
  /// Copies what is still held of this storage.
  void keep(const Storage& storage);
  void keep(size_t place) const;
  void set_owing(bool owing);
  bool overlaps(const LentResults& other) const;

  std::vector<Place> places_;  // by the storage's address
  std::shared_ptr<const void> held_;
  mutable std::vector<std::vector<std::byte>> copies_;  // per place; empty until first needed
  mutable std::vector<uint64_t> copied_at_;             // per place: the call that the copy is of
  uint64_t call_ = 0;
  std::atomic<bool> owing_ = false;   // results may be held; stays so until somebody finds that they are not
  std::atomic<bool> shares_ = false;  // another program lends some of the same memory
};

}  // namespace weft::detail
