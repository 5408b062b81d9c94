#include "weft/frontend/language/tensors.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "weft/frontend/language/scope.h"
#include "weft/support/error.h"

namespace weft {

const Tensor& Tensors::operator[](const Name& name) const {
  std::vector<std::string> names;
  for (const auto& [known, tensor] : all_) {
    if (known == name.text) return tensor;
    names.push_back(known);
  }
  throw Error("there is no tensor '{}'; there are '{}'", name.text, fmt::join(names, "', '"))
      .of("Tensors")
      .at(detail::line_text(name.at))
      .hint(did_you_mean(name.text, names));
}

bool Tensors::contains(std::string_view name) const {
  return std::any_of(all_.begin(), all_.end(), [&](const auto& one) { return one.first == name; });
}

}  // namespace weft
