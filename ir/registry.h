#pragma once
// Every op definition by name: weft's own, whose families ir/ops/registry.cpp lists, and those that the program registered.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "weft/ir/op_def.h"

namespace weft::ir {

/// The definitions at one moment: what registry() gives out does not change, and stays.
class Registry {
 public:
  void add(std::shared_ptr<const OpDef> def);
  void add(OpDef def) { add(std::make_shared<const OpDef>(std::move(def))); }
  const OpDef* find(std::string_view name) const;
  /// Sorted by name.
  const std::vector<const OpDef*>& all() const { return sorted_; }

 private:
  std::vector<std::shared_ptr<const OpDef>> owned_;
  std::vector<const OpDef*> sorted_;
};

/// Those of now. Any thread may ask while another one registers.
const Registry& registry();

/// Adds an op of the program's own: elementwise, a reduction or a composite. It may be used as soon as this returns, on any thread,
/// and by graphs that were begun before. A decomposition may use the ops that were registered before it.
///
/// Throws weft::Error, naming `at`, when the name is taken, and with all that ir/definition_problems.h finds wrong with it.
const OpDef& register_op(OpDef def, Location at);

/// The definition, which must exist.
const OpDef& op_def(std::string_view name);
/// "unknown op 'mulx'; did you mean 'mul'?".
Error unknown_op(std::string_view name);

}  // namespace weft::ir
