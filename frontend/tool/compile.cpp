// weft compile: a program in text form to one in a file that runs without a compiler.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <set>

#include "weft/backends/cpu/exec/isa.h"
#include "weft/frontend/program/target.h"
#include "weft/frontend/tool/arguments.h"
#include "weft/frontend/tool/commands.h"
#include "weft/frontend/tool/describer.h"
#include "weft/frontend/tool/feed.h"
#include "weft/frontend/tool/program_file.h"
#include "weft/frontend/tool/targets.h"
#include "weft/frontend/tool/text.h"
#include "weft/passes/pass.h"
#include "weft/runtime/step_file.h"

namespace weft::tool {
namespace {

constexpr const char* cpu_name = "cpu";

struct Options {
  std::string file, output;
  std::string device = cpu_name;
  TargetChoice choice;
  std::vector<std::string> settings, machines;
  int64_t seed = 0;
};

StepData described(const Describer& describer, const ir::Graph& planned, const std::map<std::string, double>& settings) {
  Described all = describer.describe(planned, settings);
  for (const auto& [name, value] : settings)
    if (std::find(all.numbers.begin(), all.numbers.end(), name) == all.numbers.end())
      throw Error("--set: the program reads no hyper-parameter '{}'", name).hint(did_you_mean(name, all.numbers));
  std::string missing;
  for (const std::string& name : all.missing) missing += fmt::format("{}'{}' (--set {}=NUMBER)", missing.empty() ? "" : ", ", name, name);
  if (!missing.empty()) throw Error("nothing is given for the number{} {}", all.missing.size() == 1 ? "" : "s", missing);
  return std::move(all.step);
}

bool has_state(const ir::Graph& graph) {
  const auto& inputs = graph.inputs();
  return std::any_of(inputs.begin(), inputs.end(), [](const ir::Input& input) { return input.role == ir::Role::state; });
}

std::string size_text(size_t bytes) { return fmt::format("{:.1f} KB", static_cast<double>(bytes) / 1e3); }

void report(const StepData& step, const std::string& path) {
  size_t constants = 0;
  for (const Array& array : step.program.list.constants) constants += array.bytes();
  std::string code;
  for (const MachineCode& c : step.program.code) code += fmt::format("{}{} {}", code.empty() ? "" : ", ", c.isa, size_text(c.image.size()));
  fmt::print("{}: step '{}' for {}, {} launches, arena {}, constants {}, code for {}\n", path, step.name, step.program.backend,
             step.program.list.launches.size(), size_text(static_cast<size_t>(step.program.list.arena_bytes)), size_text(constants), code);
}

/// Library calls are those of the narrowest machine that was named: the others have its instructions, too.
TargetChoice choice_of(const Options& o) {
  TargetChoice choice = o.choice;
  std::set<std::string> named;
  for (const std::string& machine : o.machines) {
    if (!named.insert(machine).second) throw Error("--machine {} is given twice", machine);
    if (o.device != cpu_name) continue;
    cpu::require_known_isa(machine);
    if (choice.max_isa.empty() || cpu::isa_width(machine) < cpu::isa_width(choice.max_isa)) choice.max_isa = machine;
  }
  return choice;
}

void compile(const Options& o) {
  if (o.seed < 0) throw Error("--seed must not be negative, not {}", o.seed);
  require_file("-o", o.output);
  require_other_file("-o", o.output, {o.file});
  const TargetChoice choice = choice_of(o);
  ir::Module module = parse_program(o.file);
  const std::map<std::string, double> settings = settings_in(o.settings);
  const Describer describer(module);
  const bool trained_already = !module.train && !module.stage.empty();
  const Target target = Target::from_name(o.device);
  if (target.name() != o.device)
    throw Error("--device {}: a program in a file is for any device; the number is for whoever opens it (LoadStepOptions::device)",
                o.device)
        .hint("--device " + target.name());
  if (target.backend().takes_every_stage()) throw Error("programs for '{}' cannot be saved: it interprets them", o.device);
  const std::vector<std::string> passes = passes::remaining_passes(module, target.backend().pipeline());
  require_target_options(choice, passes);
  passes::run(module, passes, *target_for(module, std::string(target.name()), choice));
  StepData step = described(describer, module.graph(), settings_by_name(module.graph(), settings));
  step.key = static_cast<uint64_t>(o.seed);
  step.program = target.backend().portable(module, o.machines);
  write_step(o.output, step);
  report(step, o.output);
  if (!choice.autocast.empty() && o.device == cpu_name && o.machines.empty())
    fmt::print("note: its products in bf16 are those of this machine's library; for machines without: --machine avx2\n");
  if (trained_already && has_state(module.graph()))
    fmt::print(
        "note: behind the pass training_step a text says of no optimizer, so that its state is read by the program's own names and "
        "no checkpoint fits: compile what was recorded\n");
}

}  // namespace

void add_compile(CLI::App& app) {
  auto o = std::make_shared<Options>();
  CLI::App* c = app.add_subcommand("compile", "Compile a program to a file that runs without a compiler");
  c->add_option("FILE", o->file, "The program in text form, the passes that are left run first; - is standard input")->required();
  c->add_option("-o,--output", o->output, "The compiled program")->required()->type_name("FILE.weftprog");
  c->add_option("--set", o->settings,
                "What a hyper-parameter starts as, e.g. sgd.lr=0.01, or '*.p=0.1'; else the optimizer's\n"
                "default, where it has one. The program may set it later")
      ->allow_extra_args(false)
      ->type_name("NAME=NUMBER");
  c->add_option("--device", o->device, "cpu (default), or cuda: for an NVIDIA GPU,\nwhich this machine need not have")->type_name("NAME");
  c->add_option("--machine", o->machines,
                "Kernels for sse4, avx2 or avx512 alone, once for each, and library calls that the\n"
                "narrowest of these has. Default: kernels for all three, library calls of this machine.\n"
                "Of cuda: the oldest GPU that runs them, sm_70 or newer, default sm_80; a name that ends\n"
                "in a letter, as sm_90a, is for that GPU alone")
      ->allow_extra_args(false)
      ->type_name("NAME");
  add_target_options(*c, o->choice);
  c->add_option("--seed", o->seed, "What random numbers follow from, with the number of the step; default 0")->type_name("N");
  c->footer("Example: weft compile line.weft -o line.weftprog --set sgd.lr=0.01");
  refuse_empty(*c);
  refuse_overflow(*c);
  c->callback([o] { compile(*o); });
}

}  // namespace weft::tool
