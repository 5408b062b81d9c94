// Ops that run their body step by step.

#include <algorithm>

#include "weft/backends/reference/kernels.h"
#include "weft/ir/ops/loop.h"

namespace weft::reference {
namespace {

/// Slice `index` of x along its first axis.
Tensor slice_of(const Tensor& x, int64_t index) {
  Tensor slice(ir::slice_of(x.type));
  const auto count = static_cast<size_t>(slice.type.shape.numel());
  const auto copy = [&](const auto& from, auto& to) {
    if (!from.empty()) std::copy_n(from.begin() + static_cast<std::ptrdiff_t>(index * static_cast<int64_t>(count)), count, to.begin());
  };
  copy(x.real, slice.real);
  copy(x.integer, slice.integer);
  return slice;
}

void set_slice(Tensor& x, int64_t index, const Tensor& slice) {
  const auto copy = [&](const auto& from, auto& to) {
    std::copy(from.begin(), from.end(), to.begin() + static_cast<std::ptrdiff_t>(index * static_cast<int64_t>(from.size())));
  };
  copy(slice.real, x.real);
  copy(slice.integer, x.integer);
}

}  // namespace

std::vector<Tensor> scan(const ir::Op& op, Operands operands) {
  const ir::Scan s = ir::scan_of(op);
  std::vector<Tensor> carried, stacked, places;
  for (int i = 0; i < s.carried; ++i) carried.push_back(*operands[static_cast<size_t>(i)]);
  for (int i = 0; i < s.stacked; ++i) {
    stacked.emplace_back(op.result(s.carried + i).type());
    places.emplace_back(ir::slice_of(stacked.back().type));
  }
  for (int64_t step = 0; step < s.length; ++step) {
    const int64_t index = s.slice_of(step);
    std::vector<Tensor> slices;
    for (int i = s.carried; i < s.carried + s.sliced; ++i) slices.push_back(slice_of(*operands[static_cast<size_t>(i)], index));
    std::vector<const Tensor*> inputs;
    for (const Tensor& t : carried) inputs.push_back(&t);
    for (const Tensor& t : slices) inputs.push_back(&t);
    for (int i = s.carried + s.sliced; i < s.operands(); ++i) inputs.push_back(operands[static_cast<size_t>(i)]);
    if (s.placed)
      for (const Tensor& t : places) inputs.push_back(&t);
    std::vector<Tensor> results = run(op.body(), inputs);
    for (int i = 0; i < s.stacked; ++i) set_slice(stacked[static_cast<size_t>(i)], index, results[static_cast<size_t>(s.carried + i)]);
    results.resize(static_cast<size_t>(s.carried));
    carried = std::move(results);
  }
  carried.insert(carried.end(), std::make_move_iterator(stacked.begin()), std::make_move_iterator(stacked.end()));
  while (carried.size() < op.results().size()) carried.emplace_back(op.result(static_cast<int>(carried.size())).type());
  return carried;
}

}  // namespace weft::reference
