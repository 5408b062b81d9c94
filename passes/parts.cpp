#include "weft/passes/parts.h"

#include "weft/ir/builder.h"

namespace weft::passes {

using ir::Op;
using ir::Value;

bool parts(ir::Module& module, const Target& target) {
  std::vector<Op*> replaced;  // the last one first, so that nothing goes before its readers
  for (Op* op : module.graph().op_list()) {
    if (op->def().attribute_index("parts") < 0 || op->integer("parts") != 1 || !target.claims(*op)) continue;
    const int64_t count = target.parts(*op);
    if (count == 1) continue;
    Value whole = op->result();
    Op* transpose = whole.users().size() == 1 && !module.graph().is_output(whole) && whole.users().front()->is("transpose")
                        ? whole.users().front().op
                        : nullptr;
    ir::Builder b(module.graph(), op, op->locations());
    Value cut = b.copy(*op, op->operands(), {{"parts", count}}).result();
    if (transpose) {
      Dims permutation{0};
      for (int64_t axis : transpose->dims("permutation")) permutation.push_back(axis + 1);
      b.set_insertion_point(transpose);
      cut = b("transpose", {cut}, {{"permutation", permutation}});
      whole = transpose->result();
    }
    whole.replace_all_uses_with(b.sum(cut, {0}));
    replaced.insert(replaced.begin(), op);
    if (transpose) replaced.insert(replaced.begin(), transpose);
  }
  for (Op* op : replaced) module.graph().erase(*op);
  return cut_long_reductions(module.graph()) || !replaced.empty();
}

}  // namespace weft::passes
