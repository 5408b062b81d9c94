#pragma once
// What values are called, in the text form and wherever else people meet them.
//
// An input has its name. A result is called, in this order,
//   * by its given name: that which a text gave it, or a pass;
//   * by the output that it is: "loss"; where an input has that name too, which the output then replaces, "fc1.weight.new";
//   * of an op that runs a body, as the body's output is called there: "fc1.relu" of a loop nest that ends with it;
//   * by the layer that it was recorded in, the op, and the part of a step that it was made for alone: "fc1.matmul",
//     "fc1.matmul.grad", "fc1.mul.update"; with several layers, that around all of them.
// Where that is taken, a number follows: "fc1.matmul.1". So all names follow from what the text holds, and an op that comes or goes
// changes no others than those of its own layer and kind.

#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "weft/ir/graph.h"

namespace weft::ir {

/// What a text, or a pass that knows better, calls a result in the place of the derived name; empty for most. Who takes a value's place
/// (Value::replace_all_uses_with) takes over its name, too.
const std::string& given_name(Value v);
void set_given_name(Value v, std::string name);

/// What a result is called, but for the number that tells it apart from others.
std::string name_without_number(Value v);

enum class Names {
  derived,
  numbers,  // of results: 0, 1, ..., in their order
};

/// The names of a graph's values, without those of its ops' bodies, which are graphs of their own. Holds for the graph as it is.
class ValueNames {
 public:
  explicit ValueNames(const Graph& graph, Names names = Names::derived);

  /// As the text has it: "%fc1.relu", "%\"fc 1.relu\"". "%?" for a value of another graph.
  const std::string& of(Value v) const;
  /// All of an op's results: "%a", "%a, %b", and of more "%a and 2 more".
  std::string of(const Op& op) const;

 private:
  void derive(const Graph& graph);
  void add(Value v, const std::string& base);

  std::unordered_map<Value, std::string, ValueHash> names_;
  std::unordered_set<std::string> taken_;
  std::unordered_map<std::string, int> last_;  // by name, the number that was given last
};

/// The layer around all of those that are in one: "a.b" of "a.b.c" and "a.b.d"; empty for none.
std::string common_scope(const Locations& all);

/// Is it a result's number, as Names::numbers gives them?
bool is_number(std::string_view name);

/// As a text has it: in quotes where it would not be read as one word.
std::string name_text(const std::string& name);
/// The same behind "%", where it may begin with a digit.
std::string value_text(const std::string& name);
std::string quoted(const std::string& text);

}  // namespace weft::ir
