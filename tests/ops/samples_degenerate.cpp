// Samples with extents of 0 and 1, and of rank 0, made of the others.

#include <algorithm>
#include <set>

#include "weft/tests/ops/samples_parts.h"

namespace weft::testing {
namespace {

using ir::Type;

/// Every axis of extent `from` in the operands, and wherever an attribute lists it, with extent `to`.
Sample with_extent(const Sample& sample, int64_t from, int64_t to) {
  const auto exchanged = [&](Dims dims) {
    std::replace(dims.begin(), dims.end(), from, to);
    return dims;
  };
  Sample other = sample;
  for (Type& operand : other.operands) operand.shape = Shape(exchanged(operand.shape.dims()));
  for (auto& [name, value] : other.attributes)
    if (Dims* dims = std::get_if<Dims>(&value); dims && (name == "shape" || name == "end")) *dims = exchanged(*dims);
  return other;
}

/// Every operand and every list as one of rank 0.
Sample with_rank_0(const Sample& sample) {
  Sample other = sample;
  for (Type& operand : other.operands) operand.shape = Shape();
  for (auto& [name, value] : other.attributes)
    if (std::holds_alternative<Dims>(value)) value = Dims{};
  return other;
}

bool is_accepted(const Sample& sample) {
  try {
    module_of(sample);
    return true;
  } catch (const Error&) {
    return false;
  }
}

/// Is there an index, but nothing that it could be the index of?
bool indexes_nothing(const Sample& sample) {
  const ir::Module module = module_of(sample);
  const ir::Op& op = *module.graph().ops().front();
  if (!op.def().index_bound) return false;
  for (int i = 0; i < static_cast<int>(op.operands().size()); ++i)
    if (op.def().index_bound(op, i) == 0 && op.operand(i).shape().numel() > 0) return true;
  return false;
}

/// What tells one sample from another.
std::string key_of(const Sample& sample) {
  std::string key = to_string(sample);
  for (const Type& operand : sample.operands) key += " " + ir::to_string(operand);
  return key;
}

}  // namespace

/// Extents of 0 and 1 in the place of each other one, and rank 0, where the op takes that: of the first sample of an op whose
/// operands have these ranks.
void add_degenerate(std::vector<Sample>& all) {
  std::set<std::string> known, begun;
  for (const Sample& sample : all)
    if (sample.body.empty()) known.insert(key_of(sample));
  const size_t regular = all.size();
  const auto add = [&](Sample sample) {
    sample.degenerate = true;
    if (is_accepted(sample) && !indexes_nothing(sample) && known.insert(key_of(sample)).second) all.push_back(std::move(sample));
  };
  for (size_t i = 0; i < regular; ++i) {
    const Sample sample = all[i];
    std::string ranks = sample.op;
    for (const Type& operand : sample.operands) ranks += " " + std::to_string(operand.shape.rank());
    if (!sample.body.empty() || !begun.insert(ranks).second) continue;
    std::set<int64_t> extents;
    for (const Type& operand : sample.operands) extents.insert(operand.shape.begin(), operand.shape.end());
    for (int64_t extent : extents)
      for (int64_t to : {0, 1}) add(with_extent(sample, extent, to));
    add(with_rank_0(sample));
  }
}

}  // namespace weft::testing
