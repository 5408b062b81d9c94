#include "weft/passes/plan.h"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <map>
#include <set>
#include <unordered_set>

#include "weft/ir/op_def.h"
#include "weft/ir/ops/loop.h"
#include "weft/passes/analysis/aliasing.h"
#include "weft/passes/analysis/liveness.h"
#include "weft/passes/analysis/placement.h"
#include "weft/passes/facts.h"
#include "weft/support/work.h"

namespace weft::passes {
namespace {

using ir::Op;
using ir::Value;

constexpr int64_t most_arena_bytes = int64_t{1} << 62;  // offsets are rounded up behind it

int64_t round_up(int64_t bytes, int64_t alignment) { return (bytes + alignment - 1) / alignment * alignment; }

/// Values that share one piece of memory one after the other, each written over the last.
struct Block {
  std::vector<Interval> parts;
  int64_t bytes = 0;
  int64_t offset = -1;

  int begin() const { return parts.front().begin; }
  int end() const { return parts.back().end; }
  bool overlaps(const Block& other) const { return begin() <= other.end() && other.begin() <= end(); }
};

/// The arena operand of the op that makes `v` which dies there and may be overwritten by `v`, if any.
Value overwritten_operand(const Interval& v, const std::unordered_map<Value, const Interval*, ir::ValueHash>& intervals) {
  const Op& op = *v.value.op();
  if (!op.def().is_region() && !ir::is_loop(op) && op.def().in_place < 0) return {};
  for (int i = 0; i < static_cast<int>(op.operands().size()); ++i) {
    const Value old = owner_of(op.operand(i));
    const auto found = intervals.find(old);
    if (found == intervals.end() || found->second->end != v.begin || old.type().bytes() != v.value.type().bytes()) continue;
    if (may_replace(v.value, old)) return old;
  }
  return {};
}

/// The free ranges of bytes of an arena that grows at its end.
class Gaps {
 public:
  /// The lowest range of this size: from a gap that is large enough, or at the end.
  int64_t take(int64_t bytes) {
    auto at = find(bytes);
    count_work(1);
    if (at == gaps_.end()) {
      // A gap at the end grows with the arena.
      const bool grows = !gaps_.empty() && end_of(*std::prev(gaps_.end())) == top_;
      const int64_t offset = grows ? std::prev(gaps_.end())->first : top_;
      if (grows) erase(std::prev(gaps_.end()));
      insert(offset, std::max(bytes, top_ - offset));
      top_ = std::max(top_, offset + bytes);
      at = gaps_.find(offset);
    }
    const auto [offset, size] = *at;
    erase(at);
    if (size > bytes) insert(offset + bytes, size - bytes);
    return offset;
  }

  void give_back(int64_t offset, int64_t bytes) {
    count_work(1);
    auto next = gaps_.upper_bound(offset);
    if (next != gaps_.begin())
      if (const auto previous = std::prev(next); end_of(*previous) == offset) {
        offset = previous->first, bytes += previous->second;
        erase(previous);
      }
    next = gaps_.upper_bound(offset);
    if (next != gaps_.end() && offset + bytes == next->first) {
      bytes += next->second;
      erase(next);
    }
    insert(offset, bytes);
  }

  /// One past the highest byte that was ever taken.
  int64_t top() const { return top_; }

 private:
  using List = std::map<int64_t, int64_t>;  // size by offset

  static int64_t end_of(const List::value_type& gap) { return gap.first + gap.second; }

  /// The gaps are also kept by the power of two of their size: a gap of a higher power than the wanted one's surely fits.
  static size_t power(int64_t bytes) { return static_cast<size_t>(std::bit_width(static_cast<uint64_t>(bytes))); }

  List::iterator find(int64_t bytes) {
    int64_t lowest = std::numeric_limits<int64_t>::max();
    for (size_t p = power(bytes) + 1; p < by_power_.size(); ++p)
      if (!by_power_[p].empty()) lowest = std::min(lowest, *by_power_[p].begin());
    int tries = 0;
    for (int64_t offset : by_power_[power(bytes)]) {
      if (offset > lowest || ++tries > most_tries) break;
      if (gaps_.at(offset) >= bytes) lowest = std::min(lowest, offset);
    }
    count_work(tries);
    return lowest == std::numeric_limits<int64_t>::max() ? gaps_.end() : gaps_.find(lowest);
  }

  void insert(int64_t offset, int64_t bytes) {
    gaps_[offset] = bytes;
    by_power_[power(bytes)].insert(offset);
  }

  void erase(List::iterator at) {
    by_power_[power(at->second)].erase(at->first);
    gaps_.erase(at);
  }

  static constexpr int most_tries = 64;

  List gaps_;
  std::array<std::set<int64_t>, 65> by_power_;
  int64_t top_ = 0;
};

std::vector<Block> make_blocks(const std::vector<Interval>& all) {
  std::unordered_map<Value, const Interval*, ir::ValueHash> intervals;
  for (const Interval& i : all) intervals[i.value] = &i;
  std::vector<Block> blocks;
  std::unordered_map<Value, size_t, ir::ValueHash> block_of;
  std::unordered_map<Value, bool, ir::ValueHash> taken;
  for (const Interval& i : all) {
    const Value old = overwritten_operand(i, intervals);
    if (old && !taken[old]) {
      taken[old] = true;
      block_of[i.value] = block_of.at(old);
      blocks[block_of.at(old)].parts.push_back(i);
      continue;
    }
    block_of[i.value] = blocks.size();
    blocks.push_back({{i}, i.value.type().bytes()});
  }
  return blocks;
}

/// Lays the blocks out in the order given, each at the lowest offset at which it meets no placed block that lives at the
/// same time; returns the arena's size.
int64_t lay_out(const std::vector<Block*>& order) {
  struct Placed {
    int begin, end;
    int64_t offset, top;
  };
  std::vector<Placed> placed;  // by offset
  int64_t total = 0;
  for (Block* block : order) {
    const int begin = block->begin(), end = block->end();
    int64_t offset = 0;
    size_t looked_at = 0;
    for (const Placed& other : placed) {
      if (other.offset >= offset + block->bytes) break;
      ++looked_at;
      if (other.begin <= end && begin <= other.end) offset = std::max(offset, other.top);
    }
    count_work(static_cast<int64_t>(looked_at));
    const Placed here{begin, end, offset, offset + block->bytes};
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), here, [](const Placed& x, const Placed& y) { return x.offset < y.offset; }), here);
    block->offset = offset;
    total = std::max(total, here.top);
  }
  return total;
}

/// Lays the blocks out as they begin, or from the end of the step as they end, each in the lowest gap between those that
/// live then; with a list of the gaps, so that the work grows with the blocks alone.
int64_t lay_out_in_time(std::vector<Block*> blocks, bool from_the_end) {
  const auto begin = [&](const Block* b) { return from_the_end ? -b->end() : b->begin(); };
  const auto end = [&](const Block* b) { return from_the_end ? -b->begin() : b->end(); };
  std::stable_sort(blocks.begin(), blocks.end(), [&](const Block* x, const Block* y) { return begin(x) < begin(y); });
  Gaps gaps;
  std::multimap<int, Block*> living;  // by their ends
  for (Block* block : blocks) {
    for (; !living.empty() && living.begin()->first < begin(block); living.erase(living.begin()))
      gaps.give_back(living.begin()->second->offset, living.begin()->second->bytes);
    block->offset = gaps.take(block->bytes);
    living.emplace(end(block), block);
  }
  return gaps.top();
}

/// Tries a few orders, since greedy by size alone can lose a third; keeps the best. Comparing each block with all others is
/// for as many as that costs little.
int64_t best_layout(std::vector<Block>& blocks) {
  constexpr size_t many = 400;
  std::vector<Block*> all;
  for (Block& b : blocks) all.push_back(&b);
  std::vector<Block*> by_size = all, by_area = all;
  const auto area = [](const Block* b) { return static_cast<double>(b->bytes) * (b->end() - b->begin() + 1); };
  std::stable_sort(by_size.begin(), by_size.end(), [](const Block* x, const Block* y) { return x->bytes > y->bytes; });
  std::stable_sort(by_area.begin(), by_area.end(), [&](const Block* x, const Block* y) { return area(x) > area(y); });
  std::vector<int64_t> best;
  int64_t smallest = std::numeric_limits<int64_t>::max();
  const auto keep_better = [&](int64_t bytes) {
    if (bytes > smallest) return;
    smallest = bytes;
    best.clear();
    for (const Block& b : blocks) best.push_back(b.offset);
  };
  keep_better(lay_out_in_time(all, true));
  keep_better(lay_out_in_time(all, false));
  if (blocks.size() <= many) {
    keep_better(lay_out(by_area));
    keep_better(lay_out(by_size));
  }
  for (size_t i = 0; i < blocks.size(); ++i) blocks[i].offset = best[i];
  return smallest;
}

/// Offsets are sums of sizes.
void check_total(const std::vector<Interval>& intervals) {
  double bytes = 0;
  for (const Interval& i : intervals) bytes += static_cast<double>(i.value.type().bytes());
  if (bytes > static_cast<double>(most_arena_bytes)) throw Error("the program's values take {:.1e} bytes together", bytes);
}

}  // namespace

bool plan(ir::Module& module, const Target& target) {
  const std::vector<Interval> intervals = arena_intervals(module.graph());
  check_total(intervals);
  std::vector<Block> blocks = make_blocks(intervals);
  for (Block& b : blocks) b.bytes = std::max(round_up(b.bytes, target.alignment()), target.alignment());
  const int64_t bytes = best_layout(blocks);
  bool changed = module.arena_bytes != bytes;
  module.arena_bytes = bytes;
  for (const Block& block : blocks)
    for (const Interval& i : block.parts) {
      changed = changed || i.value.offset() != block.offset;
      i.value.set_offset(block.offset);
    }
  return changed;
}

std::vector<int64_t> live_bytes(const ir::Graph& graph, const Target& target) {
  const std::vector<Interval> intervals = arena_intervals(graph);
  std::vector<int64_t> bytes(graph.ops().size() + 2, 0);  // at first what comes and goes
  for (const Block& b : make_blocks(intervals)) {
    const int64_t taken = std::max(round_up(b.bytes, target.alignment()), target.alignment());
    bytes[static_cast<size_t>(b.begin())] += taken;
    bytes[static_cast<size_t>(b.end()) + 1] -= taken;
  }
  for (size_t i = 1; i < bytes.size(); ++i) bytes[i] += bytes[i - 1];
  bytes.pop_back();
  return bytes;
}

int64_t largest_live_set(const ir::Graph& graph, const Target& target) {
  const std::vector<int64_t> bytes = live_bytes(graph, target);
  return *std::max_element(bytes.begin(), bytes.end());
}

namespace {

void check_overlap(const Interval& a, const Interval& b) {
  if (!a.overlaps(b)) return;
  const int64_t x = *a.value.offset(), y = *b.value.offset();  // inside the arena, with all their bytes
  if (x + a.value.type().bytes() <= y || y + b.value.type().bytes() <= x) return;
  // Overlap is right only where one is written over the other while that dies.
  const Interval &first = a.begin < b.begin ? a : b, &second = a.begin < b.begin ? b : a;
  const Op& op = *second.value.op();
  const bool reads = std::any_of(op.operands().begin(), op.operands().end(), [&](Value o) { return owner_of(o) == first.value; });
  const bool allowed = x == y && first.end == second.begin && reads && may_replace(second.value, first.value);
  if (!allowed)
    throw Error("the results of {} (at {}) and {} (at {}) are live together and share bytes", a.value.op()->name(),
                written_at(a.value.op()->locations()), b.value.op()->name(), written_at(b.value.op()->locations()));
}

/// Sweeps through time: a value that begins is compared with the living that share bytes with it. Of those it is right that
/// few do, so they are found among the neighbours by offset.
void check_overlaps(const std::vector<Interval>& intervals) {
  std::vector<const Interval*> by_begin, by_end;
  for (const Interval& i : intervals) by_begin.push_back(&i), by_end.push_back(&i);
  std::stable_sort(by_begin.begin(), by_begin.end(), [](const Interval* x, const Interval* y) { return x->begin < y->begin; });
  std::stable_sort(by_end.begin(), by_end.end(), [](const Interval* x, const Interval* y) { return x->end < y->end; });
  std::multimap<int64_t, const Interval*> living;  // by offset
  size_t ended = 0;
  for (const Interval* i : by_begin) {
    for (; by_end[ended]->end < i->begin; ++ended) {
      auto [at, end] = living.equal_range(*by_end[ended]->value.offset());
      living.erase(std::find_if(at, end, [&](const auto& entry) { return entry.second == by_end[ended]; }));
    }
    const int64_t offset = *i->value.offset(), top = offset + i->value.type().bytes();
    auto at = living.lower_bound(offset);
    for (auto above = at; above != living.end() && above->first < top; ++above) check_overlap(*i, *above->second);
    // Those below it that reach it: of values that share no bytes at most the nearest one that is not empty does.
    while (at != living.begin()) {
      const Interval& below = *(--at)->second;
      check_overlap(*i, below);
      if (below.value.type().bytes() > 0 && *below.value.offset() < offset) break;
    }
    count_work(1);
    living.emplace(offset, i);
  }
}

}  // namespace

void verify_plan(const ir::Module& module, const Target& target) {
  const std::vector<Interval> intervals = arena_intervals(module.graph());
  for (size_t i = 0; i < intervals.size(); ++i) {
    const Value v = intervals[i].value;
    const int64_t offset = v.offset().value_or(-1), arena = module.arena_bytes.value_or(0), bytes = v.type().bytes();
    const auto refuse = [&](const std::string& why) {
      throw Error("a result of {} {}", v.op()->name(), why).at(written_at(v.op()->locations()));
    };
    if (!v.offset()) refuse("has no room: it is given no place in the arena");
    if (offset < 0 || arena > most_arena_bytes || bytes > arena || offset > arena - bytes)
      refuse(fmt::format("has no room: {} bytes at {} of an arena of {}", bytes, offset, arena));
    if (offset % target.alignment() != 0) refuse(fmt::format("is not aligned: its offset must be a multiple of {}", target.alignment()));
  }
  check_overlaps(intervals);
  for (const Op* op : module.graph().ops())
    if (ir::is_loop(*op))
      for (int i = 0; i < ir::scan_of(*op).carried; ++i)
        if (!op->result(i).offset() || op->operand(i).offset() != op->result(i).offset())
          throw Error("what {} carries does not stay in its place", op->name()).at(written_at(op->locations()));
  require(facts::own_loops, module, target);
  require(facts::in_place, module, target);
}

}  // namespace weft::passes
