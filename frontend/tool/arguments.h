#pragma once
// The command line beyond what CLI11 does with it.

#include <set>
#include <string>
#include <vector>

namespace CLI {
class App;
}

namespace weft::tool {

/// The arguments after the program's name, each "--option=" with nothing behind it as two, the option and an empty value: CLI11
/// would take the argument that follows for the value.
std::vector<std::string> arguments_of(const CLI::App& app, int argc, char** argv);

/// Of the options and arguments that a command has so far: what they are given must not be empty, but for `lists`, of which an
/// empty one is a list of nothing. To be called last.
void refuse_empty(CLI::App& command, const std::set<std::string>& lists = {});

/// Of the same: integers ("N") must be some that 64 bits hold, where CLI11 would take the nearest one. To be called last.
void refuse_overflow(CLI::App& command);

/// The command that was reached while parsing: "weft explain op", say.
const CLI::App& reached(const CLI::App& app);
std::string full_name(const CLI::App& command);

/// For whom something is missing: the commands that there are, an example (the line of the footer that says so) and where to
/// read more.
std::string how_to_go_on(const CLI::App& command);

}  // namespace weft::tool
