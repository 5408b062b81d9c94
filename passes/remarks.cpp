#include "weft/passes/remarks.h"

#include <algorithm>

#include "weft/passes/marks.h"

namespace weft::passes {

Remark::Of Remarks::of(ir::Op& op, const ir::Type& type) {
  const auto [mark, is_new] = marked_.try_emplace(op.number(), next_mark_);
  if (is_new) add_mark(op, next_mark_++);
  Remark::Of of(op, type);
  of.mark = mark->second;
  for (int made_of : marks_of(op.locations()))
    if (made_of < first_mark_) of.recorded.push_back(made_of);
  return of;
}

void Remarks::sort_from(size_t first) {
  std::stable_sort(all_.begin() + static_cast<std::ptrdiff_t>(first), all_.end(), [](const Remark& x, const Remark& y) {
    return std::pair(x.other.has_value(), -x.bytes) < std::pair(y.other.has_value(), -y.bytes);
  });
}

}  // namespace weft::passes
