#include "weft/backends/cpu/exec/formats.h"

#include <dnnl_debug.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "weft/support/error.h"

namespace weft::cpu {
namespace {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;
using Tag = dnnl::memory::format_tag;
using Part = Layout::Part;

/// Loops over a tensor's elements as they lie, outermost first: an axis, and how many steps.
struct Loop {
  int axis;
  int64_t steps;
  bool operator==(const Loop&) const = default;
};
using Loops = std::vector<Loop>;

struct Format {
  Layout layout;
  Tag tag;
};

/// The formats for so many axes, row-major first, by their names of letters; those that speak of images are other names of
/// the same formats.
const std::vector<Format>& formats_of(int rank) {
  static const std::map<int, std::vector<Format>> all = [] {
    std::map<int, std::vector<Format>> found;
    for (int tag = static_cast<int>(dnnl_format_tag_any) + 1; tag < static_cast<int>(dnnl_format_tag_last); ++tag) {
      const std::string name = dnnl_fmt_tag2str(static_cast<dnnl_format_tag_t>(tag));
      if (name.find_first_of("aA") == std::string::npos) continue;
      const int axes = Layout::axes(name, 0);
      found[axes].push_back({Layout::parse(name, axes), static_cast<Tag>(tag)});
    }
    for (auto& [axes, formats] : found)
      std::sort(formats.begin(), formats.end(), [](const Format& x, const Format& y) { return x.layout.text() < y.layout.text(); });
    return found;
  }();
  static const std::vector<Format> none;
  const auto found = all.find(rank);
  return found == all.end() ? none : found->second;
}

const Format* find_format(const Layout& layout, int rank) {
  for (const Format& f : formats_of(rank))
    if (f.layout == layout) return &f;
  return nullptr;
}

/// Where every element lies, whatever the format is called: loops of one step left out, and those joined that go on along
/// the same axis.
Loops joined(const Loops& loops) {
  Loops memory;
  for (const Loop& loop : loops) {
    if (loop.steps == 1) continue;
    if (!memory.empty() && memory.back().axis == loop.axis) memory.back().steps *= loop.steps;
    else memory.push_back(loop);
  }
  return memory;
}

/// None where blocks do not divide an axis.
std::optional<Loops> memory_of(const Layout& layout, const Dims& dims) {
  const Shape shape(dims);
  if (!layout.fits(shape)) return std::nullopt;
  const Dims steps = layout.physical(shape).dims();
  Loops loops;
  for (const Layout::Part& part : layout.parts(shape.rank())) loops.push_back({part.axis, steps[loops.size()]});
  return joined(loops);
}

/// None where elements are padded, or do not lie side by side.
std::optional<Loops> memory_of(const Desc& desc) {
#if DNNL_VERSION_MAJOR >= 3
  const Dims dims = desc.get_dims(), padded = desc.get_padded_dims(), strides = desc.get_strides(), blocks = desc.get_inner_blks(),
             axes = desc.get_inner_idxs();
#else
  const auto& lying = desc.data.format_desc.blocking;
  const auto list = [](const dnnl_dim_t* first, int count) { return Dims(first, first + count); };
  const Dims dims = list(desc.data.dims, desc.data.ndims), padded = list(desc.data.padded_dims, desc.data.ndims),
             strides = list(lying.strides, desc.data.ndims), blocks = list(lying.inner_blks, lying.inner_nblks),
             axes = list(lying.inner_idxs, lying.inner_nblks);
#endif
  if (padded != dims) return std::nullopt;
  Dims left = dims;
  Loops loops, inner;
  int64_t distance = 1;
  for (size_t i = 0; i < blocks.size(); ++i) {
    inner.push_back({static_cast<int>(axes[i]), blocks[i]});
    left[static_cast<size_t>(axes[i])] /= blocks[i];
    distance *= blocks[i];
  }
  for (size_t axis = 0; axis < dims.size(); ++axis)
    if (left[axis] != 1) loops.push_back({static_cast<int>(axis), left[axis]});
  const auto stride = [&](const Loop& loop) { return strides[static_cast<size_t>(loop.axis)]; };
  std::sort(loops.begin(), loops.end(), [&](const Loop& x, const Loop& y) { return stride(x) > stride(y); });
  for (auto loop = loops.rbegin(); loop != loops.rend(); ++loop) {
    if (stride(*loop) != distance) return std::nullopt;
    distance *= loop->steps;
  }
  loops.insert(loops.end(), inner.begin(), inner.end());
  return joined(loops);
}

std::vector<Layout> layouts_of(const std::optional<Loops>& memory, const Dims& dims) {
  std::vector<Layout> layouts;
  if (!memory) return layouts;
  for (const Format& f : formats_of(static_cast<int>(dims.size())))
    if (memory_of(f.layout, dims) == memory) layouts.push_back(f.layout);
  return layouts;
}

}  // namespace

bool is_known(const Layout& layout, int rank) { return find_format(layout, rank) != nullptr; }

Desc described(const Dims& dims, dnnl::memory::data_type type, const std::optional<Layout>& layout) {
  if (!layout) return {dims, type, Tag::any};
  const Format* found = find_format(*layout, static_cast<int>(dims.size()));
  if (!found) throw Error(ErrorKind::device, "oneDNN has no format '{}' of {} axes", layout->text(), dims.size());
  return {dims, type, found->tag};
}

std::vector<Layout> same_memory(const Dims& dims, const Layout& layout) {
  return is_known(layout, static_cast<int>(dims.size())) ? layouts_of(memory_of(layout, dims), dims) : std::vector<Layout>();
}

bool is_same_memory(const Desc& a, const Desc& b) {
  const auto memory = memory_of(a);
  return memory && memory == memory_of(b);
}

std::vector<Layout> same_memory(const Dims& dims, const Desc& desc) { return layouts_of(memory_of(desc), dims); }

Layout grouped(const Layout& own, bool single, int rank) {
  const std::vector<Part> parts = own.parts(rank);
  const bool outermost = parts[0].axis == 0;
  std::vector<Part> result;
  if (outermost && !single) result.push_back({0, 0});
  for (const Part& part : parts) {
    if (part.axis != 0 || (outermost && !single)) {
      result.push_back({part.axis + 1, part.block});
      continue;
    }
    // Output channels count groups, each with the channels of one beside it.
    result.push_back(part);
    if (part.block == 0) result.push_back({1, 0});
  }
  return Layout::of(std::move(result));
}

std::optional<Layout> ungrouped(const Layout& grouped, bool single, int rank) {
  std::vector<Part> parts = grouped.parts(rank + 1);
  const bool outermost = parts[0].axis == 0;
  if (outermost && !single) {
    if (grouped.is_cut(0)) return std::nullopt;
    parts.erase(parts.begin());
    for (Part& part : parts) --part.axis;
    return Layout::of(std::move(parts));
  }
  const auto channels = std::find(parts.begin(), parts.end(), Part{1, 0});
  const bool beside = channels != parts.begin() && channels[-1] == Part{0, 0} && !grouped.is_cut(1) && (outermost || !grouped.is_cut(0));
  if (!beside) return std::nullopt;
  parts.erase(channels);
  for (Part& part : parts) part.axis -= part.axis > 0;
  return Layout::of(std::move(parts));
}

}  // namespace weft::cpu
