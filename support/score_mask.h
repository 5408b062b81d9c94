#pragma once
// What hides scores of attention. It includes nothing, for code that is compiled for one instruction set.

namespace weft {

/// None, of bool (what is seen), or numbers that are added.
enum class ScoreMask { none, boolean, number };

}  // namespace weft
