#include "weft/ir/definition_problems.h"

#include <algorithm>
#include <cctype>
#include <set>

#include "weft/ir/kind_text.h"
#include "weft/ir/lexer.h"
#include "weft/ir/order.h"
#include "weft/ir/sample.h"
#include "weft/ir/verifier.h"

namespace weft::ir {
namespace {

using Problems = std::vector<std::string>;

/// Whether `word` stands in the text, not as a part of a longer word.
bool names_word(std::string_view text, std::string_view word) {
  const auto is_letter = [&](size_t at) { return at < text.size() && std::isalpha(static_cast<unsigned char>(text[at])); };
  for (size_t at = text.find(word); at != std::string_view::npos; at = text.find(word, at + 1))
    if ((at == 0 || !is_letter(at - 1)) && !is_letter(at + word.size())) return true;
  return false;
}

void check_operands(const OpDef& def, Problems& problems) {
  std::set<std::string> names;
  for (const OperandSpec& operand : def.operands) {
    if (operand.name.empty()) problems.push_back("an operand has no name");
    if (!names.insert(operand.name).second) problems.push_back(fmt::format("two operands are named '{}'", operand.name));
    if (operand.doc.empty() && !names_word(def.doc, operand.name))
      problems.push_back(fmt::format("operand '{}' has no documentation, and the op's does not speak of it", operand.name));
    if (operand.variadic && &operand != &def.operands.back())
      problems.push_back(fmt::format("operand '{}' is variadic, which only the last one can be", operand.name));
  }
}

void check_attributes(const OpDef& def, Problems& problems) {
  std::set<std::string> names;
  for (const AttributeSpec& attribute : def.attributes) {
    const auto wrong = [&](const std::string& what) { problems.push_back(fmt::format("attribute '{}' {}", attribute.name, what)); };
    if (!is_name(attribute.name)) wrong("must be named by a letter, then letters, digits, '_' and '.'");
    if (!names.insert(attribute.name).second) wrong("is there twice");
    if (attribute.doc.empty()) wrong("has no documentation");
    if (!attribute.fallback) continue;
    if (kind_of(*attribute.fallback) != attribute.kind)
      wrong(fmt::format("is {}, but its default is {}", with_article(attribute.kind), with_article(kind_of(*attribute.fallback))));
    else if (const auto* word = std::get_if<std::string>(&*attribute.fallback);
             word && !attribute.choices.empty() && std::count(attribute.choices.begin(), attribute.choices.end(), *word) == 0)
      wrong(fmt::format("has the default \"{}\", which is none of its choices", *word));
  }
}

/// A definition has what its kind computes by.
void check_kind(const OpDef& def, Problems& problems) {
  const auto needs = [&](bool has, bool wanted, const char* what, const char* kinds) {
    if (has != wanted) problems.push_back(fmt::format("{} {}, {}", wanted ? "it has no" : "it has a", what, kinds));
  };
  needs(def.scalar != nullptr, def.kind == Kind::elementwise, "scalar body", "which elementwise ops have, and only they");
  needs(def.combine && def.identity, def.kind == Kind::reduction, "combination with its neutral element",
        "which reductions have, and only they");
  needs(def.access != nullptr, def.kind == Kind::movement || def.kind == Kind::view, "access",
        "which movements and views have, and only they");
  if (def.kind == Kind::composite && !def.decompose) problems.push_back("it has no decomposition, which composites have");
  if (!def.infer && (def.kind != Kind::elementwise || def.operands.empty())) problems.push_back("it has no shape rule");
  if (def.kind == Kind::reduction &&
      (def.operands.size() != 1 || def.attributes.size() != 2 || def.attribute_index("axes") != 0 || def.attribute_index("keep_dims") != 1))
    problems.push_back("a reduction has one operand and the attributes 'axes' and 'keep_dims'");
}

void check_gradient(const OpDef& def, Problems& problems) {
  if (def.no_gradient.empty()) {
    if (!def.gradient && !def.decompose && !def.needs_body())
      problems.push_back("it has neither a gradient, nor a decomposition to differentiate, nor a reason why none flows (no_gradient)");
  } else if (def.gradient) {
    problems.push_back("it has a gradient, and a reason why none flows");
  }
}

/// What a call shows of an op's rules. Each of these throws weft::Error when they do not fit.
void follow_rules(Op& op) {
  const OpDef& def = op.def();
  Graph& graph = op.graph();
  if (def.kind == Kind::elementwise) scalar_of(op);
  if (def.kind == Kind::reduction) combine_of(op);
  Builder builder(graph, nullptr, op.locations());
  if (def.decompose) decompose(builder, op);
  if (!def.gradient) return;
  std::vector<Value> incoming;
  for (Value v : op.results()) {
    if (!is_floating(v.dtype())) return;
    incoming.push_back(builder.splat(v.type(), 1));
  }
  GradientContext context{builder, op, incoming};
  differentiate(context);
  verify(graph);
}

void check_call(const OpDef& def, Problems& problems) {
  const Locations there{def.registered_at};
  try {
    std::optional<Module> call = sample_call(def);
    if (!call) return;
    Op& op = *call->graph().ops().front();
    op.set_locations(there);
    follow_rules(op);
  } catch (const Error& e) {
    problems.push_back(without_place(e, there));
  }
}

}  // namespace

std::vector<std::string> problems_of(const OpDef& def) {
  Problems problems;
  if (def.doc.empty()) problems.push_back("it has no documentation");
  check_operands(def, problems);
  check_attributes(def, problems);
  check_kind(def, problems);
  check_gradient(def, problems);
  return problems;
}

std::vector<std::string> problems_of_a_programs_op(const OpDef& def) {
  Problems problems;
  if (!is_name(def.name)) problems.push_back("its name must be a letter, then letters, digits, '_' and '.'");
  if (def.kind != Kind::elementwise && def.kind != Kind::reduction && def.kind != Kind::composite)
    problems.push_back("a program's op is elementwise, a reduction or a composite; other kinds need code in passes and backends");
  if (def.takes_epilogue || def.in_place >= 0 || def.copies)
    problems.push_back("takes_epilogue, in_place and copies are for ops that backends run themselves");
  const Problems more = problems_of(def);
  problems.insert(problems.end(), more.begin(), more.end());
  if (problems.empty()) check_call(def, problems);
  return problems;
}

}  // namespace weft::ir
