#pragma once
// What stands before a program's function: the header and the train block.

#include "weft/ir/lexer.h"
#include "weft/ir/literals.h"
#include "weft/ir/module.h"

namespace weft::ir {

/// Reads both, if they are there, from where the lexer stands up to "func"; Module::places says where their entries are.
void parse_header(Lexer& lex, Literals& literals, Module& module);

}  // namespace weft::ir
