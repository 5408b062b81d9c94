#include "weft/passes/analysis/order_list.h"

#include "weft/support/work.h"

namespace weft::passes {
namespace {

constexpr int label_bits = 62;
/// A range of 2^k labels may hold this to the power of -k of its labels before it is too dense to be spread.
constexpr double overflow = 1.4;

}  // namespace

OrderList::OrderList(const std::vector<int>& order) : nodes_(order.size() + 2), first_(static_cast<int>(order.size())), last_(first_ + 1) {
  const uint64_t gap = (uint64_t{1} << label_bits) / (order.size() + 1);
  int previous = first_;
  for (int member : order) {
    node(member) = {previous, last_, node(previous).label + gap};
    node(previous).next = member;
    previous = member;
  }
  node(last_) = {previous, -1, uint64_t{1} << label_bits};
  node(previous).next = last_;
  node(first_).previous = -1;
}

void OrderList::remove(int member) {
  const Node& gone = node(member);
  node(gone.previous).next = gone.next;
  node(gone.next).previous = gone.previous;
}

void OrderList::move_behind(int member, int place) {
  if (member == place) return;
  remove(member);
  if (node(node(place).next).label - node(place).label < 2) relabel(place);
  const int next = node(place).next;
  node(member) = {place, next, node(place).label + (node(next).label - node(place).label) / 2};
  node(place).next = node(next).previous = member;
  count_work(1);
}

void OrderList::move_before(int member, int place) {
  if (member == place || node(place).previous == member) return;
  move_behind(member, node(place).previous);
}

void OrderList::relabel(int member) {
  // The aligned range of 2^bits labels around the member's: what lies in it, found by walking to both sides.
  int low = member, high = member;
  int64_t count = 1;
  double allowed = 1;
  for (int bits = 1; bits <= label_bits; ++bits) {
    allowed *= 2 / overflow;
    const uint64_t begin = node(member).label >> bits << bits, end = begin + (uint64_t{1} << bits);
    for (; node(low).previous >= 0 && node(node(low).previous).label >= begin; low = node(low).previous) ++count;
    for (; node(high).next != last_ && node(node(high).next).label < end; high = node(high).next) ++count;
    if (static_cast<double>(count) > allowed || (uint64_t{1} << bits) / static_cast<uint64_t>(count) < 4) continue;
    const uint64_t gap = (uint64_t{1} << bits) / static_cast<uint64_t>(count);
    uint64_t label = begin;
    for (int at = low;; at = node(at).next, label += gap) {
      node(at).label = label;
      if (at == high) break;
    }
    count_work(count);
    return;
  }
}

}  // namespace weft::passes
