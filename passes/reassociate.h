#pragma once
// Moves a scale or a sign from a product to the smaller of its factors:
//
//   s * (A B) = (s A) B,    x - A B = x + (-A) B
//
// where s is a single number, A (or B) has fewer elements than the product, and nothing else reads the product. A plain
// SGD update, w - lr * (g^T x), so becomes w + (-lr g)^T x: `epilogue` then lets the library accumulate into w, and the
// gradient of w is never written. Any op whose definition says that it is bilinear takes part.
//
// The first equation rounds differently (by an ulp of each term), the second keeps every bit. Runs after `simplify`, so
// that no equation undoes it, and before `updates`, which looks at what each update reads.

#include "weft/ir/module.h"

namespace weft::passes {

bool reassociate(ir::Module& module);

}  // namespace weft::passes
