#include "weft/passes/partition.h"

#include <algorithm>

#include "weft/ir/builder.h"
#include "weft/support/error.h"

namespace weft::passes {
namespace {

using ir::Op;

/// The call with other attributes, in its place.
Op& changed_to(Op& op, const ir::NamedAttributes& attributes) {
  Op& by = ir::Builder(op.graph(), &op, op.locations()).copy(op, op.operands(), attributes);
  for (int i = 0; i < std::min(op.result_count(), by.result_count()); ++i) op.result(i).replace_all_uses_with(by.result(i));
  op.graph().erase(op);
  return by;
}

}  // namespace

bool partition(ir::Module& module, const Target& target) {
  bool changed = false;
  for (Op* op : module.graph().editable_ops()) {
    if (op->def().kind != ir::Kind::heavy || op->def().attribute_index("scratch") < 0) continue;
    const bool sliced = op->def().attribute_index("slices") >= 0;
    const int64_t before = sliced ? op->integer("slices") : 1, slices = sliced ? target.slices(*op) : 1,
                  scratch_before = op->integer("scratch");
    if (slices != before || scratch_before != 0) {
      ir::NamedAttributes cut{{"scratch", int64_t{0}}};
      if (sliced) cut.emplace_back("slices", slices);
      op = &changed_to(*op, cut);
    }
    const int64_t scratch = target.scratch_bytes(*op);
    if (scratch > 0) changed_to(*op, {{"scratch", scratch}});
    changed = changed || slices != before || scratch != scratch_before;
  }
  return changed;
}

void remark_on_implementations(const ir::Module& module, const Target& target, Remarks& to) {
  for (Op* op : module.graph().ops()) {
    if (op->def().kind != ir::Kind::heavy || !target.claims(*op)) continue;
    const auto by = target.implementation(*op);
    if (by.plain)
      to.add({.what = "slow",
              .of = to.of(*op, op->operand(0).type()),
              .why = fmt::format("the library runs it in its plain loops, {}", by.name)});
    else if (!by.name.empty())
      to.add({.what = "library call", .of = to.of(*op, op->result().type()), .why = fmt::format("{} runs it", by.name), .aside = true});
  }
}

}  // namespace weft::passes
