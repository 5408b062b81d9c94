// The command line program `weft`: looks at programs in text form, transforms and runs them.
//
// Exit code 0: done; 1: the user's mistake or a bad file; 2: a defect of weft.

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/support/error.h"
#include "weft/support/utf8.h"

namespace {

using namespace weft;

constexpr int users_mistake = 1, own_defect = 2;

Error unknown_command(const CLI::App& app, const std::string& name) {
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](const CLI::App*) { return true; })) names.push_back(command->get_name());
  const std::string near = did_you_mean(name, names);
  return Error("unknown command '{}'", name).hint(near.empty() ? fmt::format("known are {}", fmt::join(names, ", ")) : near);
}

/// What was wrong with the command line, and how to go on.
Error refusal(const CLI::App& app, const CLI::ParseError& e) {
  const CLI::App& command = tool::reached(app);
  const std::vector<std::string> unexpected = command.remaining();
  const std::string what = e.what();
  if (!dynamic_cast<const CLI::RequiredError*>(&e)) return Error("{}; see {} --help", what, tool::full_name(command));
  if (!unexpected.empty() && unexpected[0].starts_with('-'))
    return Error("The following argument was not expected: {}; see {} --help", unexpected[0], tool::full_name(command));
  if (!unexpected.empty()) return unknown_command(command, unexpected[0]);
  const std::string missing = what.starts_with("FILE")   ? "which program? give a FILE, or - for standard input"
                              : what.starts_with("NAME") ? "which one? give a NAME"
                              : what.starts_with("--")   ? what
                                                         : "which command?";
  return Error("{}\n{}", missing, tool::how_to_go_on(command));
}

int run(int argc, char** argv) {
  CLI::App app("Looks at weft programs in text form, transforms and runs them.", "weft");
  app.set_version_flag("--version", "weft " WEFT_VERSION);
  app.require_subcommand(1);
  app.footer(
      "weft COMMAND --help explains a command. FILE may be - for standard input.\n"
      "Example: weft show FILE.weft");
  tool::add_opt(app);
  tool::add_run(app);
  tool::add_compile(app);
  tool::add_show(app);
  tool::add_report(app);
  tool::add_ptx(app);
  tool::add_explain(app);
  tool::add_grad_check(app);
  tool::add_fmt(app);
  tool::add_diff(app);
  tool::add_reduce(app);
  tool::add_machine(app);
  std::vector<std::string> arguments = tool::arguments_of(app, argc, argv);
  try {
    std::reverse(arguments.begin(), arguments.end());  // as CLI11 takes them
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help and --version
    throw refusal(app, e);
  }
  std::fflush(stdout);
  if (std::ferror(stdout)) throw Error("standard output cannot be written");
  return 0;
}

/// Names out of files may hold what moves a terminal's cursor, or is no text: of control characters only the ends of lines are left.
std::string shown(std::string_view text) {
  std::string plain;
  for (char c : escaped_outside_utf8(text)) {
    const auto code = static_cast<unsigned char>(c);
    if ((code >= 0x20 && code != 0x7f) || c == '\n' || c == '\t') plain += c;
    else plain += fmt::format("\\x{:02x}", code);
  }
  return plain;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& e) {
    fmt::print(stderr, "weft: error: {}\n", shown(e.what()));
    return users_mistake;
  } catch (const std::exception& e) {
    fmt::print(stderr, "weft: {}\n", shown(e.what()));
    return own_defect;
  }
}
