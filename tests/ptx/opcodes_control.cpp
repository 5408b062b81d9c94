// bra, ret, exit, trap, and the barriers of a block.

#include "weft/tests/ptx/block.h"
#include "weft/tests/ptx/handlers.h"

namespace weft::test::ptx {
namespace {

void run_bra(Thread& t, const Instruction& i) { t.jump(i.target); }
void run_end(Thread& t, const Instruction&) { t.stop(Thread::State::done); }
void run_trap(Thread&, const Instruction&) { throw Problem{Check::trap, "the kernel traps"}; }

void decode_bra(Decoding& d) {
  d.take("uni");
  d.out.target = d.label(0);
  d.out.run = run_bra;
}

void decode_ret(Decoding& d) {
  d.take("uni");
  d.out.run = run_end;
}

/// Threads of the whole block wait; a count of fewer, for warps that go on, is refused where it is met.
void run_barrier(Thread& t, const Instruction& i) {
  if (i.a != Instruction::none && t.get<uint32_t>(i.a) > 15) throw Problem{Check::undefined, "a block has the barriers 0 to 15"};
  const uint32_t all = t.block_threads(), count = i.b == Instruction::none ? all : t.get<uint32_t>(i.b);
  if (count != all && count != (all + 31) / 32 * 32)
    throw Problem{Check::divergence, "a barrier of " + std::to_string(count) + " threads in a block of " + std::to_string(all)};
  t.stop(Thread::State::at_barrier);
}

void decode_sync(Decoding& d) {
  d.take("aligned");
  d.out.a = d.source(0, Type::u32);
  if (d.operands() > 1) d.out.b = d.source(1, Type::u32);
  d.out.run = run_barrier;
}

uint32_t count_true(const Group& group, const Instruction& i) {
  uint32_t count = 0;
  group.each([&](uint32_t, Thread& t) { count += t.get<bool>(i.c) != i.negated; });
  return count;
}

void reduce_count(const Group& group, const Instruction& i) {
  const uint32_t count = count_true(group, i);
  group.each([&](uint32_t, Thread& t) { t.set<uint32_t>(i.d, count); });
}
template <bool all>
void reduce_predicate(const Group& group, const Instruction& i) {
  const uint32_t count = count_true(group, i);
  group.each([&](uint32_t, Thread& t) { t.set<bool>(i.d, all ? count == group.threads().size() : count > 0); });
}

/// d, barrier [, threads], predicate.
void decode_barrier_red(Decoding& d) {
  const int operation = d.take_one_of({"popc", "and", "or"});
  d.take("aligned");
  const Type type = d.take_type();
  if (operation < 0 || type != (operation == 0 ? Type::u32 : Type::pred)) d.refuse("a reduction is popc of .u32, or and, or of .pred");
  static constexpr RunTogether reductions[] = {reduce_count, reduce_predicate<true>, reduce_predicate<false>};
  d.out.together = reductions[operation];
  d.out.d = d.destination(0, type), d.out.a = d.source(1, Type::u32);
  if (d.operands() > 3) d.out.b = d.source(2, Type::u32);
  d.out.c = d.predicate(d.operands() > 3 ? 3 : 2);
  d.out.run = run_barrier;
}

void run_warp(Thread& t, const Instruction&) { t.stop(Thread::State::at_warp); }

/// Orders what its lanes do. Which lanes others wait for is not followed, so only all of a warp's together pass to a new period.
void pass_warp_barrier(const Group& group, const Instruction&) {
  if (!group.is_whole()) return;
  group.each([](uint32_t, Thread& t) { ++t.warp_epoch, t.begin_period(); });
}

void decode_bar(Decoding& d) {
  d.take("cta");
  if (d.take("warp")) {
    if (!d.take("sync")) d.refuse("bar.warp is .sync");
    d.out.mask = d.source(0, Type::b32);
    d.out.run = run_warp, d.out.together = pass_warp_barrier;
  } else if (d.take("sync")) {
    decode_sync(d);
  } else if (d.take("red")) {
    decode_barrier_red(d);
  } else {
    d.refuse("a barrier is .sync, .red or .warp.sync");
  }
}

}  // namespace

void add_control_opcodes(Opcodes& opcodes) {
  opcodes["bra"] = decode_bra;
  opcodes["ret"] = decode_ret;
  opcodes["exit"] = [](Decoding& d) { d.out.run = run_end; };
  opcodes["trap"] = [](Decoding& d) { d.out.run = run_trap; };
  opcodes["bar"] = decode_bar;
  opcodes["barrier"] = decode_bar;
}

}  // namespace weft::test::ptx
