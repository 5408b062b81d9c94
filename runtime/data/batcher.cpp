#include "weft/runtime/data/batcher.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "weft/runtime/data/batch_loader.h"
#include "weft/runtime/float_mode.h"
#include "weft/support/memory.h"
#include "weft/support/philox.h"

namespace weft {
namespace {

constexpr int spare_slots = 2;                  // beside those being filled: one in use, one ready
constexpr uint32_t shuffle_site = 0xDA7A0000u;  // apart from the sites of ops, which count from 0

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

struct Batcher::Scratch : detail::BatchLoader::Scratch {
  using detail::BatchLoader::Scratch::Scratch;
};

Batcher::Batcher(const Dataset& dataset, BatchOptions options) : dataset_(dataset), options_(std::move(options)) {
  dataset.check();
  check_options();
  loader_ = std::make_unique<const detail::BatchLoader>(dataset_, options_);
  scratch_ = std::make_unique<Scratch>(*loader_);
  const int64_t count = options_.examples(dataset);
  batches_ = count / options_.batch + (!options_.drop_last && count % options_.batch != 0);
  order_.resize(static_cast<size_t>(count));
  std::iota(order_.begin(), order_.end(), int64_t{0});
  const int64_t room = std::min(options_.batch, count);
  slots_.resize(static_cast<size_t>(std::min<int64_t>(int64_t{options_.workers} + spare_slots, batches_)));
  try {
    for (Slot& slot : slots_)
      for (const Dataset::Column& column : loader_->columns())
        slot.arrays.emplace_back(column.dtype, column.batch(room), std::source_location());
  } catch (const OutOfMemory& e) {
    throw OutOfMemory("{} batches of {} examples of {} are held at once, for one of which {}", slots_.size(), room, dataset.title(),
                      e.what());
  }
  start_workers();
}

void Batcher::check_options() const {
  const BatchOptions& o = options_;
  if (o.batch < 1) throw Error("a batch needs at least 1 example, but .batch = {}", o.batch);
  if (o.workers < 1) throw Error("batches need at least 1 worker to load them, but .workers = {}", o.workers);
  if (o.sampler && o.shuffle) throw Error("a sampler gives the order of the examples, so that .shuffle must be off");
  if (o.sampler && o.sampler.count < 0) throw Error("the sampler ({}) gives {} examples", o.sampler.name, o.sampler.count);
  if (o.sampler && o.sampler.set_size != dataset_.size())
    throw Error("the sampler is for {} examples, but {} has {}", o.sampler.set_size, dataset_.title(), dataset_.size())
        .hint("make it of the lengths or weights of just these examples: a part of a set needs a sampler of its own");
  if (dataset_.source && dataset_.source->is_stream() && (o.sampler || o.shuffle || o.workers > 1))
    throw Error("{} is a stream, which one worker reads in order: .shuffle, .sampler and more .workers do not go with it",
                dataset_.title());
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
  if (!reorders()) ordered_ = generation_;
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
    if (!reorders()) ordered_ = generation_;
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
    while (!slot.ready && meeting_->workers.count() == 0) work_once(lock, *scratch_);
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
  Scratch scratch(*loader_);
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
  std::exception_ptr failure;
  try {
    draw_order(epoch);
  } catch (...) {
    failure = std::current_exception();
  }
  lock.lock();
  order_failure_ = failure;
  ordering_ = false;
  ordered_ = generation;
  meeting_->wake_workers.notify_all();
}

void Batcher::draw_order(int64_t epoch) {
  if (!options_.sampler) return shuffle_order(order_, options_.seed, epoch);
  options_.sampler.order(order_, options_.seed, epoch);
  for (const int64_t example : order_)
    if (example < 0 || example >= dataset_.size())
      throw Error("the sampler ({}) wants example {} of {}", options_.sampler.name, example, dataset_.size());
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
  if (order_failure_) std::rethrow_exception(order_failure_);
  const int64_t first = index * options_.batch;
  const int64_t size = std::min(options_.batch, std::ssize(order_) - first);
  const auto examples = std::span(order_).subspan(static_cast<size_t>(first), static_cast<size_t>(size));
  loader_->fill(slot.arrays, slot.batch, {.epoch = epoch, .index = index, .examples = examples, .first = first}, scratch);
}

}  // namespace weft
