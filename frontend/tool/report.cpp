// weft report: a program as one HTML page.

#include <CLI/CLI.hpp>
#include <filesystem>

#include "weft/frontend/program/target.h"
#include "weft/frontend/report/page.h"
#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/program_file.h"
#include "weft/frontend/tool/targets.h"
#include "weft/runtime/replace_file.h"

namespace weft::tool {
namespace {

struct Options {
  std::string file, output, device = "cpu";
  TargetChoice choice;
};

/// What a program of the module calls, and the code of its kernels; for a device that is not here what it would call.
void add_program(detail::Page& page, const Backend& backend) {
  try {
    page.calls = backend.build(page.planned, &page.kernels)->calls();
  } catch (const Error& e) {
    if (e.kind() != ErrorKind::device) throw;
    page.calls.clear(), page.kernels.clear();
    for (const Launch& launch : backend.portable(page.planned, {}).list.launches) page.calls.push_back(launch.description);
  }
}

void report(const Options& o) {
  require_file("-o", o.output);
  require_other_file("-o", o.output, {o.file});
  const ir::Module recorded = parse_program(o.file);
  const Target device = Target::from_name(o.device);
  const Backend& backend = device.backend();
  const std::vector<std::string> passes = passes::remaining_passes(recorded, backend.pipeline());
  require_target_options(o.choice, passes);
  const std::shared_ptr<const passes::Target> target = target_for(recorded, std::string(backend.target().name()), o.choice);
  ir::Module planned = recorded.clone();
  const std::vector<passes::PassRun> runs = passes::run(planned, passes, *target);
  detail::Page page{.recorded = recorded, .planned = planned, .target = *target, .passes = passes, .runs = runs};
  if (!backend.takes_every_stage()) add_program(page, backend);
  const std::filesystem::path folder = o.file == "-" ? "" : std::filesystem::path(o.file).parent_path();
  page.source_path = [&](const std::string& file) { return (folder / file).string(); };
  replace_file(o.output, detail::page_text(page));
}

}  // namespace

void add_report(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("report", "Write a page to look at a program with: its graph after every pass, memory, kernels");
  c->add_option("FILE", o->file, "The program in text form; - is standard input")->required();
  c->add_option("-o,--output", o->output, "The page, one HTML file that needs no network")->required()->type_name("FILE.html");
  c->add_option("--device", o->device, "What the program is compiled for: cpu (default), cuda or reference")->type_name("NAME");
  add_target_options(*c, o->choice);
  c->footer(
      "Source lines are shown where their files lie beside FILE or in the current folder. Times are in the pages of\n"
      "programs that run: step.report(path), or --report FILE of the examples.\n"
      "Example: weft report mlp.weft -o mlp.html");
  refuse_empty(*c);
  c->callback([o] { report(*o); });
}

}  // namespace weft::tool
