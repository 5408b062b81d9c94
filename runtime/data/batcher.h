#pragma once
// Delivers a data set in batches. Worker threads go ahead of the training step: they gather, convert, shuffle and transform
// into buffers that are allocated once, and sleep on a condition variable when these are full.

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "weft/runtime/array.h"
#include "weft/runtime/data/dataset.h"
#include "weft/runtime/data/sampler.h"
#include "weft/runtime/threads.h"
#include "weft/runtime/view.h"

namespace weft {

namespace detail {
class BatchLoader;
}

struct BatchOptions {
  int64_t batch = 64;      // examples in a batch
  bool shuffle = false;    // a new order in each epoch, a function of (seed, epoch) alone
  bool drop_last = false;  // leave out a last batch with fewer than `batch` examples
  uint64_t seed = 0;       // of the order and of random transforms
  int workers = 1;         // threads that load, fewer where the system refuses them; their number changes no order and no bit
  Sampler sampler = {};    // which examples an epoch has, in the place of all, and in which order. Random transforms of an example are then
                           // a function of its place in the epoch

  /// How many of the data set's examples an epoch takes, the last batch included.
  int64_t examples(const Dataset& data) const { return sampler ? sampler.count : data.size(); }
};

/// Views into the batcher's buffers: step({{"x", batch->inputs}, {"y", batch->targets}}), or step.run(batch->arrays).
struct Batch {
  View inputs;                // "x": Dataset::input_shape(size) of Dataset::input_dtype(); empty where the data set has none
  View targets;               // "y": Dataset::target_shape(size) of Dataset::target_dtype(); likewise
  std::vector<Feed> arrays;   // all by name: these two and Dataset::arrays
  int64_t size = 0;           // examples; fewer than BatchOptions::batch only in an epoch's last batch
  int64_t index = 0;          // 0, 1, ... in the epoch
  int64_t padded_length = 0;  // of the columns that are padded: ExampleSource::padded_lengths

  /// Throws weft::Error with the nearest names.
  View operator[](std::string_view name) const;
};

class Batcher {
 public:
  /// `dataset` must outlive the batcher and not change. Throws weft::Error as Dataset::check() does, when
  /// options.batch < 1 or options.workers < 1, for a sampler of a set of another size or beside `shuffle`, and for a stream with either of
  /// these or several workers.
  Batcher(const Dataset& dataset, BatchOptions options);
  Batcher(Dataset&& dataset, BatchOptions options) = delete;
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;
  ~Batcher();

  /// Starts (again) at batch number `first` of `epoch`, in [0, 2^32), whether or not the running epoch is
  /// finished. Ends the validity of the last batch.
  void start_epoch(int64_t epoch, int64_t first = 0);

  /// The next batch, valid until the next call of next() or start_epoch(); null at the end of the epoch.
  /// Throws what the worker threw, after the batches before it, and weft::Error before the first
  /// start_epoch().
  const Batch* next();

  /// Batches in an epoch.
  int64_t batches() const { return batches_; }

 private:
  struct Scratch;
  struct Slot {
    std::vector<Array> arrays;  // as the loader's columns
    Batch batch;
    bool busy = false;   // a worker writes it, maybe for an epoch that is no longer asked for
    bool ready = false;  // holds a batch of this epoch for next(), or what went wrong
    std::exception_ptr failure;
  };
  /// Where threads meet. One object, so that a child of this process can leave it behind with the threads that wait in it.
  struct Meeting {
    std::mutex mutex;
    std::condition_variable wake_workers, wake_consumer;
    Workers workers;
    const uint64_t born = fork_count();
  };

  void check_options() const;
  /// Has each epoch an order of its own?
  bool reorders() const { return options_.shuffle || options_.sampler; }
  void start_workers();
  void renew_after_fork();
  void work();
  void work_once(std::unique_lock<std::mutex>& lock, Scratch& scratch);
  bool must_order() const;
  bool may_fill() const;
  void order(std::unique_lock<std::mutex>& lock);
  void draw_order(int64_t epoch);
  void fill_next(std::unique_lock<std::mutex>& lock, Scratch& scratch);
  void fill(Slot& slot, int64_t index, int64_t epoch, Scratch& scratch) const;
  Slot& slot_of(int64_t index) { return slots_[static_cast<size_t>(index) % slots_.size()]; }
  const Slot& slot_of(int64_t index) const { return slots_[static_cast<size_t>(index) % slots_.size()]; }

  const Dataset& dataset_;
  const BatchOptions options_;
  int64_t batches_ = 0;
  std::unique_ptr<const detail::BatchLoader> loader_;
  std::vector<Slot> slots_;     // batch i of an epoch lives in slot i % slots_.size()
  std::vector<int64_t> order_;  // written when no slot is busy, as what follows
  std::exception_ptr order_failure_;

  std::shared_ptr<Meeting> meeting_ = std::make_shared<Meeting>();
  std::unique_ptr<Scratch> scratch_;  // of the caller of next(), where there are no workers
  // The mutex guards what follows, and the slots' flags.
  uint64_t generation_ = 0;  // counts start_epoch(); work for an older one is thrown away
  uint64_t ordered_ = 0;     // the generation that order_ belongs to
  bool ordering_ = false;
  int64_t epoch_ = 0;
  int64_t started_ = 0;  // the first batch that was asked for
  int64_t claimed_ = 0;  // batches of this epoch that workers have begun
  int64_t taken_ = 0;    // batches that next() has returned; the last of them is in use
  int busy_ = 0;         // slots that are
  bool stop_ = false;
};

/// Writes a permutation of 0 .. order.size()-1: Fisher-Yates with Philox, a function of (seed, epoch) alone;
/// epoch is in [0, 2^32). What a shuffling Batcher uses.
void shuffle_order(std::span<int64_t> order, uint64_t seed, int64_t epoch);

}  // namespace weft
