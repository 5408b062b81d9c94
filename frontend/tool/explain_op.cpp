// weft explain op, weft explain ops: what the definitions say.

#include <algorithm>

#include "weft/frontend/tool/explain.h"
#include "weft/frontend/tool/text.h"
#include "weft/ir/ops/with_gradient.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/ir/registry.h"
#include "weft/ir/sample.h"
#include "weft/passes/dce.h"
#include "weft/passes/decompose.h"

namespace weft::tool {
namespace {

using ir::Kind;

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::elementwise: return "elementwise";
    case Kind::reduction: return "reduction";
    case Kind::movement: return "movement";
    case Kind::view: return "view";
    case Kind::constant: return "constant";
    case Kind::index: return "index";
    case Kind::composite: return "composite";
    case Kind::heavy: return "heavy";
    case Kind::nest: return "nest";
    case Kind::launch: return "launch";
    case Kind::loop: return "loop";
  }
  return "?";
}

std::string_view describe(Kind kind) {
  switch (kind) {
    case Kind::elementwise: return "each element of the result from the elements at the same place; fuses";
    case Kind::reduction: return "combines the elements along axes, in an order that follows from the shape; fuses";
    case Kind::movement: return "moves elements and computes nothing; fuses";
    case Kind::view: return "other names for the same memory; free";
    case Kind::constant: return "elements known at compile time";
    case Kind::index: return "a function of the place alone; fuses";
    case Kind::composite: return "made of the ops below, by the pass decompose";
    case Kind::heavy: return "run by a library or a routine of the target";
    case Kind::nest: return "one loop nest over its body";
    case Kind::launch: return "the loop nests of its body, run by one call";
    case Kind::loop: return "its body again and again, over the steps of a sequence";
  }
  return "?";
}

std::string_view describe(ir::Accepts accepts) {
  switch (accepts) {
    case ir::Accepts::any: return "any type";
    case ir::Accepts::floating: return "floating";
    case ir::Accepts::number: return "number";
    case ir::Accepts::integer: return "integer";
    case ir::Accepts::boolean: return "bool";
    case ir::Accepts::bits: return "integer or bool";
  }
  return "?";
}

std::string kind_text(const ir::AttributeSpec& spec) {
  if (spec.choices.empty()) return std::string(name_of(spec.kind));
  return fmt::format("\"{}\"", fmt::join(spec.choices, "\" | \""));
}

std::string default_text(const ir::AttributeSpec& spec) {
  if (!spec.fallback) return "must be given";
  if (const auto* b = std::get_if<bool>(&*spec.fallback)) return *b ? "default true" : "default false";
  if (const auto* i = std::get_if<int64_t>(&*spec.fallback)) return fmt::format("default {}", *i);
  if (const auto* r = std::get_if<double>(&*spec.fallback)) return "default " + ir::print_real(*r);
  if (const auto* s = std::get_if<std::string>(&*spec.fallback)) return fmt::format("default \"{}\"", *s);
  if (const auto* d = std::get_if<Dims>(&*spec.fallback)) return "default " + to_string(*d);
  if (const auto* t = std::get_if<DType>(&*spec.fallback)) return fmt::format("default {}", weft::name_of(*t));
  return "has a default";
}

std::string gradient_text(const ir::OpDef& def) {
  if (def.gradient) return "yes, by a rule of its own";
  if (!def.no_gradient.empty()) return "none: " + def.no_gradient;
  return "yes, by differentiating what the op is made of";
}

std::string autocast_text(const ir::OpDef& def) {
  switch (def.autocast_class()) {
    case ir::Autocast::follows: return "in the widest type of its operands";
    case ir::Autocast::low: return "in the low-precision type";
    case ir::Autocast::wide: return "in f32";
    case ir::Autocast::fixed: return "as it was recorded";
  }
  return "";
}

void print_operands(const ir::OpDef& def, int width) {
  if (def.operands.empty()) return;
  Table table({"operand", "takes", ""}, {Table::Column::left, Table::Column::left, Table::Column::wrapped});
  for (const ir::OperandSpec& operand : def.operands)
    table.add({operand.name + (operand.variadic ? "..." : ""),
               operand.type ? to_string(*operand.type) : std::string(describe(operand.accepts)), operand.doc});
  fmt::print("\n{}", table.text(width));
}

void print_attributes(const ir::OpDef& def, int width) {
  if (def.attributes.empty()) return;
  Table table({"attribute", "is a", "", ""}, {Table::Column::left, Table::Column::left, Table::Column::left, Table::Column::wrapped});
  for (const ir::AttributeSpec& spec : def.attributes) table.add({spec.name, kind_text(spec), default_text(spec), spec.doc});
  fmt::print("\n{}", table.text(width));
}

void print_decomposition(const ir::OpDef& def) {
  if (def.kind != ir::Kind::composite) return;
  if (ir::has_gradient_body(def))
    return fmt::print("\nmade of nothing: its results are its first operands, and its body is their gradient\n");
  std::optional<ir::Module> sample = ir::sample_call(def);
  if (!sample) return;
  passes::decompose(*sample);
  passes::dce(sample->graph());
  fmt::print("\nmade of, for example:\n\n{}", ir::print(sample->graph()));
}

/// A loop's body is not seen from a call alone.
constexpr const char* running_sum = R"(weft 1
func @running_sum {
  input %start: f32[2]
  input %xs: f32[5,2]
  %last, %sums = scan(%start, %xs) {carried = 1, sliced = 1, length = 5} : f32[2], f32[5,2] {
    input %sum: f32[2]
    input %x: f32[2]
    %next = add(%sum, %x) : f32[2]
    output %next aliases %sum
    output %next
  }
  output last = %last
  output sums = %sums
}
)";

void print_loop(const ir::OpDef& def) {
  if (def.kind != ir::Kind::loop) return;
  fmt::print("\nfor example, the sums of the first rows:\n\n{}", ir::print(ir::parse(running_sum, "an example").graph()));
}

std::string first_sentence(const std::string& doc) { return doc.substr(0, std::min(doc.find(". "), doc.find("; "))); }

}  // namespace

void explain_op(const std::string& name) {
  const ir::OpDef* def = ir::registry().find(name);
  if (!def) {
    Error unknown = ir::unknown_op(name);
    unknown.hint("a function or layer that is several ops is none itself: weft show FILE.weft has those that it records");
    throw unknown.message(unknown.message() + " (weft explain ops lists them)");
  }
  const int width = std::min(output_width(), 100);
  fmt::print("{}: {}\n\n", def->name, wrapped(def->doc, width, static_cast<int>(def->name.size()) + 2));
  fmt::print("kind      {}: {}\n", name_of(def->kind), describe(def->kind));
  fmt::print("gradient  {}\n", wrapped(gradient_text(*def), width, 10));
  fmt::print("autocast  {}: {}\n", name_of(def->autocast_class()), autocast_text(*def));
  print_operands(*def, width);
  print_attributes(*def, width);
  print_decomposition(*def);
  print_loop(*def);
}

void list_ops() {
  Table table({"op", "kind", "gradient", "what it computes"},
              {Table::Column::left, Table::Column::left, Table::Column::left, Table::Column::cut_end});
  for (const ir::OpDef* def : ir::registry().all())
    table.add({def->name, std::string(name_of(def->kind)), def->no_gradient.empty() ? "yes" : "none", first_sentence(def->doc)});
  fmt::print("{}", table.text(output_width()));
}

}  // namespace weft::tool
