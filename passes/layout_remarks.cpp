#include "weft/passes/layout_remarks.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "weft/ir/op_def.h"
#include "weft/passes/marks.h"

namespace weft::passes {
namespace {

using ir::Kind;
using ir::Op;
using ir::Value;

/// What moves elements on the way from one value to the other, the last first: nothing where that is a view.
std::vector<Op*> movers(Value from, Value to) {
  std::vector<Op*> all;
  for (Value v = to; v != from && !v.is_input(); v = v.op()->operand(0))
    if (v.op()->def().kind == Kind::movement) all.push_back(v.op());
  return all;
}

std::string source_text(Value v, const Layout& layout) {
  if (!layout.is_plain()) return fmt::format("it lies as {}", layout.text());
  if (!v.is_input()) return fmt::format("{} gives it row-major", v.op()->name());
  const bool kept = v.graph()->inputs()[static_cast<size_t>(v.index())].role == ir::Role::parameter;
  return kept ? "a parameter lies row-major between steps" : "an input lies row-major";
}

/// "x as aBcd8b, its result as acdb"; what is row-major is not said.
std::string layouts_text(const Op& op, const ir::NamedAttributes& wanted) {
  std::vector<std::string> all;
  const auto add = [&](const std::string& who, const std::string& attribute) {
    for (const auto& [name, value] : wanted)
      if (name == attribute && !std::get<std::string>(value).empty())
        all.push_back(fmt::format("{} as {}", who, std::get<std::string>(value)));
  };
  for (const ir::OperandSpec& operand : op.def().operands)
    if (!operand.layout.empty()) add(operand.name, operand.layout);
  add("its result", op.def().result_layout);
  return fmt::format("{}", fmt::join(all, ", "));
}

struct Reason {
  std::string why, unless;
};

/// Why the pass has not followed a layout through this op.
Reason why_not_followed(const Op& op) {
  switch (op.def().kind) {
    case Kind::heavy: return {fmt::format("{} wants it row-major", op.name()), ""};
    case Kind::view:
      return {fmt::format("{} joins or splits axes that are cut, or lie apart", op.name()),
              fmt::format("{} keeps axes that are cut, and joins what lies side by side", op.name())};
    case Kind::movement: return {fmt::format("{} finds elements by their row-major places", op.name()), ""};
    case Kind::elementwise: {
      const auto is_fed = [](Value v) { return v.is_input() && v.shape().numel() > 1; };
      if (const auto v = std::find_if(op.operands().begin(), op.operands().end(), is_fed); v != op.operands().end())
        return {fmt::format("{} also reads {}, which lies row-major", op.name(), (*v).name()), ""};
      break;
    }
    case Kind::reduction:
    case Kind::constant:
    case Kind::index:
    case Kind::composite:
    case Kind::nest:
    case Kind::launch:
    case Kind::loop: break;
  }
  return {fmt::format("{} reads it row-major", op.name()), ""};
}

}  // namespace

void LayoutRemarks::chosen(const Op& op, Op& made, const ir::NamedAttributes& wanted) {
  const std::string so = target_.implementation(made).name, plain = target_.implementation(op).name;
  chosen_.push_back({{.what = "laid out",
                      .of = to_.of(made, op.result().type()),
                      .why = fmt::format("the target wants this: {}", layouts_text(op, wanted)) +
                             (so == plain ? "" : fmt::format("; then it has {} for it, row-major {}", so, plain)),
                      .aside = true},
                     {}});
  chosen_by_[op.result()] = chosen_.size() - 1;
  read_by(made, true);
}

void LayoutRemarks::followed(const Op& op) {
  if (chosen_by_.contains(op.result())) return;
  for (Value v : op.operands()) {
    const auto found = chosen_by_.find(v);
    if (found == chosen_by_.end()) continue;
    const size_t by = found->second;
    chosen_by_[op.result()] = by;
    std::vector<std::string>& names = chosen_[by].through;
    if (std::string name(op.name()); std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
    return;
  }
}

void LayoutRemarks::say_what_was_chosen() {
  for (Chosen& c : chosen_) {
    if (!c.through.empty()) c.remark.why += fmt::format("; its result stays so through {}", fmt::join(c.through, ", "));
    to_.add(std::move(c.remark));
  }
  chosen_.clear();
}

void LayoutRemarks::reordered(Value v, Value source, const Layout& from, Value there, const Layout& to) {
  if (const std::vector<Op*> by = movers(source, there); !by.empty())
    open_.push_back({moved(v, by), source_text(v, from), to.text(), 2 * v.type().bytes()});
}

void LayoutRemarks::read_by(Op& made, bool wants) {
  for (Reordered& r : open_) {
    const std::string row_major = "row-major", &layout = r.layout.empty() ? row_major : r.layout;
    to_.add({.what = "reordered",
             .of = std::move(r.of),
             .other = to_.of(made, made.result().type()),
             .why = wants ? fmt::format("{} wants it as {}, and {}", made.name(), layout, r.source)
                          : fmt::format("{} also reads what lies as {}, and {}", made.name(), layout, r.source),
             .bytes = r.bytes,
             .reorders = true});
  }
  open_.clear();
}

void LayoutRemarks::brought_back(Value v, Value source, Value back, const std::vector<Op*>& readers) {
  const std::vector<Op*> by = movers(source, back);
  if (by.empty()) return;
  Remark remark{.what = "reordered", .of = moved(v, by), .bytes = 2 * v.type().bytes(), .reorders = true};
  if (readers.empty()) {
    const ir::Output& output = v.graph()->outputs()[static_cast<size_t>(v.node()->outputs.front())];
    remark.why = fmt::format("it is an output ({}), which lies row-major", output.name);
  } else {
    Op& first = *readers.front();
    Reason reason = why_not_followed(first);
    remark.other = to_.of(first, first.result().type());
    remark.other->name = names_.of(first.result());
    remark.why = std::move(reason.why), remark.unless = std::move(reason.unless);
  }
  to_.add(std::move(remark));
}

Remark::Of LayoutRemarks::moved(Value v, const std::vector<Op*>& by) {
  Remark::Of of = to_.of_moved(v, *by.front());
  of.name = names_.of(v);
  for (Op* op : by)
    if (op != by.front()) add_mark(*op, of.mark);
  return of;
}

}  // namespace weft::passes
