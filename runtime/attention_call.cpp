#include "weft/runtime/attention_call.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>

#include "weft/support/error.h"
#include "weft/support/number_text.h"

namespace weft {
namespace {

constexpr std::string_view forward_name = "attention", gradient_name = "attention_gradient";
constexpr std::string_view mask_names[] = {"none", "boolean", "number"};  // in the order of ScoreMask

/// Of heads that each have `rows` rows.
Dims shape_of(Dims batch, int64_t group, int64_t rows, int64_t width) {
  if (!batch.empty()) batch.back() /= group;
  batch.insert(batch.end(), {rows, width});
  return batch;
}

/// None where the numbers are no views of that rank, one behind the other.
std::vector<StridedView> views_in(const Dims& numbers, size_t rank) {
  std::vector<StridedView> views;
  const auto each = static_cast<std::ptrdiff_t>(1 + 2 * rank);
  if (numbers.size() % static_cast<size_t>(each) != 0) return {};
  for (auto from = numbers.begin(); from != numbers.end(); from += each) {
    const auto view = StridedView::parse({from, from + each});
    if (!view) return {};
    views.push_back(*view);
  }
  return views;
}

}  // namespace

bool AttentionCall::has_valid_mask() const {
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

bool AttentionCall::has_valid_places() const {
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

Dims AttentionCall::bytes() const {
  Dims all;
  for (size_t i = 0; i < operand_places(); ++i) all.push_back(bytes_of(dtype, {places[i].reach()}));
  const int64_t of_rows = bytes_of(row_dtype(), shape_of(batch, 1, queries, 1));
  if (is_gradient) all.insert(all.end(), {of_rows, of_rows});
  if (mask != ScoreMask::none) {
    Dims extents = shape_of(batch, 1, queries, keys);
    for (size_t axis = 0; axis < extents.size(); ++axis)
      if (mask_strides[axis] == 0) extents[axis] = 1;
    all.push_back(bytes_of(mask == ScoreMask::number ? dtype : boolean, extents));
  }
  for (size_t i = operand_places(); i < places.size(); ++i) all.push_back(bytes_of(dtype, {places[i].reach()}));
  if (!is_gradient) all.push_back(of_rows);
  return all;
}

std::string_view call_name(const AttentionCall& a) { return a.is_gradient ? gradient_name : forward_name; }

void add_fields(CallDescriptor& call, const AttentionCall& a) {
  Dims places;
  for (const StridedView& view : a.places) {
    const Dims numbers = view.numbers();
    places.insert(places.end(), numbers.begin(), numbers.end());
  }
  call.fields.insert({{"batch", a.batch},
                      {"group", a.group},
                      {"queries", a.queries},
                      {"keys", a.keys},
                      {"width", a.width},
                      {"value_width", a.value_width},
                      {"causal", int64_t{a.causal}},
                      {"scale", fmt::format("{}", a.scale)},
                      {"mask", std::string(mask_names[static_cast<size_t>(a.mask)])},
                      {"mask_strides", a.mask_strides},
                      {"places", places}});
}

void read_fields(const CallDescriptor& c, AttentionCall& a) {
  a.is_gradient = c.call == gradient_name;
  a.batch = c.list("batch"), a.group = c.count("group");
  a.queries = c.count("queries"), a.keys = c.count("keys"), a.width = c.count("width"), a.value_width = c.count("value_width");
  a.causal = c.flag("causal");
  a.scale = number_in<double>(c.text("scale")).value_or(std::numeric_limits<double>::quiet_NaN());
  const auto* const mask = std::find(std::begin(mask_names), std::end(mask_names), c.text("mask"));
  a.mask = static_cast<ScoreMask>(mask - std::begin(mask_names));
  a.mask_strides = c.list("mask_strides");
  a.places = views_in(c.list("places"), a.batch.size() + 2);
  const auto is_extent = [](int64_t extent) { return extent > 0; };
  const bool has_extents = std::all_of(a.batch.begin(), a.batch.end(), is_extent) && is_extent(a.queries) && is_extent(a.keys) &&
                           is_extent(a.width) && is_extent(a.value_width);
  const bool has_group = a.group == 1 || (!a.batch.empty() && a.group > 0 && a.batch.back() % a.group == 0);
  if (!has_extents || !has_group || !a.has_valid_places() || mask == std::end(mask_names) || !a.has_valid_mask() || !std::isfinite(a.scale))
    throw Error(ErrorKind::file, "attention of {} queries to {} keys, in heads {}: no call of weft is so", a.queries, a.keys,
                to_string(a.batch));
  a.bytes();  // so that all products of extents are numbers
}

}  // namespace weft
