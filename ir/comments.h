#pragma once
// Comments of a text, so that a program that was read can be printed with them. They belong to statements: those on lines of their own to
// the one below, or where none is in its body to the one above; those inside of a statement and one behind it to that.

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "weft/ir/module.h"
#include "weft/ir/printer.h"

namespace weft::ir {

struct Comments {
  /// By the line of the text on which a statement starts: "# ...", without what stands before and behind.
  std::map<int, std::vector<std::string>> above, below;
  std::map<int, std::string> beside;
  /// What parts of a step the statements are for.
  std::map<int, Phases> phases;
  /// Of the function, by name: those that passes add are made of lines of others.
  std::set<std::string> inputs, outputs;
  /// Of "weft", "module", "train", each "group" and "func", in their order: the word and the line.
  std::vector<std::pair<std::string, int>> headers;
  /// Before the function's last brace, on its line, and behind it.
  std::vector<std::string> before_end;
  std::string beside_end;
  std::vector<std::string> behind;
};

/// `module` is what the text was read as.
Comments comments_of(std::string_view text, const Module& module);

/// As print(module), with the comments of what is still there: an op that passes have made of several has those of the first, one that is
/// gone takes its own along.
std::string print(const Module& module, const Comments& comments, const PrintOptions& options = {});

}  // namespace weft::ir
