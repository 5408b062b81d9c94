#pragma once
// Reads the text form that ir/printer.h describes. White space, comments and the names of op results are free.

#include <string>
#include <string_view>

#include "weft/ir/module.h"

namespace weft::ir {

/// Throws weft::Error "name:line:column: what is wrong" for malformed text, for ops that do not verify and for bodies more than 16
/// deep. Inputs, ops and outputs know their line in the text (Location::read).
Module parse(std::string_view text, const std::string& name = "<text>");
/// Reads a file; "-" is standard input.
Module parse_file(const std::string& path);

/// What parse_file() parses, and how messages call it.
struct ProgramText {
  std::string text, name;
};
ProgramText read_text(const std::string& path);

}  // namespace weft::ir
