#include "weft/frontend/program/call_alone.h"

#include "weft/ir/op_def.h"

namespace weft::detail {

CallAlone::CallAlone(const ir::Op& call) : graph_("call") {
  std::vector<ir::Value> inputs;
  for (ir::Value v : call.operands()) inputs.push_back(graph_.add_input(std::to_string(inputs.size()), v.type()));
  op_ = &graph_.insert_copy(call, inputs);
  for (ir::Value v : op_->results())
    if (!ir::is_scratch(v)) graph_.add_output({"", v, {}, {}});
}

}  // namespace weft::detail
