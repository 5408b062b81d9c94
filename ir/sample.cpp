#include "weft/ir/sample.h"

#include "weft/ir/builder.h"
#include "weft/ir/ops/optimizer.h"

namespace weft::ir {
namespace {

std::vector<Type> candidate_types(Accepts accepts) {
  const std::vector<Type> floating{{f32, {4, 3}}, {f32, {3}}, {f32, {}}, {f64, {}}};
  const std::vector<Type> integer{{i64, {4}}, {i64, {2}}, {i64, {}}};
  switch (accepts) {
    case Accepts::integer:
    case Accepts::bits: return integer;
    case Accepts::boolean: return {{boolean, {4, 3}}};
    default: return floating;
  }
}

std::vector<Attribute> candidate_attributes(const AttributeSpec& spec) {
  if (spec.fallback) return {*spec.fallback};
  switch (spec.kind) {
    case AttributeKind::boolean: return {false};
    case AttributeKind::integer: return {int64_t{1}, int64_t{3}, int64_t{0}};
    case AttributeKind::real: return {0.5};
    case AttributeKind::dims: return {Dims{1}, Dims{4, 3}, Dims{0}, Dims{1, 0}};
    case AttributeKind::dtype: return {f32};
    default: return {};
  }
}

constexpr int most_tries = 4096;

/// Calls `visit(choice)` for every choice of one candidate of each list until it returns true.
template <class T, class Visit>
bool any_choice(const std::vector<std::vector<T>>& lists, std::vector<T>& choice, Visit visit) {
  if (choice.size() == lists.size()) return visit(choice);
  for (const T& candidate : lists[choice.size()]) {
    choice.push_back(candidate);
    if (any_choice(lists, choice, visit)) return true;
    choice.pop_back();
  }
  return false;
}

std::vector<std::vector<Type>> operand_lists(const OpDef& def) {
  std::vector<std::vector<Type>> lists;
  const OptimizerSpec* update = find_optimizer(def.name);
  for (const OperandSpec& operand : def.operands)
    if (!operand.variadic) lists.push_back(candidate_types(operand.accepts));
  if (!update) return lists;
  // Too many operands to try; an update's are known: parameter, gradient, step, hyper-parameters, index, states.
  const Type parameter{f32, {4, 3}};
  lists = {{parameter}, {parameter}, {{i64, {}}}};
  lists.resize(3 + update->hypers.size(), {{f64, {}}});
  if (update->rows) lists.push_back({{i64, {4}}});
  for (const StateSpec& state : update->states(parameter, [](std::string_view) { return false; })) lists.push_back({state.type(parameter)});
  return lists;
}

std::string operand_name(const OpDef& def, size_t i) {
  const size_t last = def.operands.size() - 1;
  if (i < last || !def.operands[last].variadic) return def.operands[i].name;
  return fmt::format("{}{}", def.operands[last].name, i - last);
}

Module call(const OpDef& def, const std::vector<Type>& types, Attributes attributes) {
  Module module(def.name);
  std::vector<Value> operands;
  for (size_t i = 0; i < types.size(); ++i) operands.push_back(module.graph().add_input(operand_name(def, i), types[i]));
  NamedAttributes named;
  for (size_t i = 0; i < attributes.size(); ++i) named.emplace_back(def.attributes[i].name, attributes[i]);
  Builder builder(module.graph());
  const Op& op = builder.create(def, operands, named);
  for (int i = 0; i < op.result_count(); ++i) module.graph().add_output({fmt::format("result{}", i), op.result(i), {}, {}});
  return module;
}

}  // namespace

std::optional<Module> sample_call(const OpDef& def) {
  const std::vector<std::vector<Type>> operands = operand_lists(def);
  std::vector<std::vector<Attribute>> attributes;
  for (const AttributeSpec& spec : def.attributes) attributes.push_back(candidate_attributes(spec));
  std::optional<Module> found;
  int tries = 0;
  std::vector<Type> types;
  any_choice(operands, types, [&](const std::vector<Type>& t) {
    std::vector<Attribute> values;
    return any_choice(attributes, values, [&](const std::vector<Attribute>& a) {
      if (++tries > most_tries) return true;
      try {
        found = call(def, t, a);
      } catch (const Error&) {
        return false;  // does not fit: try the next
      }
      return true;
    });
  });
  return found;
}

}  // namespace weft::ir
