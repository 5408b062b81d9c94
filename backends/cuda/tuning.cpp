#include "weft/backends/cuda/tuning.h"

#include <map>

#include "weft/backends/cuda/exec/product_tuning.h"
#include "weft/backends/cuda/heavy.h"
#include "weft/ir/op_def.h"

namespace weft::cuda {

void choose_algorithms(ir::Module& planned, const std::shared_ptr<Context>& context, bool tf32) {
  std::map<std::pair<decltype(CallDescriptor::fields), int64_t>, std::string> known;
  for (ir::Op* op : planned.graph().ops()) {
    const HeavyOp* row = find_heavy(*op);
    if (!row || !row->measured) continue;
    ProductSpec spec = row->measured(*op, tf32);
    spec.algorithm.clear();
    const int64_t workspace = op->integer("scratch");
    const auto [at, is_new] = known.try_emplace({describe(spec, KernelCall()).fields, workspace});
    if (is_new) at->second = fastest_algorithm(context, spec, workspace);
    op->set_attribute("algorithm", at->second);
  }
}

}  // namespace weft::cuda
