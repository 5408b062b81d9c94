#include "weft/frontend/program/call_reader.h"

#include "weft/ir/op_def.h"

namespace weft::detail {

using ir::Op;
using ir::Value;
using reference::Tensor;

CallReader::CallReader(const ir::Module& planned) : ops_(passes::launched_ops(planned.graph())) {}

const Op& CallReader::op_of(const Call& call) const {
  WEFT_CHECK(call.number < ops_.size(), "call {} of a module with {}", call.number, ops_.size());
  return *ops_[call.number].op;
}

void CallReader::before(const Call& call) {
  kept_.clear();
  const Op& op = op_of(call);
  const size_t read = op.operands().size();
  for (size_t i = 0; i < read; ++i) {
    const std::byte* const start = call.buffers[i];
    const std::byte* const end = start + op.operand(static_cast<int>(i)).type().bytes();
    for (Value v : op.results()) {
      const std::byte* const written = result(call, v);
      if (start < written + v.type().bytes() && written < end) kept_[i].assign(start, end);
    }
  }
}

std::vector<Tensor> CallReader::operands(const Call& call) const {
  std::vector<Tensor> all;
  for (Value v : op_of(call).operands()) {
    const auto kept = kept_.find(all.size());
    all.push_back(reference::from_memory(v.type(), kept == kept_.end() ? call.buffers[all.size()] : kept->second.data()));
  }
  return all;
}

std::vector<Tensor> CallReader::results(const Call& call) const {
  std::vector<Tensor> all;
  for (Value v : op_of(call).results())
    all.push_back(ir::is_scratch(v) ? Tensor(v.type()) : reference::from_memory(v.type(), result(call, v)));
  return all;
}

const std::byte* CallReader::result(const Call& call, Value v) const {
  return call.buffers[op_of(call).operands().size() + static_cast<size_t>(v.index())];
}

std::string CallReader::pass_text(const Call& call) {
  std::string text;
  for (const int64_t pass : call.passes) text += fmt::format("{} {}", text.empty() ? ", in pass" : " of pass", pass);
  return text.empty() ? text : text + (call.passes.size() == 1 ? " of its loop" : " of its loops");
}

}  // namespace weft::detail
