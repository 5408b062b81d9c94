#include "weft/ir/value.h"

#include <algorithm>

#include "weft/ir/graph.h"
#include "weft/ir/value_names.h"

namespace weft::ir {

const std::string& Value::name() const {
  static const std::string none;
  return is_input() ? static_cast<const detail::InputNode*>(node_)->name : none;
}

void Value::replace_all_uses_with(Value other) const {
  if (other == *this) return;
  if (!given_name(*this).empty() && !other.is_input() && given_name(other).empty()) set_given_name(other, given_name(*this));
  while (!users().empty()) {
    const Use use = users().front();
    use.op->set_operand(use.operand, other);
  }
  for (int i : std::vector<int>(node_->outputs)) graph()->set_output(static_cast<size_t>(i), other);
}

bool operator==(const Operands& a, const Operands& b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

}  // namespace weft::ir
