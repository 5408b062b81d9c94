// weft reduce: the smallest program of which a command still says that it fails.

#include <sys/wait.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>

#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/program_file.h"
#include "weft/frontend/tool/text.h"
#include "weft/ir/printer.h"
#include "weft/passes/shrink.h"
#include "weft/support/error.h"
#include "weft/support/shell.h"

namespace weft::tool {
namespace {

struct Options {
  std::string file, command, output = "-";
  int64_t attempts = 2000;
};

/// A file for the command to look at, gone with this.
class Candidate {
 public:
  Candidate() {
    std::error_code error;
    path_ = std::filesystem::temp_directory_path(error) / ("weft-reduce-" + std::to_string(getpid()) + ".weft");
    if (error) throw Error(ErrorKind::file, "there is no folder for temporary files: {}", error.message()).hint("set TMPDIR to one");
  }
  ~Candidate() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  Candidate(const Candidate&) = delete;
  Candidate& operator=(const Candidate&) = delete;

  /// Whether the command succeeds with it: its path stands for every {}, or behind the command.
  bool passes(const ir::Module& module, std::string command) const {
    write_text(path_.string(), ir::print(module));
    const std::string quoted = shell_quoted(path_.string());
    bool named = false;
    for (size_t at = command.find("{}"); at != std::string::npos; at = command.find("{}", at + quoted.size()))
      command.replace(at, 2, quoted), named = true;
    const int status = std::system(((named ? command : command + " " + quoted) + " >/dev/null 2>&1").c_str());
    if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGQUIT)) throw Error("the command was interrupted");
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
  }

 private:
  std::filesystem::path path_;
};

void reduce(const Options& o) {
  if (o.attempts < 1) throw Error("--attempts must be at least 1, not {}", o.attempts);
  require_other_file("-o", o.output, {o.file});
  const ir::Module module = parse_program(o.file);
  try_writing(o.output);
  const Candidate candidate;
  int64_t tried = -1;  // the program as it is is no smaller one
  const auto holds = [&](const ir::Module& smaller) { return ++tried, candidate.passes(smaller, o.command); };
  if (!holds(module)) throw Error("'{}' fails with the program as it is, so that nothing smaller would say more", o.command);
  const ir::Module smallest = passes::shrink(module, holds, {.attempts = static_cast<int>(std::min<int64_t>(o.attempts, 1000000))});
  fmt::print(stderr, "{} of {} ops are left\n", smallest.graph().ops().size(), module.graph().ops().size());
  if (tried >= o.attempts) fmt::print(stderr, "all of {} attempts are used up: more (--attempts) may leave less\n", o.attempts);
  write_text(o.output, ir::print(smallest));
}

}  // namespace

void add_reduce(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("reduce", "Shrink a program as long as a command succeeds with it");
  c->add_option("FILE", o->file, "The program in text form; - is standard input")->required();
  c->add_option("--while", o->command,
                "The command, which a shell runs with the name of a smaller program for {}, or behind it.\n"
                "Exit code 0: what is looked for is still there")
      ->required()
      ->type_name("CMD");
  c->add_option("--attempts", o->attempts, "How many smaller programs are tried at most; default 2000")->type_name("N");
  c->add_option("-o,--output", o->output, "Where the result goes; default: - (standard output)")->type_name("FILE");
  c->footer("Example: weft reduce net.weft --while 'weft opt {} 2>&1 | grep -q \"after the pass\"' -o small.weft");
  refuse_empty(*c);
  refuse_overflow(*c);
  c->callback([o] { reduce(*o); });
}

}  // namespace weft::tool
