#pragma once
// Moves a learning rate or a sign from a product to the smaller of its factors:
//
//   w - s * (A B) = w - (s A) B,    x - A B = x + (-A) B
//
// where A (or B) has fewer elements than the product and nothing else reads the product. A plain SGD update,
// w - lr * (g^T x), so becomes w + (-lr g)^T x: `epilogue` then lets the library accumulate into w, and the gradient of w is
// never written. Any contraction takes part.
//
// The second equation keeps every bit. The first is none for every s: (s A) B can be infinite or zero where s (A B) is
// neither. So it is used in one place only, where the gradient of w would cost as much memory traffic as w: s follows from
// hyper-parameters alone, and the sum replaces w. There it stands for an update whose loss gradient is seeded with the rate;
// it differs by a rounding of each term, and by more only where an element of s A leaves the type's normal range (in f32, with
// a rate of 0.001, a gradient below 1e-35). A factor that is a constant or comes from data stays where it was written.
//
// Runs after `simplify`, so that no equation undoes it, and before `updates`, which looks at what each update reads.

#include "weft/ir/module.h"

namespace weft::passes {

bool reassociate(ir::Module& module);

}  // namespace weft::passes
