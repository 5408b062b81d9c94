#include "weft/support/layout.h"

#include <algorithm>
#include <utility>

#include "weft/support/error.h"
#include "weft/support/number_text.h"

namespace weft {
namespace {

/// Far more than any library's, and far from overflow.
constexpr int64_t largest_block = 4096, most_block = int64_t{1} << 20;

bool is_digit(char c) { return '0' <= c && c <= '9'; }

/// The parts of one axis in the order in which they lie: what is left of it, then its blocks.
std::vector<size_t> places_of(const std::vector<Layout::Part>& parts, int axis) {
  std::vector<size_t> places;
  for (size_t i = 0; i < parts.size(); ++i)
    if (parts[i].axis == axis) places.push_back(i);
  return places;
}

int rank_of(const std::vector<Layout::Part>& parts) {
  int rank = 0;
  for (const auto& p : parts) rank = std::max(rank, p.axis + 1);
  return rank;
}

}  // namespace

bool is_permutation(const Dims& order, int rank) {
  Dims sorted = order;
  std::sort(sorted.begin(), sorted.end());
  if (std::ssize(sorted) != rank) return false;
  for (int axis = 0; axis < rank; ++axis)
    if (sorted[static_cast<size_t>(axis)] != axis) return false;
  return true;
}

Dims inverse(const Dims& permutation) {
  Dims result(permutation.size());
  for (size_t i = 0; i < permutation.size(); ++i) result[static_cast<size_t>(permutation[i])] = static_cast<int64_t>(i);
  return result;
}

Layout Layout::parse(std::string_view text, int rank) {
  if (text.empty()) return {};
  const auto fail = [&](const char* why) { throw Error(ErrorKind::shape, "'{}' is no layout of {} axes: {}", text, rank, why); };
  std::vector<Part> parts;
  std::vector<int> outer(static_cast<size_t>(rank), 0), blocks(outer);
  Dims together(static_cast<size_t>(rank), 1);  // of the blocks of an axis
  std::vector<bool> capital(static_cast<size_t>(rank), false);
  int64_t block = 0;
  for (size_t at = 0; at < text.size();) {
    if (is_digit(text[at])) {
      const LeadingNumber<int64_t> size = leading_number<int64_t>(text.substr(at));
      if (size.out_of_range || size.value > largest_block) fail("a block is larger than 4096");
      block = size.value, at += size.length;
      continue;
    }
    const char c = text[at++];
    const bool is_capital = 'A' <= c && c <= 'Z';
    const int axis = c - (is_capital ? 'A' : 'a');
    if (axis < 0 || axis >= rank) fail("it names another axis");
    const auto a = static_cast<size_t>(axis);
    if (block == 0) {
      if (outer[a]++) fail("it names an axis twice");
      capital[a] = is_capital;
    } else {
      if (is_capital || outer[a] == 0 || block == 1) fail("a block needs a size and follows its axis");
      ++blocks[a];
      together[a] *= block;
      if (together[a] > most_block) fail("the blocks of an axis are larger than 2^20 together");
    }
    parts.push_back({axis, std::exchange(block, 0)});
  }
  for (size_t a = 0; a < outer.size(); ++a)
    if (outer[a] == 0 || capital[a] != (blocks[a] > 0)) fail("every axis must come once, as a capital letter if it has blocks");
  if (block != 0) fail("it ends in a number");
  return of(std::move(parts));
}

Layout Layout::channels_last(int rank) {
  std::vector<Part> parts{{0, 0}};
  for (int axis = 2; axis < rank; ++axis) parts.push_back({axis, 0});
  if (rank > 1) parts.push_back({1, 0});
  return of(std::move(parts));
}

int Layout::axes(std::string_view text, int rank) {
  if (text.empty()) return rank;
  int count = 0;
  for (size_t i = 0; i < text.size(); ++i) count += !is_digit(text[i]) && (i == 0 || !is_digit(text[i - 1]));
  return count;
}

Layout Layout::of(std::vector<Part> parts) {
  Layout layout;
  const auto in_order = [&] {
    for (size_t i = 0; i < parts.size(); ++i)
      if (parts[i] != Part{static_cast<int>(i), 0}) return false;
    return true;
  };
  if (!in_order()) layout.parts_ = std::move(parts);
  return layout;
}

std::string Layout::text() const {
  std::string text;
  for (const Part& p : parts_) {
    if (p.block) text += std::to_string(p.block);
    text += static_cast<char>((p.block == 0 && is_cut(p.axis) ? 'A' : 'a') + p.axis);
  }
  return text;
}

std::vector<Layout::Part> Layout::parts(int rank) const {
  if (!is_plain()) return parts_;
  std::vector<Part> all;
  for (int axis = 0; axis < rank; ++axis) all.push_back({axis, 0});
  return all;
}

bool Layout::is_cut(int axis) const { return places_of(parts_, axis).size() > 1; }

int64_t Layout::block_of(int axis) const {
  int64_t block = 1;
  for (const Part& p : parts_)
    if (p.axis == axis && p.block) block *= p.block;
  return block;
}

bool Layout::fits(const Shape& logical) const {
  if (is_plain()) return true;
  if (logical.rank() != rank_of(parts_)) return false;
  for (int axis = 0; axis < logical.rank(); ++axis)
    if (logical[axis] % block_of(axis)) return false;
  return true;
}

Shape Layout::split(const Shape& logical) const {
  if (is_plain()) return logical;
  WEFT_CHECK(fits(logical), "{} cannot lie as {}", weft::to_string(logical), text());
  Dims shape;
  for (int axis = 0; axis < logical.rank(); ++axis) {
    const int64_t rest = logical[axis] / block_of(axis);
    for (size_t place : places_of(parts_, axis)) shape.push_back(parts_[place].block ? parts_[place].block : rest);
  }
  return Shape(shape);
}

Dims Layout::order() const {
  Dims places;  // of the split axes in the physical order
  for (int axis = 0; axis < rank_of(parts_); ++axis)
    for (size_t place : places_of(parts_, axis)) places.push_back(static_cast<int64_t>(place));
  return inverse(places);
}

Shape Layout::physical(const Shape& logical) const {
  if (is_plain()) return logical;
  const Shape cut = split(logical);
  Dims shape;
  for (int64_t axis : order()) shape.push_back(cut[static_cast<int>(axis)]);
  return Shape(shape);
}

std::optional<StridedView> Layout::view(const Shape& logical) const {
  if (is_plain()) return StridedView::dense(logical);
  const bool cut = std::any_of(parts_.begin(), parts_.end(), [](const Part& p) { return p.block != 0; });
  if (cut || !fits(logical)) return std::nullopt;
  return StridedView::dense(physical(logical)).permuted(inverse(order()));
}

Shape Layout::logical(const Shape& physical) const {
  if (is_plain()) return physical;
  const auto fail = [&] { throw Error(ErrorKind::shape, "{} is no shape of a tensor that lies as {}", weft::to_string(physical), text()); };
  if (static_cast<size_t>(physical.rank()) != parts_.size()) fail();
  Dims shape(static_cast<size_t>(rank_of(parts_)), 1);
  for (size_t i = 0; i < parts_.size(); ++i) {
    if (parts_[i].block && parts_[i].block != physical.dims()[i]) fail();
    shape[static_cast<size_t>(parts_[i].axis)] *= physical.dims()[i];
  }
  return Shape(shape);
}

}  // namespace weft
