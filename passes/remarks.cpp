#include "weft/passes/remarks.h"

#include "weft/passes/marks.h"

namespace weft::passes {

Remark::Of Remarks::of(ir::Op& op, const ir::Type& type) {
  const auto [mark, is_new] = marked_.try_emplace(op.number(), next_mark_);
  if (is_new) add_mark(op, next_mark_++);
  Remark::Of of(op, type);
  of.mark = mark->second;
  of.recorded = recorded_of(op.locations());
  return of;
}

Remark::Of Remarks::of_moved(ir::Value value, ir::Op& mover) {
  Remark::Of found = of(mover, value.type());
  if (!value.is_input()) {
    const Remark::Of made(*value.op(), value.type());
    found.op = made.op, found.locations = made.locations;
    if (std::vector<int> recorded = recorded_of(value.op()->locations()); !recorded.empty()) found.recorded = std::move(recorded);
    return found;
  }
  const ir::Input& input = value.graph()->inputs()[static_cast<size_t>(value.index())];
  found.op = fmt::format("{} {}", ir::name_of(input.role), value.name()), found.locations = without_marks(input.locations);
  return found;
}

std::vector<int> Remarks::recorded_of(const ir::Locations& locations) const {
  std::vector<int> recorded = marks_of(locations);
  std::erase_if(recorded, [&](int mark) { return mark >= first_mark_; });
  return recorded;
}

}  // namespace weft::passes
