// weft opt: runs passes on a program and prints the result.

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <sstream>

#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/explain.h"
#include "weft/frontend/tool/targets.h"
#include "weft/frontend/tool/text.h"
#include "weft/ir/parser.h"
#include "weft/ir/printer.h"
#include "weft/passes/pass.h"
#include "weft/support/error.h"

namespace weft::tool {
namespace {

struct Options {
  std::string file, target, autocast, output = "-", print_after, pipeline, passes, disabled;
  bool some_passes = false;  // --passes was given, and may be empty
  bool list = false, time = false, remarks = false;
};

/// "a,b" as names of passes; throws weft::Error for an unknown one.
std::vector<std::string> pass_names(const std::string& list) {
  std::vector<std::string> names;
  std::istringstream text(list);
  for (std::string name; std::getline(text, name, ',');) names.push_back(passes::find_pass(name).name);
  return names;
}

std::vector<std::string> chosen_passes(const ir::Module& module, const Options& o) {
  if (o.some_passes) return pass_names(o.passes);
  if (o.pipeline.empty() || o.pipeline == "compile") return passes::remaining_passes(module);
  return passes::pipeline(o.pipeline);
}

/// A pass that is to be watched must run.
void require_run(const std::string& option, const std::string& name, const std::vector<std::string>& chosen,
                 const std::set<std::string>& disabled) {
  passes::find_pass(name);
  std::vector<std::string> run;
  std::copy_if(chosen.begin(), chosen.end(), std::back_inserter(run), [&](const std::string& n) { return !disabled.contains(n); });
  if (std::find(run.begin(), run.end(), name) == run.end())
    throw Error("{}: the pass '{}' does not run here; {}", option, name,
                run.empty() ? "none does" : fmt::format("these do: {}", fmt::join(run, ", ")));
}

bool has_remarks(const std::string& pass) { return passes::find_pass(pass).remarks != nullptr; }

void run_passes(ir::Module& module, const Options& o) {
  const std::shared_ptr<const passes::Target> held = target_for(module, o.target, o.autocast);
  const passes::Target& target = *held;
  const std::vector<std::string> chosen = chosen_passes(module, o), disabled = pass_names(o.disabled);
  passes::RunOptions options{.disabled = {disabled.begin(), disabled.end()}};
  require_autocast(o.autocast, chosen);
  if (!o.print_after.empty() && o.print_after != "all") require_run("--print-after", o.print_after, chosen, options.disabled);
  if (o.remarks &&
      std::none_of(chosen.begin(), chosen.end(), [&](const std::string& n) { return has_remarks(n) && !options.disabled.contains(n); }))
    require_run("--remarks", "fuse", chosen, options.disabled);
  options.after = [&](const ir::Module& m, const passes::PassRun& run) {
    if (o.print_after != "all" && o.print_after != run.name) return;
    // The line between two programs is a comment in the text form.
    fmt::print(stderr, "# after {}{}\n{}", run.name, run.changed ? "" : ", which changed nothing", ir::print(m));
  };
  Table times({"pass", "changed", "ms"}, {Table::Column::left, Table::Column::left, Table::Column::right});
  for (const std::string& name : chosen) {
    if (o.remarks && !options.disabled.contains(name))
      for (const passes::Remark& remark : passes::remarks_of(passes::find_pass(name), module, target))
        fmt::print(stderr, "{}\n", to_string(remark));
    for (const passes::PassRun& run : passes::run(module, {name}, target, options))
      times.add({run.name, run.changed ? "yes" : "no", fmt::format("{:.3f}", run.milliseconds)});
  }
  if (o.time) fmt::print(stderr, "{}", times.text(output_width()));
}

void write(const std::string& path, const std::string& text) {
  if (path == "-") {
    fmt::print("{}", text);
    return;
  }
  std::ofstream file(path, std::ios::binary);
  if (!(file << text << std::flush)) throw Error("{}: cannot write the file: {}", path, std::strerror(errno));
}

void opt(const Options& o) {
  if (o.list) return list_passes();
  if (o.file.empty()) throw CLI::RequiredError("FILE");
  ir::Module module = ir::parse_file(o.file);
  run_passes(module, o);
  write(o.output, ir::print(module));
}

}  // namespace

void add_opt(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("opt", "Run passes on a program and print the result");
  c->add_option("FILE", o->file, "The program in text form; - is standard input");
  CLI::Option* passes = c->add_option("--passes", o->passes, "The passes to run, in this order; none of them for an empty list");
  passes->type_name("A,B,C");
  c->add_option("--pipeline", o->pipeline, "A named list of passes: compile, step or simplify; default: what is left of compile")
      ->excludes(passes)
      ->type_name("NAME");
  c->add_option("--target", o->target, "What the passes ask: cpu, cuda or generic; default: the program's target, else cpu")
      ->type_name("NAME");
  add_autocast(*c, o->autocast);
  c->add_option("-o,--output", o->output, "Where the result goes; default: - (standard output)")->type_name("FILE");
  c->add_option("--print-after", o->print_after, "Print the program to standard error after this pass, or after all")->type_name("PASS");
  c->add_option("--disable", o->disabled, "Passes to leave out")->type_name("A,B,C");
  c->add_flag("--time", o->time, "Print to standard error how long each pass took");
  c->add_flag("--remarks", o->remarks, "Print to standard error what was not fused, or runs slowly, and why");
  c->add_flag("--list-passes", o->list, "List the passes and stop");
  c->footer("Example: weft opt mlp.weft --pipeline=step | weft opt - --print-after=fuse -o planned.weft");
  refuse_empty(*c, {"--passes", "--disable"});
  c->callback([o, passes] {
    o->some_passes = passes->count() > 0;
    opt(*o);
  });
}

}  // namespace weft::tool
