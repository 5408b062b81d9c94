#pragma once
// NumPy's .npz archives: several arrays by name, in a ZIP file (np.savez, np.savez_compressed).

#include <string>
#include <utility>
#include <vector>

#include "weft/runtime/array.h"

namespace weft {

/// All arrays in the archive's order, each under its name without ".npy", as read_npy() would give it: what Dataset::arrays takes.
/// Members may be stored or deflated. Throws weft::Error naming the file, and the member and the offset in it, where the archive or an
/// array is damaged, cut short, encrypted or otherwise compressed, when a member is no .npy file, and for a name given twice.
///
///   Dataset pairs{.arrays = read_npz("pairs.npz")};
std::vector<std::pair<std::string, Array>> read_npz(const std::string& path);

}  // namespace weft
