#include "weft/frontend/language/custom_op.h"

#include <algorithm>

#include "weft/frontend/language/recorder.h"
#include "weft/frontend/language/scope.h"
#include "weft/ir/registry.h"

namespace weft {
namespace {

using detail::Recorder;

/// The operands of a call, in the types and shapes that the op wants.
class Call {
 public:
  Call(Recorder& recorder, const ir::OpDef& def, const std::vector<Arg>& operands) : r_(recorder), def_(def), operands_(operands) {}

  std::vector<ir::Value> values() {
    if (operands_.size() > def_.operands.size() && (def_.operands.empty() || !def_.operands.back().variadic))
      r_.fail(fmt::format("takes {} operand{}, not {}", def_.operands.size(), def_.operands.size() == 1 ? "" : "s", operands_.size()));
    std::vector<ir::Value> all;
    for (size_t i = 0; i < operands_.size(); ++i) all.push_back(value(i));
    return all;
  }

 private:
  ir::Value value(size_t i) {
    const std::optional<DType> dtype = dtype_of(spec(i));
    if (def_.is_elementwise())
      return dtype ? r_.value(operands_[i], *dtype, r_.common_shape()) : r_.builder.broadcast(r_.value(operands_[i]), r_.common_shape());
    return dtype ? r_.value(operands_[i], *dtype) : r_.value(operands_[i]);
  }

  /// The element type that operands of this kind have together; none where each has its own.
  std::optional<DType> dtype_of(const ir::OperandSpec& wanted) const {
    if (wanted.type) return wanted.type->dtype;
    if (wanted.accepts != ir::Accepts::floating && (!def_.is_elementwise() || wanted.accepts == ir::Accepts::boolean)) return std::nullopt;
    std::vector<const Arg*> alike;
    for (size_t i = 0; i < operands_.size(); ++i)
      if (spec(i).accepts == wanted.accepts && !spec(i).type) alike.push_back(&operands_[i]);
    return wanted.accepts == ir::Accepts::floating ? r_.floating_dtype(alike) : r_.common_dtype(alike);
  }

  const ir::OperandSpec& spec(size_t i) const { return def_.operands[std::min(i, def_.operands.size() - 1)]; }

  Recorder& r_;
  const ir::OpDef& def_;
  const std::vector<Arg>& operands_;
};

}  // namespace

const ir::OpDef& register_op(ir::OpDef def, std::source_location at) { return ir::register_op(std::move(def), detail::Scope::locate(at)); }

std::vector<Tensor> detail::call(std::string_view op, const std::vector<Arg>& operands, ir::NamedAttributes attributes, int results,
                                 std::source_location at) {
  if (!operands.empty()) at = operands[0].where();
  const ir::OpDef* def = ir::registry().find(op);
  if (!def) throw ir::unknown_op(op).of("call").at(to_string(Scope::locate(at)));
  std::vector<const Arg*> given;
  for (const Arg& operand : operands) given.push_back(&operand);
  Recorder r(op, given, at);
  const ir::Op& made = r.builder.create(*def, Call(r, *def, operands).values(), std::move(attributes));
  if (made.result_count() != results)
    r.fail(fmt::format("has {0} results, not {1}; call<{0}>(...) gives them in an array", made.result_count(), results));
  std::vector<Tensor> all;
  for (ir::Value v : made.results()) all.push_back(r.tensor(v));
  return all;
}

Tensor call(std::string_view op, const std::vector<Arg>& operands, ir::NamedAttributes attributes, std::source_location at) {
  return detail::call(op, operands, std::move(attributes), 1, at)[0];
}

}  // namespace weft
