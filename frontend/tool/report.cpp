// weft report: a program as one HTML page.

#include <CLI/CLI.hpp>
#include <filesystem>
#include <map>

#include "weft/frontend/program/target.h"
#include "weft/frontend/report/page.h"
#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/program_file.h"
#include "weft/frontend/tool/targets.h"
#include "weft/runtime/replace_file.h"
#include "weft/support/number_text.h"

namespace weft::tool {
namespace {

namespace fs = std::filesystem;

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

/// What a program has dumped into the folder, "00-recorded.weft" and so on, in its order.
std::vector<ir::Module> dumped_stages(const fs::path& folder) {
  std::map<int64_t, fs::path> files;
  std::string folders;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    const LeadingNumber<int64_t> number = leading_number<int64_t>(name);
    if (entry.is_directory()) folders += (folders.empty() ? "" : ", ") + name;
    else if (number.length > 0 && name[number.length] == '-' && name.ends_with(".weft")) files[number.value] = entry.path();
  }
  if (files.empty())
    throw Error(ErrorKind::file, "{}: is a folder without the stages of a program, 00-recorded.weft and so on", folder.string())
        .hint(folders.empty() ? "CompileOptions::dump_ir, or WEFT_DUMP_IR, writes them" : "it holds these folders: " + folders);
  std::vector<ir::Module> stages;
  for (const auto& [number, file] : files) stages.push_back(parse_program(file.string()));
  return stages;
}

/// The passes between two stages of a program.
std::vector<std::string> passes_between(const ir::Module& first, const ir::Module& last, const std::string& pipeline) {
  std::vector<std::string> all = passes::remaining_passes(first, pipeline);
  const size_t left = passes::remaining_passes(last, pipeline).size();
  all.resize(all.size() - std::min(left, all.size()));
  return all;
}

void report(const Options& o) {
  require_file("-o", o.output);
  require_other_file("-o", o.output, {o.file});
  std::error_code none;
  const bool is_folder = fs::is_directory(o.file, none);
  std::vector<ir::Module> stages;
  if (is_folder) stages = dumped_stages(o.file);
  const ir::Module recorded = is_folder ? stages.front().clone() : parse_program(o.file);
  ir::Module planned = is_folder ? stages.back().clone() : recorded.clone();
  const Target device = Target::from_name(o.device);
  const Backend& backend = device.backend();
  const std::string pipeline(backend.pipeline());
  const std::vector<std::string> passes =
      is_folder ? passes_between(recorded, planned, pipeline) : passes::remaining_passes(recorded, pipeline);
  require_target_options(o.choice, passes);
  const std::shared_ptr<const passes::Target> target = target_for(planned, std::string(backend.target().name()), o.choice);
  std::vector<passes::PassRun> runs;
  if (!is_folder) runs = passes::run(planned, passes, *target);
  detail::Page page{
      .recorded = recorded, .planned = planned, .target = *target, .passes = passes, .runs = runs, .stages = std::move(stages)};
  if (!backend.takes_every_stage() && passes::remaining_passes(planned, pipeline).empty()) add_program(page, backend);
  const fs::path folder = o.file == "-" || is_folder ? "" : fs::path(o.file).parent_path();
  page.source_path = [&](const std::string& file) { return (folder / file).string(); };
  replace_file(o.output, detail::page_text(page));
}

}  // namespace

void add_report(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("report", "Write a page to look at a program with: its graph after every pass, memory, kernels");
  c->add_option("FILE", o->file, "The program in text form; - is standard input. Or a folder that a program has dumped")->required();
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
