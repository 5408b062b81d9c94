#pragma once
// What a train block says must go with its graph.

#include <initializer_list>
#include <string>
#include <string_view>

#include "weft/ir/module.h"
#include "weft/support/error.h"

namespace weft::passes {

/// Throws weft::Error, at its place where the module was read from a text, for what the block names and the graph has not, for what it
/// names twice, for what cannot be trained, and for groups and counters that make no sense.
void check_train_block(const ir::Module& module);

/// `error` at the place of the first of these entries (ir::Module::places) that the text has.
Error at_entry(const ir::Module& module, Error error, std::initializer_list<std::string_view> entries);

}  // namespace weft::passes
