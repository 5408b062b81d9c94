#pragma once
// The tensor language. Names, defaults and semantics follow torch.<name>; element types promote as torch.result_type
// does, shapes broadcast from the right. Operands may be tensors, parameters and numbers; a number takes the element
// type of the others, or default_dtype() when it is floating and they are not.
//
// Every function throws weft::Error naming the op, what it requires, the operands' types and the user's line.

#include "weft/frontend/language/ops_create.h"
#include "weft/frontend/language/ops_elementwise.h"
#include "weft/frontend/language/ops_image.h"
#include "weft/frontend/language/ops_index.h"
#include "weft/frontend/language/ops_movement.h"
#include "weft/frontend/language/ops_norm.h"
#include "weft/frontend/language/ops_order.h"
#include "weft/frontend/language/ops_product.h"
#include "weft/frontend/language/ops_reduction.h"
