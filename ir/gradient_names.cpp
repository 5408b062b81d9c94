#include "weft/ir/gradient_names.h"

#include <string_view>

#include "weft/ir/value_names.h"

namespace weft::ir {

void name_gradients(const Graph& graph) {
  constexpr std::string_view ending = ".grad";
  for (const Output& output : graph.outputs()) {
    const std::string_view name = output.name;
    if (!name.ends_with(ending) || !graph.find_input(name.substr(0, name.size() - ending.size()))) continue;
    if (!output.value.is_input() && given_name(output.value).empty()) set_given_name(output.value, output.name);
  }
}

}  // namespace weft::ir
