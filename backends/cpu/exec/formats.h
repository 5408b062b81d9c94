#pragma once
// Layouts as oneDNN's formats, which it names in the same notation, and which of them say the same. Included only by the files
// that call the library.

#include <dnnl.hpp>

#include <optional>
#include <vector>

#include "weft/support/layout.h"

namespace weft::cpu {

/// Has the library such a format for so many axes?
bool is_known(const Layout& layout, int rank);

/// Elements that lie so; none: as the library likes. Throws weft::Error where the library has no such format.
dnnl::memory::desc described(const dnnl::memory::dims& dims, dnnl::memory::data_type type, const std::optional<Layout>& layout);

/// All formats in which a tensor of these extents lies as it does in `layout`, row-major first where it is one of them: the
/// same list for each of its members. An axis of extent 1 has no place in memory and several formats say nothing of it, but
/// an implementation of the library takes a tensor only by the name that it knows. Empty where blocks do not divide an axis.
std::vector<Layout> same_memory(const dnnl::memory::dims& dims, const Layout& layout);

/// Do the elements of both lie in the same places? Not, where one is padded.
bool is_same_memory(const dnnl::memory::desc& a, const dnnl::memory::desc& b);

/// The formats in which a tensor of these extents lies as the desc says; none where it is padded or has no name.
std::vector<Layout> same_memory(const dnnl::memory::dims& dims, const dnnl::memory::desc& desc);

// Grouped weights are [groups, o / groups, i, ..] to the library and [o, i, ..] to us: the same memory, where groups come
// outermost, or with one output channel each (`single`) in blocks of their own, or where a group's outputs lie side by side
// behind all else. `rank` is that of ours.

/// "ABcd8b8a" -> "aBCde8c8b"; single, "Abcd8a" -> "Abcde8a"; "cdba" -> "decab".
Layout grouped(const Layout& own, bool single, int rank);
std::optional<Layout> ungrouped(const Layout& grouped, bool single, int rank);

}  // namespace weft::cpu
