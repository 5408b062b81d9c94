#include "weft/backends/cpu/exec/attention_spec.h"

#include <limits>

#include "weft/runtime/call_descriptor.h"

namespace weft::cpu {
namespace {

/// Of heads that each have `rows` rows.
Dims shape_of(Dims batch, int64_t group, int64_t rows, int64_t width) {
  if (!batch.empty()) batch.back() /= group;
  batch.insert(batch.end(), {rows, width});
  return batch;
}

}  // namespace

bool AttentionSpec::has_valid_mask() const {
  if (mask == ScoreMask::none) return mask_strides.empty();
  const Dims extents = shape_of(batch, 1, queries, keys);
  if (mask_strides.size() != extents.size()) return false;
  int64_t step = 1;
  for (size_t axis = extents.size(); axis-- > 0;) {
    if (mask_strides[axis] == 0) continue;
    if (mask_strides[axis] != step || step > std::numeric_limits<int64_t>::max() / extents[axis]) return false;
    step *= extents[axis];
  }
  return true;
}

bool AttentionSpec::has_valid_places() const {
  const Dims of_queries = shape_of(batch, 1, queries, width), of_results = shape_of(batch, 1, queries, value_width),
             of_keys = shape_of(batch, group, keys, width), of_values = shape_of(batch, group, keys, value_width);
  const std::vector<Dims> wanted = is_gradient
                                       ? std::vector<Dims>{of_queries, of_keys, of_values, of_results, of_queries, of_keys, of_values}
                                       : std::vector<Dims>{of_queries, of_keys, of_values, of_results};
  if (places.size() != wanted.size()) return false;
  const auto has_rows = [](const StridedView& view) {
    const size_t last = view.extents.size() - 1;
    const bool in_one_piece = view.extents[last] == 1 || view.strides[last] == 1;
    return in_one_piece && (view.extents[last - 1] == 1 || view.strides[last - 1] >= view.extents[last]);
  };
  for (size_t i = 0; i < wanted.size(); ++i)
    if (places[i].extents != wanted[i] || !has_rows(places[i])) return false;
  return true;
}

Dims AttentionSpec::bytes() const {
  Dims all;
  for (int i = 0; i < (is_gradient ? 4 : 3); ++i) all.push_back(bytes_of(f32, {places[static_cast<size_t>(i)].reach()}));
  const int64_t of_rows = bytes_of(f32, shape_of(batch, 1, queries, 1));
  if (is_gradient) all.insert(all.end(), {of_rows, of_rows});
  if (mask != ScoreMask::none) {
    Dims extents = shape_of(batch, 1, queries, keys);
    for (size_t axis = 0; axis < extents.size(); ++axis)
      if (mask_strides[axis] == 0) extents[axis] = 1;
    all.push_back(bytes_of(mask == ScoreMask::number ? f32 : boolean, extents));
  }
  for (size_t i = is_gradient ? 4 : 3; i < places.size(); ++i) all.push_back(bytes_of(f32, {places[i].reach()}));
  if (!is_gradient) all.push_back(of_rows);
  return all;
}

}  // namespace weft::cpu
