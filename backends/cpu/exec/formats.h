#pragma once
// oneDNN's names of formats, "aBcd8b", and which of them say the same. Included only by the files that call the library.

#include <dnnl.hpp>

#include <optional>
#include <string>
#include <vector>

namespace weft::cpu {

/// Has the library such a format for so many axes? "" is row-major.
bool is_known(const std::string& format, size_t rank);

/// f32 elements that lie so; "any": as the library likes. Throws weft::Error for an unknown format.
dnnl::memory::desc described(const dnnl::memory::dims& dims, const std::string& format);

/// All formats in which a tensor of these extents lies as it does in `format`, row-major first where it is one of them: the
/// same list for each of its members. An axis of extent 1 has no place in memory and several formats say nothing of it, but
/// an implementation of the library takes a tensor only by the name that it knows. Empty where blocks do not divide an axis.
std::vector<std::string> same_memory(const dnnl::memory::dims& dims, const std::string& format);

/// Do the elements of both lie in the same places? Not, where one is padded.
bool is_same_memory(const dnnl::memory::desc& a, const dnnl::memory::desc& b);

/// The formats in which a tensor of these extents lies as the desc says; none where it is padded or has no name.
std::vector<std::string> same_memory(const dnnl::memory::dims& dims, const dnnl::memory::desc& desc);

// Grouped weights are [groups, o / groups, i, ..] to the library and [o, i, ..] to us: the same memory, where groups come
// outermost, or with one output channel each (`single`) in blocks of their own, or where a group's outputs lie side by side
// behind all else. `rank` is that of ours.

/// "ABcd8b8a" -> "aBCde8c8b"; single, "Abcd8a" -> "Abcde8a"; "cdba" -> "decab".
std::string grouped_format(const std::string& format, bool single, size_t rank);
std::optional<std::string> ungrouped_format(const std::string& format, bool single, size_t rank);

}  // namespace weft::cpu
