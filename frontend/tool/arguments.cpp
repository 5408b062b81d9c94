#include "weft/frontend/tool/arguments.h"

#include <algorithm>
#include <sstream>

#include <CLI/CLI.hpp>

#include "weft/frontend/tool/text.h"
#include "weft/support/error.h"
#include "weft/support/number_text.h"

namespace weft::tool {
namespace {

/// Its subcommands, in the order in which they were added.
std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

bool takes_value(const CLI::App& command, const std::string& option) {
  const CLI::Option* found = command.get_option_no_throw(option);
  return found && found->get_items_expected_max() > 0;
}

std::string example_of(const CLI::App& command) {
  std::istringstream lines(command.get_footer());
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("Example: ")) return line + "\n";
  return "";
}

}  // namespace

std::vector<std::string> arguments_of(const CLI::App& app, int argc, char** argv) {
  std::vector<std::string> all;
  const CLI::App* command = &app;
  bool options = true;
  for (int i = 1; i < argc; ++i) {
    const std::string given = argv[i];
    options = options && given != "--";
    for (const CLI::App* below : commands_of(*command))
      if (below->get_name() == given) command = below;
    if (options && given.starts_with("--") && given.ends_with('=') && takes_value(*command, given.substr(0, given.size() - 1))) {
      all.push_back(given.substr(0, given.size() - 1));
      all.emplace_back();
    } else {
      all.push_back(given);
    }
  }
  return all;
}

void refuse_empty(CLI::App& command, const std::set<std::string>& lists) {
  for (CLI::Option* option : command.get_options([](const CLI::Option*) { return true; })) {
    const std::string name = option->get_name();
    if (option->get_items_expected_max() == 0 || lists.contains(name)) continue;
    option->check([name](const std::string& given) -> std::string {
      if (given.empty()) throw Error("{} must not be empty", name);
      return "";
    });
  }
}

void refuse_overflow(CLI::App& command) {
  for (CLI::Option* option : command.get_options([](const CLI::Option* o) { return o->get_type_name() == "N"; }))
    option->check([name = option->get_name()](const std::string& given) -> std::string {
      if (leading_number<int64_t>(given).out_of_range) throw Error("{} must be an integer of 64 bits, not {}", name, given);
      return "";
    });
}

const CLI::App& reached(const CLI::App& app) {
  const std::vector<const CLI::App*> all = commands_of(app);
  const auto parsed = std::find_if(all.begin(), all.end(), [](const CLI::App* command) { return command->parsed(); });
  return parsed == all.end() ? app : reached(**parsed);
}

std::string full_name(const CLI::App& command) {
  const CLI::App* parent = command.get_parent();
  return (parent ? full_name(*parent) + " " : "") + command.get_name();
}

std::string how_to_go_on(const CLI::App& command) {
  std::string text;
  if (const auto commands = commands_of(command); !commands.empty()) {
    text += "These are:\n";
    for (const CLI::App* each : commands) text += fmt::format("  {:10} {}\n", each->get_name(), wrapped(each->get_description(), 100, 13));
  }
  return text + example_of(command) + full_name(command) + " --help explains " + (command.get_parent() ? "it" : "them") + " all.";
}

}  // namespace weft::tool
