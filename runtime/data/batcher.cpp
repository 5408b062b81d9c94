#include "weft/runtime/data/batcher.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include "weft/support/philox.h"

namespace weft {
namespace {

constexpr int64_t slot_count = 3;               // one in use, one ready, one being filled
constexpr uint32_t shuffle_site = 0xDA7A0000u;  // apart from the sites of ops, which count from 0
constexpr int64_t ignored_label = -100;         // cross_entropy's default ignore_index

/// The loader shares the processor with the training step. The blocks of fixed length are what a compiler
/// turns into vector instructions without being asked for more than -O2.
template <class T>
void divide(const T* __restrict from, size_t count, float divisor, float* __restrict to) {
  constexpr size_t block = 16;
  size_t i = 0;
  for (; i + block <= count; i += block) {
    for (size_t j = 0; j < block; ++j) to[i + j] = static_cast<float>(from[i + j]) / divisor;
  }
  for (; i < count; ++i) to[i] = static_cast<float>(from[i]) / divisor;
}

/// A shuffled example is in no cache, and no hardware guesses where it starts; from there on it does.
void prefetch(const std::byte* from, size_t bytes) {
  for (size_t b = 0; b < std::min<size_t>(bytes, 4096); b += 64) __builtin_prefetch(from + b);
}

}  // namespace

void shuffle_order(std::span<int64_t> order, uint64_t seed, int64_t epoch) {
  std::iota(order.begin(), order.end(), int64_t{0});
  const std::array<uint32_t, 2> key = {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)};
  for (uint64_t i = order.size(); i-- > 1;) {
    const auto bits = philox4x32({static_cast<uint32_t>(i), static_cast<uint32_t>(i >> 32), shuffle_site,
                                  static_cast<uint32_t>(epoch)},
                                 key);
    // 64 bits, so that the remainder's bias is below size / 2^64.
    const uint64_t draw = uint64_t{bits[1]} << 32 | bits[0];
    std::swap(order[i], order[draw % (i + 1)]);
  }
}

Batcher::Batcher(const Dataset& dataset, BatchOptions options) : dataset_(dataset), options_(options) {
  dataset.check();
  if (options.batch < 1) throw Error("a batch needs at least 1 example, but .batch = {}", options.batch);
  const int64_t count = dataset.size();
  batches_ = count / options.batch + (!options.drop_last && count % options.batch != 0);
  order_.resize(static_cast<size_t>(count));
  std::iota(order_.begin(), order_.end(), int64_t{0});
  const int64_t room = std::min(options.batch, count);
  for (int64_t i = 0; i < std::min(slot_count, batches_); ++i)
    slots_.push_back({Array(dataset.input_dtype(), dataset.input_shape(room)),
                      Array(dataset.target_dtype(), dataset.target_shape(room)), Batch{}});
  loader_ = std::thread([this] { load(); });
}

Batcher::~Batcher() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_loader_.notify_one();
  loader_.join();
}

void Batcher::start_epoch(int64_t epoch) {
  if (epoch < 0 || epoch > int64_t{UINT32_MAX}) throw Error("epoch {} is not in [0, 2^32)", epoch);
  {
    const std::lock_guard lock(mutex_);
    ++generation_;
    epoch_ = epoch;
    filled_ = taken_ = 0;
    failure_ = nullptr;
  }
  wake_loader_.notify_one();
}

const Batch* Batcher::next() {
  const Batch* result = nullptr;
  {
    std::unique_lock lock(mutex_);
    if (generation_ == 0) throw Error("Batcher::next() was called before start_epoch()");
    wake_consumer_.wait(lock, [this] { return filled_ > taken_ || failure_ || taken_ == batches_; });
    if (taken_ == batches_) return nullptr;
    if (filled_ == taken_) std::rethrow_exception(failure_);
    result = &slots_[static_cast<size_t>(taken_) % slots_.size()].batch;
    ++taken_;
  }
  wake_loader_.notify_one();
  return result;
}

void Batcher::load() {
  uint64_t ordered = 0;  // the generation that order_ belongs to
  std::unique_lock lock(mutex_);
  for (;;) {
    wake_loader_.wait(lock, [this] {
      const int64_t kept = filled_ - std::max<int64_t>(0, taken_ - 1);
      return stop_ || (generation_ != 0 && !failure_ && filled_ < batches_ && kept < std::ssize(slots_));
    });
    if (stop_) return;
    const uint64_t generation = generation_;
    const int64_t epoch = epoch_, index = filled_;
    std::exception_ptr failure;

    lock.unlock();
    try {
      if (ordered != generation) order(epoch);
      ordered = generation;
      fill(slots_[static_cast<size_t>(index) % slots_.size()], index);
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();

    if (generation != generation_) continue;  // start_epoch() was called meanwhile
    if (failure)
      failure_ = failure;
    else
      ++filled_;
    wake_consumer_.notify_one();
  }
}

void Batcher::order(int64_t epoch) {
  if (options_.shuffle) shuffle_order(order_, options_.seed, epoch);
}

void Batcher::fill(Slot& slot, int64_t index) const {
  const int64_t first = index * options_.batch;
  const int64_t size = std::min(options_.batch, dataset_.size() - first);
  const Array& inputs = dataset_.inputs;
  const Array& targets = dataset_.targets;
  const auto elements = static_cast<size_t>(inputs.shape().numel() / dataset_.size());
  const size_t from_bytes = elements * size_of(inputs.dtype());
  const size_t to_bytes = elements * size_of(dataset_.input_dtype());
  const size_t target_bytes = targets.bytes() / static_cast<size_t>(dataset_.size());
  const auto example_at = [this](int64_t place) {
    return static_cast<size_t>(order_[static_cast<size_t>(place)]);
  };

  for (int64_t i = 0; i < size; ++i) {
    const size_t example = example_at(first + i);
    const std::byte* const from = inputs.data() + example * from_bytes;
    if (i + 1 < size) prefetch(inputs.data() + example_at(first + i + 1) * from_bytes, from_bytes);
    std::byte* const to = slot.inputs.data() + static_cast<size_t>(i) * to_bytes;
    if (inputs.dtype() == u8) {
      divide(reinterpret_cast<const uint8_t*>(from), elements, dataset_.divisor,
             reinterpret_cast<float*>(to));
    } else if (dataset_.divisor != 1.0f) {
      divide(reinterpret_cast<const float*>(from), elements, dataset_.divisor, reinterpret_cast<float*>(to));
    } else {
      std::memcpy(to, from, from_bytes);
    }
    check_labels(static_cast<int64_t>(example));
    std::memcpy(slot.targets.data() + static_cast<size_t>(i) * target_bytes,
                targets.data() + example * target_bytes, target_bytes);
  }
  slot.batch = {{slot.inputs.data(), static_cast<size_t>(size) * to_bytes},
                {slot.targets.data(), static_cast<size_t>(size) * target_bytes},
                size,
                index};
}

void Batcher::check_labels(int64_t example) const {
  if (dataset_.targets.dtype() != i64 || dataset_.class_names.empty()) return;
  const int64_t each = dataset_.targets.shape().numel() / dataset_.size();
  const auto labels = dataset_.targets.values<int64_t>().subspan(static_cast<size_t>(example * each),
                                                                 static_cast<size_t>(each));
  const int64_t classes = std::ssize(dataset_.class_names);
  for (const int64_t label : labels)
    if ((label < 0 || label >= classes) && label != ignored_label)
      throw Error("example {} of data set '{}' has the class {}, but there are {} classes", example,
                  dataset_.name, label, classes);
}

}  // namespace weft
