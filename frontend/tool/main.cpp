// The command line program `weft`: looks at programs in text form, transforms and runs them.
//
// Exit code 0: done; 1: the user's mistake or a bad file; 2: a defect of weft.

#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "weft/frontend/tool/commands.h"
#include "weft/support/error.h"

namespace {

using namespace weft;

constexpr int users_mistake = 1, own_defect = 2;

/// CLI11 only says that an argument was not expected.
void check_command(CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return;
  std::vector<std::string> names;
  for (const CLI::App* command : app.get_subcommands([](CLI::App*) { return true; }))
    names.push_back(command->get_name());
  if (std::find(names.begin(), names.end(), argv[1]) == names.end())
    throw Error("unknown command '{}'{}", argv[1], did_you_mean(argv[1], names));
}

int run(int argc, char** argv) {
  CLI::App app("Looks at weft programs in text form, transforms and runs them.", "weft");
  app.set_version_flag("--version", "weft " WEFT_VERSION);
  app.require_subcommand(1);
  app.footer("weft COMMAND --help explains a command. FILE may be - for standard input.");
  tool::add_opt(app);
  tool::add_run(app);
  tool::add_show(app);
  tool::add_ptx(app);
  tool::add_explain(app);
  try {
    check_command(app, argc, argv);
    app.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help and --version
    throw Error("{}; see weft --help", e.what());
  }
  std::fflush(stdout);
  if (std::ferror(stdout)) throw Error("standard output cannot be written");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& e) {
    fmt::print(stderr, "weft: error: {}\n", e.what());
    return users_mistake;
  } catch (const std::exception& e) {
    fmt::print(stderr, "weft: {}\n", e.what());
    return own_defect;
  }
}
