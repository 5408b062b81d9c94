#pragma once

#include "weft/frontend/language/recorder.h"

namespace weft::detail {

/// The diagonal of v over two different axes as the last axis, `offset` columns further, or, where negative, rows.
ir::Value diagonal(Recorder& r, ir::Value v, int64_t offset, int64_t axis0, int64_t axis1);

}  // namespace weft::detail
