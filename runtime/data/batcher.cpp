#include "weft/runtime/data/batcher.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "weft/runtime/float_mode.h"
#include "weft/support/memory.h"
#include "weft/support/philox.h"

namespace weft {
namespace {

constexpr int spare_slots = 2;                  // beside those being filled: one in use, one ready
constexpr uint32_t shuffle_site = 0xDA7A0000u;  // apart from the sites of ops, which count from 0

/// The workers share the processor with the training step. The blocks of fixed length are what a compiler
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
    const auto bits =
        philox4x32({static_cast<uint32_t>(i), static_cast<uint32_t>(i >> 32), shuffle_site, static_cast<uint32_t>(epoch)}, key);
    // 64 bits, so that the remainder's bias is below size / 2^64.
    const uint64_t draw = uint64_t{bits[1]} << 32 | bits[0];
    std::swap(order[i], order[draw % (i + 1)]);
  }
}

View Batch::operator[](std::string_view name) const {
  std::vector<std::string> names;
  for (const Feed& feed : arrays) {
    if (feed.name == name) return feed.values;
    names.emplace_back(feed.name);
  }
  throw Error("the batch has no array '{}'; it has '{}'", name, fmt::join(names, "', '")).hint(did_you_mean(name, names));
}

Batcher::Batcher(const Dataset& dataset, BatchOptions options) : dataset_(dataset), options_(options) {
  dataset.check();
  columns_ = dataset.columns();
  if (options.batch < 1) throw Error("a batch needs at least 1 example, but .batch = {}", options.batch);
  if (options.workers < 1) throw Error("batches need at least 1 worker to load them, but .workers = {}", options.workers);
  const int64_t count = dataset.size();
  batches_ = count / options.batch + (!options.drop_last && count % options.batch != 0);
  order_.resize(static_cast<size_t>(count));
  std::iota(order_.begin(), order_.end(), int64_t{0});
  const int64_t room = std::min(options.batch, count);
  slots_.resize(static_cast<size_t>(std::min<int64_t>(int64_t{options.workers} + spare_slots, batches_)));
  try {
    for (Slot& slot : slots_)
      for (const Dataset::Column& column : columns_) slot.arrays.emplace_back(column.dtype, column.batch(room), std::source_location());
  } catch (const OutOfMemory& e) {
    throw OutOfMemory("{} batches of {} examples of data set '{}' are held at once, for one of which {}", slots_.size(), room, dataset.name,
                      e.what());
  }
  const Dims& dims = dataset.inputs.shape().dims();
  shapes_.emplace_back(Dims(dims.begin() + 1, dims.end()));
  if (columns_[0].from == &dataset.inputs)
    for (const Transform& transform : dataset.transforms) shapes_.push_back(transform.shape(shapes_.back()));
  start_workers();
}

Batcher::~Batcher() {
  if (meeting_->born != fork_count()) {
    keep_for_ever(std::move(meeting_));
    return;
  }
  {
    const std::lock_guard lock(meeting_->mutex);
    stop_ = true;
  }
  meeting_->wake_workers.notify_all();
  meeting_->workers.join();
}

void Batcher::start_workers() {
  for (int64_t i = 0; i < std::min<int64_t>(options_.workers, batches_); ++i)
    if (!meeting_->workers.start([this] { work(); })) return;
}

/// In a child of the process that made it: the workers stayed behind with what they were doing, so that all batches after the
/// one in use are made again.
void Batcher::renew_after_fork() {
  if (meeting_->born == fork_count()) return;
  keep_for_ever(std::exchange(meeting_, std::make_shared<Meeting>()));
  for (Slot& slot : slots_) slot.busy = slot.ready = false;
  busy_ = 0;
  ordering_ = false;
  claimed_ = taken_;
  if (generation_ > 0) ++generation_;
  if (!options_.shuffle) ordered_ = generation_;
  start_workers();
}

void Batcher::start_epoch(int64_t epoch, int64_t first) {
  if (first < 0 || first > batches_) throw Error("an epoch of {} batches has no batch number {}", batches_, first);
  if (epoch < 0 || epoch > int64_t{UINT32_MAX}) throw Error("epoch {} is not in [0, 2^32)", epoch);
  renew_after_fork();
  {
    const std::lock_guard lock(meeting_->mutex);
    ++generation_;
    epoch_ = epoch;
    claimed_ = taken_ = first;
    started_ = first;
    for (Slot& slot : slots_) slot.ready = false;
    if (!options_.shuffle) ordered_ = generation_;
  }
  meeting_->wake_workers.notify_all();
}

const Batch* Batcher::next() {
  renew_after_fork();
  const Batch* result = nullptr;
  {
    std::unique_lock lock(meeting_->mutex);
    if (generation_ == 0) throw Error("Batcher::next() was called before start_epoch()");
    if (taken_ == batches_) return nullptr;
    Slot& slot = slot_of(taken_);
    while (!slot.ready && meeting_->workers.count() == 0) work_once(lock, scratch_);
    meeting_->wake_consumer.wait(lock, [&] { return slot.ready; });
    if (slot.failure) std::rethrow_exception(slot.failure);
    slot.ready = false;  // it is the caller's now, and then free for another batch
    result = &slot.batch;
    ++taken_;
  }
  meeting_->wake_workers.notify_one();
  return result;
}

void Batcher::work() {
  Scratch scratch;
  std::unique_lock lock(meeting_->mutex);
  for (;;) {
    meeting_->wake_workers.wait(lock, [this] { return stop_ || must_order() || may_fill(); });
    if (stop_) return;
    work_once(lock, scratch);
  }
}

void Batcher::work_once(std::unique_lock<std::mutex>& lock, Scratch& scratch) {
  const FloatMode mode;
  if (must_order()) order(lock);
  else fill_next(lock, scratch);
}

bool Batcher::must_order() const { return ordered_ != generation_ && !ordering_ && busy_ == 0; }

bool Batcher::may_fill() const {
  const int64_t kept = claimed_ - std::max(started_, taken_ - 1);
  return generation_ != 0 && ordered_ == generation_ && !ordering_ && claimed_ < batches_ && kept < std::ssize(slots_) &&
         !slot_of(claimed_).busy;
}

void Batcher::order(std::unique_lock<std::mutex>& lock) {
  const uint64_t generation = generation_;
  const int64_t epoch = epoch_;
  ordering_ = true;
  lock.unlock();
  shuffle_order(order_, options_.seed, epoch);
  lock.lock();
  ordering_ = false;
  ordered_ = generation;
  meeting_->wake_workers.notify_all();
}

void Batcher::fill_next(std::unique_lock<std::mutex>& lock, Scratch& scratch) {
  const uint64_t generation = generation_;
  const int64_t epoch = epoch_, index = claimed_++;
  Slot& slot = slot_of(index);
  slot.busy = true;
  ++busy_;
  std::exception_ptr failure;

  lock.unlock();
  try {
    fill(slot, index, epoch, scratch);
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();

  slot.busy = false;
  --busy_;
  slot.failure = failure;
  slot.ready = generation == generation_;  // else start_epoch() was called meanwhile
  if (slot.ready) meeting_->wake_consumer.notify_one();
  else meeting_->wake_workers.notify_all();
}

void Batcher::fill(Slot& slot, int64_t index, int64_t epoch, Scratch& scratch) const {
  const int64_t first = index * options_.batch;
  const int64_t size = std::min(options_.batch, dataset_.size() - first);
  const auto example_at = [this](int64_t place) { return order_[static_cast<size_t>(place)]; };
  slot.batch.arrays.clear();
  for (size_t c = 0; c < columns_.size(); ++c) {
    const Dataset::Column& column = columns_[c];
    Array& to = slot.arrays[c];
    const auto elements = static_cast<size_t>(column.example.numel());
    const size_t bytes = elements * size_of(column.dtype), from_bytes = column.from->bytes() / static_cast<size_t>(dataset_.size());
    for (int64_t i = 0; i < size; ++i) {
      if (i + 1 < size) prefetch(column.from->data() + static_cast<size_t>(example_at(first + i + 1)) * from_bytes, from_bytes);
      load(column, example_at(first + i), epoch, to.data() + static_cast<size_t>(i) * bytes, scratch);
    }
    slot.batch.arrays.push_back({column.name, View(std::as_const(to).data(), static_cast<size_t>(size) * elements, column.dtype)});
    if (column.from == &dataset_.inputs) slot.batch.inputs = slot.batch.arrays.back().values;
    if (column.from == &dataset_.targets) slot.batch.targets = slot.batch.arrays.back().values;
  }
  slot.batch.size = size, slot.batch.index = index;
}

void Batcher::load(const Dataset::Column& column, int64_t example, int64_t epoch, std::byte* to, Scratch& scratch) const {
  if (column.from == &dataset_.inputs) return load_input(example, epoch, to, scratch);
  if (column.from == &dataset_.targets) check_labels(example);
  const size_t bytes = column.from->bytes() / static_cast<size_t>(dataset_.size());
  std::memcpy(to, column.from->data() + static_cast<size_t>(example) * bytes, bytes);
}

void Batcher::load_input(int64_t example, int64_t epoch, std::byte* to, Scratch& scratch) const {
  const Array& inputs = dataset_.inputs;
  const auto elements = static_cast<size_t>(inputs.shape().numel() / dataset_.size());
  const std::byte* const from = inputs.data() + static_cast<size_t>(example) * elements * size_of(inputs.dtype());
  const size_t transforms = dataset_.transforms.size();
  if (transforms > 0) scratch.to.resize(elements);
  float* const loaded = transforms > 0 ? scratch.to.data() : reinterpret_cast<float*>(to);
  if (inputs.dtype() == u8) {
    divide(reinterpret_cast<const uint8_t*>(from), elements, dataset_.divisor, loaded);
  } else if (dataset_.divisor != 1.0f) {
    divide(reinterpret_cast<const float*>(from), elements, dataset_.divisor, loaded);
  } else {
    std::memcpy(loaded, from, elements * size_of(inputs.dtype()));
  }
  if (transforms == 0) return;

  for (size_t t = 0; t < transforms; ++t) {
    std::swap(scratch.from, scratch.to);
    const auto count = static_cast<size_t>(shapes_[t + 1].numel());
    if (t + 1 < transforms) scratch.to.resize(count);
    float* const result = t + 1 < transforms ? scratch.to.data() : reinterpret_cast<float*>(to);
    Draw draw(options_.seed, epoch, example, t);
    dataset_.transforms[t].apply({scratch.from.data(), static_cast<size_t>(shapes_[t].numel())}, shapes_[t], {result, count}, draw);
  }
}

void Batcher::check_labels(int64_t example) const {
  if (dataset_.targets.dtype() != i64 || dataset_.class_names.empty()) return;
  const int64_t each = dataset_.targets.shape().numel() / dataset_.size();
  const auto labels = dataset_.targets.values<int64_t>().subspan(static_cast<size_t>(example * each), static_cast<size_t>(each));
  const int64_t classes = std::ssize(dataset_.class_names);
  for (const int64_t label : labels)
    if ((label < 0 || label >= classes) && label != ignored_label)
      throw Error("example {} of data set '{}' has the class {}, but there are {} classes", example, dataset_.name, label, classes);
}

}  // namespace weft
