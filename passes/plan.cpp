#include "weft/passes/plan.h"

#include <algorithm>
#include <unordered_set>

#include "weft/ir/op_def.h"
#include "weft/passes/liveness.h"
#include "weft/passes/loop_nest.h"
#include "weft/passes/placement.h"

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
  if (op.def().kind != ir::Kind::region && op.def().in_place < 0) return {};
  for (int i = 0; i < static_cast<int>(op.operands().size()); ++i) {
    const Value old = owner_of(op.operand(i));
    const auto found = intervals.find(old);
    if (found == intervals.end() || found->second->end != v.begin || old.type().bytes() != v.value.type().bytes()) continue;
    if (may_replace(v.value, old)) return old;
  }
  return {};
}

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

/// The lowest offset at which the block meets no placed block that lives at the same time.
int64_t lowest_free(const Block& block, const std::vector<const Block*>& placed) {
  std::vector<const Block*> rivals;
  for (const Block* other : placed)
    if (other->overlaps(block)) rivals.push_back(other);
  std::sort(rivals.begin(), rivals.end(), [](const Block* x, const Block* y) { return x->offset < y->offset; });
  int64_t offset = 0;
  for (const Block* other : rivals)
    if (other->offset < offset + block.bytes) offset = std::max(offset, other->offset + other->bytes);
    else break;
  return offset;
}

/// Lays the blocks out in the order given; returns the arena's size.
int64_t lay_out(std::vector<Block*> order) {
  std::vector<const Block*> placed;
  int64_t total = 0;
  for (Block* block : order) {
    block->offset = lowest_free(*block, placed);
    placed.push_back(block);
    total = std::max(total, block->offset + block->bytes);
  }
  return total;
}

/// Tries a few orders, since greedy by size alone can lose a third; keeps the best.
int64_t best_layout(std::vector<Block>& blocks) {
  std::vector<Block*> by_size;
  for (Block& b : blocks) by_size.push_back(&b);
  std::vector<Block*> by_area = by_size, by_begin = by_size;
  const auto area = [](const Block* b) { return static_cast<double>(b->bytes) * (b->end() - b->begin() + 1); };
  std::stable_sort(by_size.begin(), by_size.end(), [](const Block* x, const Block* y) { return x->bytes > y->bytes; });
  std::stable_sort(by_area.begin(), by_area.end(), [&](const Block* x, const Block* y) { return area(x) > area(y); });
  std::stable_sort(by_begin.begin(), by_begin.end(), [](const Block* x, const Block* y) { return x->begin() < y->begin(); });
  std::vector<Block*>* best = &by_size;
  int64_t smallest = lay_out(by_size);
  for (auto* order : {&by_area, &by_begin})
    if (const int64_t bytes = lay_out(*order); bytes < smallest) smallest = bytes, best = order;
  return lay_out(*best);
}

/// Offsets are sums of sizes.
void check_total(const std::vector<Interval>& intervals) {
  double bytes = 0;
  for (const Interval& i : intervals) bytes += static_cast<double>(i.value.type().bytes());
  if (bytes > static_cast<double>(most_arena_bytes)) throw Error("the program's values take {:.1e} bytes together", bytes);
}

void check_aliases(const ir::Graph& graph) {
  std::unordered_map<const Op*, int> position;
  for (const auto& op : graph.ops()) position[op.get()] = static_cast<int>(position.size());
  std::unordered_set<Value, ir::ValueHash> taken;
  for (const ir::Output& output : graph.outputs()) {
    if (!output.alias) continue;
    const std::string where = written_at(output.locations);
    const bool owned = !output.value.is_input() && !is_view(output.value) &&
                       output.value.op()->def().kind != ir::Kind::constant;
    if (!owned || !taken.insert(output.value).second)
      throw Error("'{}' is not written in place: the pass 'updates' sees to that, at {}", output.name, where);
    const Op& writer = *output.value.op();
    const Value old = graph.input(*output.alias);
    for (const ir::Output& other : graph.outputs())
      if (owner_of(other.value) == old)
        throw Error("the output '{}' is the old value of '{}', which is replaced: the pass 'updates' copies it, at {}", other.name, old.name(), where);
    for (const Op* reader : memory_readers(old))
      if (reader != &writer && position.at(reader) >= position.at(&writer))
        throw Error("{} reads '{}' after it was replaced: the passes 'updates' and 'schedule' see to the order, at {}", reader->name(),
                    old.name(), written_at(reader->locations()));
    if (!may_replace(output.value, old))
      throw Error("{} cannot write '{}' over the value that it reads: the pass 'updates' copies it, at {}", writer.name(), old.name(),
                  written_at(writer.locations()));
  }
}

}  // namespace

bool plan(ir::Module& module, const Target& target) {
  check_aliases(module.graph());
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
  try {
    verify_plan(module, target);
  } catch (const Error& e) {
    throw InternalError(e.what());
  }
  return changed;
}

int64_t largest_live_set(const ir::Graph& graph, const Target& target) {
  const std::vector<Interval> intervals = arena_intervals(graph);
  std::vector<Block> blocks = make_blocks(intervals);
  int64_t largest = 0;
  for (int now = 0; now <= static_cast<int>(graph.ops().size()); ++now) {
    int64_t live = 0;
    for (const Block& b : blocks)
      if (b.begin() <= now && now <= b.end()) live += std::max(round_up(b.bytes, target.alignment()), target.alignment());
    largest = std::max(largest, live);
  }
  return largest;
}

namespace {

void check_overlap(const Interval& a, const Interval& b) {
  if (!a.overlaps(b)) return;
  const int64_t x = *a.value.offset(), y = *b.value.offset();  // inside the arena, with all their bytes
  if (x + a.value.type().bytes() <= y || y + b.value.type().bytes() <= x) return;
  // Overlap is right only where one is written over the other while that dies.
  const Interval &first = a.begin < b.begin ? a : b, &second = a.begin < b.begin ? b : a;
  const Op& op = *second.value.op();
  const bool reads = std::any_of(op.operands().begin(), op.operands().end(),
                                 [&](Value o) { return owner_of(o) == first.value; });
  const bool allowed = x == y && first.end == second.begin && reads && may_replace(second.value, first.value);
  if (!allowed)
    throw Error("the results of {} (at {}) and {} (at {}) are live together and share bytes", a.value.op()->name(),
                written_at(a.value.op()->locations()), b.value.op()->name(), written_at(b.value.op()->locations()));
}

}  // namespace

void verify_plan(const ir::Module& module, const Target& target) {
  const std::vector<Interval> intervals = arena_intervals(module.graph());
  for (size_t i = 0; i < intervals.size(); ++i) {
    const Value v = intervals[i].value;
    const int64_t offset = v.offset().value_or(-1), arena = module.arena_bytes.value_or(0), bytes = v.type().bytes();
    const auto refuse = [&](const std::string& why) { throw Error("a result of {} {}, at {}", v.op()->name(), why, written_at(v.op()->locations())); };
    if (!v.offset()) refuse("has no room: it is given no place in the arena");
    if (offset < 0 || arena > most_arena_bytes || bytes > arena || offset > arena - bytes)
      refuse(fmt::format("has no room: {} bytes at {} of an arena of {}", bytes, offset, arena));
    if (offset % target.alignment() != 0) refuse(fmt::format("is not aligned: its offset must be a multiple of {}", target.alignment()));
    for (size_t k = 0; k < i; ++k) check_overlap(intervals[i], intervals[k]);
  }
  check_aliases(module.graph());
}

}  // namespace weft::passes
