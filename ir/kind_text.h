#pragma once
// Kinds of attributes, for messages.

#include <string>

#include "weft/ir/attribute.h"

namespace weft::ir {

/// "a bool", "an integer", "elements".
inline std::string with_article(AttributeKind kind) {
  const std::string name(name_of(kind));
  return (kind == AttributeKind::dense ? "" : kind == AttributeKind::integer ? "an " : "a ") + name;
}

}  // namespace weft::ir
