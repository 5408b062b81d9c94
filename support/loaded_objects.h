#pragma once
// What this process runs: its program and shared libraries.

#include <string>

namespace weft {

/// A line for each file whose code is loaded: its path, size and time of change. Another build of any of them gives another text.
std::string loaded_objects();

}  // namespace weft
