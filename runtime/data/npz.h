#pragma once
// NumPy's .npz archives: several arrays by name, in a ZIP file (np.savez, np.savez_compressed).

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/runtime/array.h"

namespace weft {

/// Arrays by name, in an order: what Dataset::arrays takes.
class NamedArrays : public std::vector<std::pair<std::string, Array>> {
 public:
  using vector::vector;
  using vector::operator[];
  /// That of a name. Throws weft::Error with the nearest names, or all, when there is none of it.
  const Array& operator[](std::string_view name) const&;
  Array operator[](std::string_view name) && { return std::as_const(*this)[name]; }
};

/// All arrays in the archive's order, each under its name without ".npy", as read_npy() would give it.
/// Members may be stored or deflated. Throws weft::Error naming the file, and the member and the offset in it, where the archive or an
/// array is damaged, cut short, encrypted or otherwise compressed, when a member is no .npy file, and for a name given twice.
///
///   Dataset pairs{.arrays = read_npz("pairs.npz")};
///   const NamedArrays all = read_npz("pairs.npz");
///   step({{"left", all["left"]}, {"right", all["right"]}});
NamedArrays read_npz(const std::string& path);

}  // namespace weft
