// weft fmt: prints a program as weft does, comments included.

#include <CLI/CLI.hpp>

#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/print_options.h"
#include "weft/frontend/tool/program_file.h"
#include "weft/ir/comments.h"
#include "weft/ir/parser.h"
#include "weft/runtime/replace_file.h"
#include "weft/support/error.h"

namespace weft::tool {
namespace {

struct Options {
  std::vector<std::string> files;
  bool in_place = false, check = false;
  ir::PrintOptions print = {};
};

std::string formatted(const ir::ProgramText& read, const ir::PrintOptions& options) {
  const ir::Module module = parse_program(read);
  return ir::print(module, ir::comments_of(read.text, module), options);
}

void format(const Options& o) {
  if (o.in_place && o.check) throw Error("--check changes no file, and --in-place does: one of them");
  std::string unformatted;
  for (const std::string& path : o.files) {
    if (o.in_place && path == "-") throw Error("standard input has no place to be written to").hint("leave --in-place out");
    const ir::ProgramText read = read_program(path);
    const std::string text = formatted(read, o.print);
    if (o.check) unformatted += text == read.text ? "" : (unformatted.empty() ? "" : ", ") + read.name;
    else if (!o.in_place) fmt::print("{}", text);
    else if (text != read.text) replace_file(path, text);
  }
  if (!unformatted.empty()) throw Error("not as weft fmt prints it: {}", unformatted);
}

}  // namespace

void add_fmt(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("fmt", "Format programs in text form");
  c->add_option("FILE", o->files, "The programs; - is standard input")->required();
  c->add_flag("-i,--in-place", o->in_place, "Write them back in place of printing them");
  c->add_flag("--check", o->check, "Print nothing, and fail where one is not formatted");
  add_print_options(*c, o->print);
  c->footer(
      "Comments stay with their statements, names with their values; numbers become names, or with --names=numbers\n"
      "names numbers.\n"
      "Example: weft fmt -i mlp.weft");
  refuse_empty(*c);
  c->callback([o] { format(*o); });
}

}  // namespace weft::tool
