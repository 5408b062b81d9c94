#include "weft/backends/cuda/nest_order.h"

#include <algorithm>

#include "weft/ir/op_def.h"

namespace weft::cuda {
namespace {

using codegen::KernelPart;
using codegen::KernelTable;
using codegen::Overwritten;

/// Microseconds from one launch to the next of a graph, from a barrier through loads, stores and shuffles to the next, and for a
/// byte that one block moves.
constexpr double launch_time = 2.5, nest_time = 1.2, byte_time = 1.0 / 65536;

/// Which operands and, counted on, results of the kernel these are.
std::vector<int> numbers_of(const KernelTable& table, const KernelPart& part, bool results) {
  const size_t operands = part.nest->body().inputs().size();
  std::vector<int> numbers;
  for (size_t i = results ? operands : 0; i < (results ? part.buffers.size() : operands); ++i)
    numbers.push_back(table.buffers[static_cast<size_t>(part.buffers[i])].number);
  return numbers;
}

bool has(const std::vector<int>& numbers, int n) { return std::find(numbers.begin(), numbers.end(), n) != numbers.end(); }

}  // namespace

NestOrder::NestOrder(const KernelTable& table) {
  std::vector<std::vector<int>> reads, writes;
  int operands = INT32_MAX;  // results are counted from here on
  for (const KernelPart& part : table.parts) {
    reads.push_back(numbers_of(table, part, false)), writes.push_back(numbers_of(table, part, true));
    for (int n : writes.back()) operands = std::min(operands, n);
  }
  const auto writes_over = [&](size_t nest, int operand) {
    return std::any_of(table.overwritten.begin(), table.overwritten.end(),
                       [&](const Overwritten& o) { return o.operand == operand && has(writes[nest], operands + o.result); });
  };
  for (size_t nest = 0; nest < table.parts.size(); ++nest) {
    before.emplace_back();
    for (size_t other = 0; other < nest; ++other) {
      const bool waits = std::any_of(reads[nest].begin(), reads[nest].end(), [&](int n) { return has(writes[other], n); }) ||
                         std::any_of(reads[other].begin(), reads[other].end(), [&](int n) { return writes_over(nest, n); });
      if (waits) before.back().push_back(other);
    }
    written.emplace_back();
    for (int n : reads[nest]) {
      bool any = false;
      for (size_t other = 0; other < table.parts.size(); ++other)
        any = any || (other != nest && (has(writes[other], n) || writes_over(other, n)));
      written.back().push_back(any);
    }
  }
}

bool NestOrder::suits_one_block(const KernelTable& table) const {
  double in_order = launch_time;
  int longest = 0;
  std::vector<int> launch;
  for (size_t nest = 0; nest < before.size(); ++nest) {
    in_order += nest_time + byte_time * static_cast<double>(ir::bytes_of(*table.parts[nest].nest));
    launch.push_back(1);
    for (size_t other : before[nest]) launch.back() = std::max(launch.back(), launch[other] + 1);
    longest = std::max(longest, launch.back());
  }
  return in_order <= longest * (launch_time + nest_time);
}

}  // namespace weft::cuda
