#include "weft/tests/ptx/block.h"

#include <algorithm>

namespace weft::test::ptx {
namespace {

/// splitmix64: any seed gives an order of its own.
uint64_t next_random(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

Dim3 position_in(uint64_t number, const Dim3& extents) {
  return {static_cast<uint32_t>(number % extents.x), static_cast<uint32_t>(number / extents.x % extents.y),
          static_cast<uint32_t>(number / extents.x / extents.y)};
}

std::string text_of(const Dim3& p) { return "(" + std::to_string(p.x) + "," + std::to_string(p.y) + "," + std::to_string(p.z) + ")"; }

}  // namespace

Block::Block(Grid& grid)
    : grid_(grid), count_(static_cast<uint32_t>(grid.threads.count())), threads_(count_),
      shared_("shared memory", shared_base, grid.kernel.static_shared_bytes + grid.dynamic_shared_bytes), random_(grid.seed) {
  const Kernel& kernel = grid.kernel;
  start_values_.resize(kernel.slots), start_written_.resize(kernel.slots);
  for (const auto& [bits, slot] : kernel.constants) start_values_[slot] = bits;
  std::fill(start_written_.begin() + kernel.registers, start_written_.end(), uint8_t{1});
  values_.resize(size_t{count_} * kernel.slots), written_.resize(values_.size());
  for (uint32_t n = 0; n < count_; ++n) {
    Thread& t = threads_[n];
    t.number = n, t.position = position_in(n, grid.threads);
    t.kernel_ = &kernel, t.memory_ = &memory_;
    t.values_ = values_.data() + size_t{n} * kernel.slots, t.written_ = written_.data() + size_t{n} * kernel.slots;
    t.local_.emplace("local memory", local_base, kernel.local_bytes);
    order_.push_back(n);
  }
}

void Block::run(uint64_t number, Periods& periods) {
  start(number, periods);
  while (!all_done()) {
    run_in_order();
    // One release at a time: threads that wait elsewhere may still come.
    if (!release_warps() && !all_done() && !release_barrier()) report_divergence();
  }
}

void Block::start(uint64_t number, Periods& periods) {
  shared_.forget_contents();
  memory_ = {&grid_.global, &periods, &shared_, &grid_.param, &grid_.constant, count_, static_cast<uint32_t>(number), 0};
  for (Thread& t : threads_) start(t, number);
}

void Block::start(Thread& thread, uint64_t block) {
  std::copy(start_values_.begin(), start_values_.end(), thread.values_);
  std::copy(start_written_.begin(), start_written_.end(), thread.written_);
  for (const auto& [which, slot] : grid_.kernel.specials) thread.values_[slot] = special(which, thread, block);
  thread.pc_ = 0, thread.period_ = 0, thread.warp_epoch = 0;
  thread.state_ = Thread::State::running;
  thread.local_->forget_contents();
}

uint64_t Block::special(Special which, const Thread& thread, uint64_t block) const {
  const Dim3 at = position_in(block, grid_.blocks);
  const uint32_t lane = thread.number % 32, bit = 1u << lane;
  switch (which) {
    case Special::tid_x: return thread.position.x;
    case Special::tid_y: return thread.position.y;
    case Special::tid_z: return thread.position.z;
    case Special::ntid_x: return grid_.threads.x;
    case Special::ntid_y: return grid_.threads.y;
    case Special::ntid_z: return grid_.threads.z;
    case Special::ctaid_x: return at.x;
    case Special::ctaid_y: return at.y;
    case Special::ctaid_z: return at.z;
    case Special::nctaid_x: return grid_.blocks.x;
    case Special::nctaid_y: return grid_.blocks.y;
    case Special::nctaid_z: return grid_.blocks.z;
    case Special::laneid: return lane;
    case Special::warpid: return thread.number / 32;
    case Special::nwarpid: return (count_ + 31) / 32;
    case Special::lanemask_eq: return bit;
    case Special::lanemask_le: return bit | (bit - 1);
    case Special::lanemask_lt: return bit - 1;
    case Special::lanemask_ge: return ~(bit - 1);
    case Special::lanemask_gt: return ~(bit | (bit - 1));
    case Special::total_smem_size: return shared_.bytes();
    case Special::dynamic_smem_size: return grid_.dynamic_shared_bytes;
  }
  return 0;
}

void Block::run_in_order() {
  if (grid_.seed != 0)
    for (size_t i = order_.size(); i > 1; --i) std::swap(order_[i - 1], order_[next_random(random_) % i]);
  for (uint32_t n : order_) {
    try {
      interpret(threads_[n]);
    } catch (const Problem& problem) {
      report(problem, threads_[n]);
    }
  }
}

void Block::interpret(Thread& thread) {
  const Instruction* code = grid_.kernel.code.data();
  uint64_t left = grid_.instructions_left;
  while (thread.state_ == Thread::State::running) {
    const Instruction& i = code[thread.pc_++];
    if (left-- == 0) throw Problem{Check::limit, "the launch executes more instructions than it may"};
    if (i.guard != Instruction::none && thread.get<bool>(i.guard) == i.guard_negated) continue;
    i.run(thread, i);
  }
  grid_.instructions_left = left;
}

bool Block::all_done() const {
  return std::all_of(threads_.begin(), threads_.end(), [](const Thread& t) { return t.state_ == Thread::State::done; });
}

// waiting

uint32_t Block::mask_of(Thread& thread) const {
  const Instruction& i = thread.current();
  return i.mask == Instruction::none ? UINT32_MAX : thread.get<uint32_t>(i.mask);
}

bool Block::release_warps() {
  bool any = false;
  for (uint32_t warp = 0; warp * 32 < count_; ++warp)
    while (release_warp(warp)) any = true;
  return any;
}

bool Block::release_warp(uint32_t warp) {
  for (uint32_t n = warp * 32; n < std::min(count_, warp * 32 + 32); ++n)
    if (threads_[n].state_ == Thread::State::at_warp && release_group(warp, threads_[n])) return true;
  return false;
}

/// All lanes that the mask names must wait at the same instruction, with the same mask.
bool Block::release_group(uint32_t warp, const Thread& first) {
  const Instruction& i = first.current();
  uint32_t mask = 0;
  Thread* lanes[32] = {};
  bool is_whole = true;
  try {
    mask = mask_of(threads_[first.number]);
    if (!(mask >> (first.number % 32) & 1)) throw Problem{Check::divergence, "the mask does not name the lane itself"};
  } catch (const Problem& problem) {
    report(problem, first);
  }
  for (uint32_t lane = 0; lane < 32; ++lane) {
    const uint32_t n = warp * 32 + lane;
    const bool is_named = mask >> lane & 1, exists = n < count_;
    if (!is_named) {
      is_whole = is_whole && (!exists || threads_[n].state_ == Thread::State::done);
      continue;
    }
    if (!exists || threads_[n].state_ != Thread::State::at_warp || &threads_[n].current() != &i || mask_of(threads_[n]) != mask)
      return false;
    lanes[lane] = &threads_[n];
  }
  run_together(i, lanes, is_whole);
  return true;
}

bool Block::release_barrier() {
  std::vector<Thread*> live;
  for (Thread& t : threads_)
    if (t.state_ != Thread::State::done) live.push_back(&t);
  for (Thread* t : live)
    if (t->state_ != Thread::State::at_barrier || &t->current() != &live[0]->current()) return false;
  ++memory_.epoch;
  for (Thread* t : live) t->period_ = 0;
  run_together(live[0]->current(), live, true);
  return true;
}

void Block::run_together(const Instruction& i, std::span<Thread* const> threads, bool is_whole) {
  Thread& first = **std::find_if(threads.begin(), threads.end(), [](const Thread* t) { return t != nullptr; });
  try {
    if (i.together) i.together(Group(threads, is_whole), i);
  } catch (const Problem& problem) {
    report(problem, first);
  }
  for (Thread* t : threads)
    if (t) t->state_ = Thread::State::running;
}

// reports

void Block::report_divergence() {
  Thread& first = *std::find_if(threads_.begin(), threads_.end(), [](const Thread& t) { return t.state_ != Thread::State::done; });
  uint32_t begin = 0, end = count_, mask = UINT32_MAX;
  const bool is_warp = first.state_ == Thread::State::at_warp;
  if (is_warp) begin = first.number / 32 * 32, end = begin + 32, mask = mask_of(first);
  std::string missing = "other threads";
  for (uint32_t n = begin; n < end; ++n) {
    if (is_warp && !(mask >> (n - begin) & 1)) continue;
    if (n >= count_) missing = "lane " + std::to_string(n - begin) + ", which the block has not";
    else if (threads_[n].state_ == Thread::State::done && !is_warp) continue;
    else if (threads_[n].state_ == Thread::State::done) missing = "thread " + std::to_string(n) + ", which has ended";
    else if (&threads_[n].current() != &first.current())
      missing = "thread " + std::to_string(n) + ", which waits in " + place_of(threads_[n]);
    else if (is_warp && mask_of(threads_[n]) != mask) missing = "thread " + std::to_string(n) + ", which names other lanes";
    else continue;
    break;
  }
  report({Check::divergence, "this waits for " + missing}, first);
}

std::string Block::place_of(const Thread& thread) const {
  if (thread.pc_ == 0 || !thread.current().source) return "its end";
  return "line " + std::to_string(thread.current().source->line) + ", `" + thread.current().source->text + "`";
}

void Block::report(const Problem& problem, const Thread& thread) {
  throw Fault(problem.check, problem.message,
              "in " + grid_.kernel.entry->name + ", " + place_of(thread) + ", block " + text_of(position_in(memory_.block, grid_.blocks)) +
                  ", thread " + text_of(thread.position));
}

}  // namespace weft::test::ptx
