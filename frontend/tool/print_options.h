#pragma once
// How a program is printed: the options that commands share.

#include "weft/ir/printer.h"

namespace CLI {
class App;
}

namespace weft::tool {

/// Adds --names and --locations.
void add_print_options(CLI::App& command, ir::PrintOptions& options);

}  // namespace weft::tool
