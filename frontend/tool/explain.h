#pragma once
// What `weft explain` prints.

#include <string>

namespace weft::tool {

/// Each throws weft::Error with the nearest names for an unknown one.
void explain_op(const std::string& name);
void explain_pass(const std::string& name);
void list_ops();
void list_passes();
void list_rewrites();

}  // namespace weft::tool
