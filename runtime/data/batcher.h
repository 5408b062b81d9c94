#pragma once
// Delivers a data set in batches. One loader thread works ahead of the training step: it gathers, converts
// and shuffles into buffers that are allocated once, and sleeps on a condition variable when they are full.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "weft/runtime/array.h"
#include "weft/runtime/data/dataset.h"

namespace weft {

struct BatchOptions {
  int64_t batch = 64;      // examples in a batch
  bool shuffle = false;    // a new order in each epoch, a function of (seed, epoch) alone
  bool drop_last = false;  // leave out a last batch with fewer than `batch` examples
  uint64_t seed = 0;
};

/// Views into the batcher's buffers.
struct Batch {
  std::span<const std::byte> inputs;   // Dataset::input_shape(size) of Dataset::input_dtype()
  std::span<const std::byte> targets;  // Dataset::target_shape(size) of Dataset::target_dtype()
  int64_t size = 0;   // examples; fewer than BatchOptions::batch only in an epoch's last batch
  int64_t index = 0;  // 0, 1, ... in the epoch
};

class Batcher {
 public:
  /// `dataset` must outlive the batcher and not change. Throws weft::Error as Dataset::check() does and when
  /// options.batch < 1.
  Batcher(const Dataset& dataset, BatchOptions options);
  Batcher(Dataset&& dataset, BatchOptions options) = delete;
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;
  ~Batcher();

  /// Starts (again) at the first batch of `epoch`, in [0, 2^32), whether or not the running epoch is
  /// finished. Ends the validity of the last batch.
  void start_epoch(int64_t epoch);

  /// The next batch, valid until the next call of next() or start_epoch(); null at the end of the epoch.
  /// Throws what the loader thread threw, after the batches before it, and weft::Error before the first
  /// start_epoch().
  const Batch* next();

  /// Batches in an epoch.
  int64_t batches() const { return batches_; }

 private:
  struct Slot {
    Array inputs, targets;
    Batch batch;
  };

  void load();
  void order(int64_t epoch);
  void fill(Slot& slot, int64_t index) const;
  void check_labels(int64_t index) const;

  const Dataset& dataset_;
  const BatchOptions options_;
  int64_t batches_ = 0;
  std::vector<int64_t> order_;  // the loader's alone
  std::vector<Slot> slots_;     // batch i of an epoch lives in slot i % slots_.size()

  std::mutex mutex_;  // guards what follows
  std::condition_variable wake_loader_, wake_consumer_;
  uint64_t generation_ = 0;  // counts start_epoch(); work for an older one is thrown away
  int64_t epoch_ = 0;
  int64_t filled_ = 0;  // batches of this epoch that the loader has finished
  int64_t taken_ = 0;   // batches that next() has returned; the last of them is in use
  std::exception_ptr failure_;
  bool stop_ = false;
  std::thread loader_;
};

/// Writes a permutation of 0 .. order.size()-1: Fisher-Yates with Philox, a function of (seed, epoch) alone;
/// epoch is in [0, 2^32). What a shuffling Batcher uses.
void shuffle_order(std::span<int64_t> order, uint64_t seed, int64_t epoch);

}  // namespace weft
