#include "weft/backends/cpu/exec/formats.h"

#include <dnnl_debug.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <utility>

#include "weft/support/error.h"

namespace weft::cpu {
namespace {

using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;
using Tag = dnnl::memory::format_tag;

std::string row_major(size_t rank) { return std::string("abcdef").substr(0, rank); }

bool is_digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
int axis_of(char letter) { return std::tolower(static_cast<unsigned char>(letter)) - 'a'; }

/// Loops over a tensor's elements as they lie, outermost first: an axis, and how many steps; 0: what blocks leave of it.
struct Loop {
  int axis;
  int64_t steps;
  bool operator==(const Loop&) const = default;
};
using Loops = std::vector<Loop>;

struct Format {
  std::string name;
  Tag tag;
  Loops loops;
};

Loops loops_of(const std::string& name) {
  Loops loops;
  int64_t block = 0;
  for (char c : name)
    if (is_digit(c)) block = block * 10 + (c - '0');
    else loops.push_back({axis_of(c), std::exchange(block, 0)});
  return loops;
}

/// The formats for so many axes, row-major first, by their names of letters; those that speak of images are other names of
/// the same formats.
const std::vector<Format>& formats_of(size_t rank) {
  static const std::map<size_t, std::vector<Format>> all = [] {
    std::map<size_t, std::vector<Format>> found;
    for (int tag = static_cast<int>(dnnl_format_tag_any) + 1; tag < static_cast<int>(dnnl_format_tag_last); ++tag) {
      const std::string name = dnnl_fmt_tag2str(static_cast<dnnl_format_tag_t>(tag));
      if (name.find_first_of("aA") == std::string::npos) continue;
      const Loops loops = loops_of(name);
      found[static_cast<size_t>(std::max_element(loops.begin(), loops.end(), [](Loop x, Loop y) { return x.axis < y.axis; })->axis) + 1]
          .push_back({name, static_cast<Tag>(tag), loops});
    }
    for (auto& [axes, formats] : found)
      std::sort(formats.begin(), formats.end(), [&, plain = row_major(axes)](const Format& x, const Format& y) {
        return std::pair(x.name != plain, x.name) < std::pair(y.name != plain, y.name);
      });
    return found;
  }();
  static const std::vector<Format> none;
  const auto found = all.find(rank);
  return found == all.end() ? none : found->second;
}

const Format* find_format(const std::string& name, size_t rank) {
  for (const Format& f : formats_of(rank))
    if (f.name == (name.empty() ? row_major(rank) : name)) return &f;
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
std::optional<Loops> memory_of(const Format& format, const Dims& dims) {
  Dims left = dims;
  for (const Loop& loop : format.loops) {
    if (loop.steps == 0) continue;
    int64_t& extent = left[static_cast<size_t>(loop.axis)];
    if (extent % loop.steps) return std::nullopt;
    extent /= loop.steps;
  }
  Loops loops = format.loops;
  for (Loop& loop : loops)
    if (loop.steps == 0) loop.steps = left[static_cast<size_t>(loop.axis)];
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

std::vector<std::string> names_of(const std::optional<Loops>& memory, const Dims& dims) {
  std::vector<std::string> names;
  if (!memory) return names;
  for (const Format& f : formats_of(dims.size()))
    if (memory_of(f, dims) == memory) names.push_back(f.name == row_major(dims.size()) ? "" : f.name);
  return names;
}

char shifted(char letter) { return static_cast<char>(letter + 1); }

}  // namespace

bool is_known(const std::string& format, size_t rank) { return find_format(format, rank) != nullptr; }

Desc described(const Dims& dims, const std::string& format) {
  const auto type = dnnl::memory::data_type::f32;
  if (format == "any") return {dims, type, Tag::any};
  const Format* found = find_format(format, dims.size());
  if (!found) throw Error("oneDNN has no format '{}' of {} axes", format, dims.size());
  return {dims, type, found->tag};
}

std::vector<std::string> same_memory(const Dims& dims, const std::string& format) {
  const Format* found = find_format(format, dims.size());
  return found ? names_of(memory_of(*found, dims), dims) : std::vector<std::string>();
}

bool is_same_memory(const Desc& a, const Desc& b) {
  const auto memory = memory_of(a);
  return memory && memory == memory_of(b);
}

std::vector<std::string> same_memory(const Dims& dims, const Desc& desc) { return names_of(memory_of(desc), dims); }

std::string grouped_format(const std::string& format, bool single, size_t rank) {
  const std::string own = format.empty() ? row_major(rank) : format;
  const bool outermost = axis_of(own[0]) == 0;
  std::string result = single || !outermost ? "" : "a";
  for (char c : own) {
    const bool output = axis_of(c) == 0 && !is_digit(c);
    if (is_digit(c) || (output && (single || !outermost))) result += c;
    else result += shifted(c);
    if (output && (outermost ? single && result.size() == 1 : true)) result += 'b';
  }
  return result;
}

std::optional<std::string> ungrouped_format(const std::string& format, bool single, size_t rank) {
  const std::string own = format.empty() ? row_major(rank + 1) : format;
  const auto both = own.find("ab");
  const bool outermost = axis_of(own[0]) == 0;
  if (outermost ? (single ? own.size() < 2 || own[1] != 'b' : own[0] != 'a') : both == std::string::npos || is_digit(own[both - 1]))
    return std::nullopt;
  const size_t left_out = !outermost ? both + 1 : single ? 1 : 0;
  std::string result;
  for (size_t i = 0; i < own.size(); ++i) {
    const char c = own[i];
    if (i == left_out) continue;
    const bool output = axis_of(c) == 0 && !is_digit(c);
    result += is_digit(c) || (output && (single || !outermost)) ? c : static_cast<char>(c - 1);
  }
  return result == row_major(rank) ? "" : result;
}

}  // namespace weft::cpu
